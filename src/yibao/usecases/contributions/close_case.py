"""Close a case that somebody has worked, saying what came of it; release a payment that was held for one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import WorkCase
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import cover
from yibao.usecases.contributions.late import charge_late
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

CASE = "select * from contributions.work_case where case_id = $1 for update"
RELEASE = "update contributions.payment set is_held = false where payment_id = $1"


class CloseCase(msgspec.Struct, frozen=True, kw_only=True):
    """Which case, what came of it, and whether a payment by somebody else is accepted for the bill it names."""

    case_id: str
    outcome: str
    accept_payer: bool = False


async def close_case(
    tx: Connection, command: CloseCase, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> WorkCase | Refusal:
    """Close a case. With ``accept_payer`` a payment by somebody else pays the bill it names, if it suffices."""
    row = await tx.fetchrow(CASE, command.case_id)
    if row is None:
        return refuse("CASE_NOT_FOUND", "没有这个待办事项", field="case_id", received=command.case_id, remedy="请核对编号")
    if not command.outcome.strip():
        return refuse("OUTCOME_MISSING", "请写明处理结果", field="outcome", remedy="请填写处理结果")
    case = WorkCase(**{name: row[name] for name in WorkCase.__struct_fields__})
    if case.state == "closed":
        return case
    if command.accept_payer:
        if case.kind != "WRONG_PAYER":
            return refuse("CASE_OF_OTHER_KIND", "只有缴费人不符的事项可以确认代缴", field="accept_payer", received=case.kind)
        await tx.execute(RELEASE, case.payment_id)
        bill = await queries.find_bill(tx, case.bill_id, lock=True)
        if bill is not None and bill.state in ("open", "sent"):
            after = await cover(tx, bill, now=now, ids=ids, shelf=shelf)
            if after.state in ("paid", "arrived"):
                await charge_late(tx, after, now=now, ids=ids, shelf=shelf)
    await operations.close_cases(tx, [case.case_id], now=now, by=actor.login, outcome=command.outcome)
    await write_trail(tx, actor, verb="close_case", object_id=case.case_id, admdvs=case.admdvs, state=command, now=now, ids=ids)
    return msgspec.structs.replace(case, state="closed", closed_at=now, closed_by=actor.login, outcome=command.outcome)
