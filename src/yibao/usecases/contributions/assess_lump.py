"""Assess the years that are bought at retirement: one due of kind ``lump`` over the months that are missing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import Bill, Due
from yibao.domains.contributions.rules import bill_name, due_name, first_of_month
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.collection import last_day
from yibao.policy.reckoning.reckon import reckon
from yibao.usecases.contributions.bills import send_bill
from yibao.usecases.contributions.cards import EMPLOYEES
from yibao.usecases.contributions.make_bill import BillMade
from yibao.usecases.funds.fund_map import fund_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

RELATION = """
select r.admdvs, r.psn_type, r.account_kind, p.name, coalesce((select b.wage_fen from contributions.base b
        where b.psn_no = r.psn_no order by b.valid_from desc limit 1), r.wage_fen) as wage_fen
from enrolment.relation r join people.person p on p.psn_no = r.psn_no where r.psn_no = $1 and r.relation_id = $2
"""
KINDS = ("past_retirement_once", "past_retirement", "flexible")
"""Under which kind of enrolment the law prices bought months: the first that it has a rate for."""
_ACTIVE = "1101"


class Lump(msgspec.Struct, frozen=True, kw_only=True):
    """How many months are bought at retirement; ``base_fen`` None: the last declared base."""

    psn_no: str
    relation_id: str
    months: int
    base_fen: int | None = None


async def assess_lump(
    tx: Connection, command: Lump, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> BillMade | Refusal:
    """Assess and bill bought months by the law of the day: the basic part only, rounded once over all of them.

    The law prices them as a retiree's single payment, else as a flexible worker's month. Asked again while the due stands,
    the same bill answers.
    """
    row = await tx.fetchrow(RELATION, command.psn_no, command.relation_id)
    if row is None:
        return refuse("RELATION_NOT_FOUND", "没有这个参保关系", field="relation_id", received=command.relation_id,
                      remedy="请核对人员和参保关系")
    if command.months <= 0:
        return refuse("MONTHS_WRONG", "一次性补足的月数应大于零", field="months", received=str(command.months))
    policy = shelf.of(row["admdvs"])
    if isinstance(policy, Refusal):
        return policy
    today = business_date(now)
    name = due_name(EMPLOYEES, f"{today:%Y%m}", "lump")
    standing = [d for d in await queries.list_dues(tx, command.psn_no, insutype=EMPLOYEES) if d.kind == "lump"]
    live = next((d for d in standing if d.state not in ("cancelled", "refunded")), None)
    if live is not None:
        bill = await queries.find_bill(tx, live.bill_id)
        assert bill is not None
        return BillMade(bill, (live.key,))
    priced = _price(command, policy, row["account_kind"], row["wage_fen"], now)
    if isinstance(priced, Refusal):
        return priced
    parts, amounts, base = priced
    month = first_of_month(today)
    newest = await queries.newest_bills(tx, admdvs=policy.admdvs, month=month, kind="lump", payer_nos=[command.psn_no])
    ordinal = newest.get(command.psn_no, (0, ""))[0] + 1
    bill = Bill(
        bill_name(policy.admdvs, month, command.psn_no, ordinal, "lump"), policy.admdvs, "person", command.psn_no, row["name"],
        "lump", month, ordinal, 1, sum(amounts), "open", max(today, last_day(policy, month, insutype=EMPLOYEES)), today, None,
        [], "", now,
    )
    funds = [
        fund_of(insutype=EMPLOYEES, payer="person", part=p.partition(".")[2], account_kind=row["account_kind"],
                enrolment_kind="past_retirement_once")
        for p in parts
    ]
    due = Due(
        command.psn_no, name + (f"-{len(standing) + 1}" if standing else ""), policy.admdvs, command.relation_id, EMPLOYEES,
        month, command.months, "lump", "person", command.psn_no, base, parts, amounts, funds, sum(amounts), 0, bill.bill_id,
        "assessed", now, None, None, None, None, None, None, policy.version,
    )
    await operations.add_dues(tx, [due])
    await operations.add_bill(tx, bill)
    await write_trail(tx, actor, verb="assess_lump", object_id=due.key, admdvs=policy.admdvs, state=due, now=now, ids=ids)
    return BillMade(await send_bill(tx, bill, now=now, ids=ids), (due.key,))


def _price(
    command: Lump, policy: RegionPolicy, account_kind: str, wage_fen: int | None, now: datetime
) -> tuple[list[str], list[int], int] | Refusal:
    answer: Refusal | None = None
    for kind in KINDS:
        found = reckon(DuesCase(
            admdvs=policy.admdvs, on=business_date(now), insutype=EMPLOYEES, psn_type=_ACTIVE, account_kind=account_kind,
            enrolment_kind=kind, wage=wage_fen, base=command.base_fen, months=command.months, payers=("person",),
            parts=("basic",),
        ), policy)
        if not isinstance(found, Refusal):
            named = [(n, fen) for n, fen in found.amounts if "." in n and not n.startswith("base")]
            return [n for n, _ in named], [fen for _, fen in named], dict(found.amounts).get("base", 0)
        answer = answer or found
    assert answer is not None
    return answer
