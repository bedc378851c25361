"""The agency's side of settlement lists: accept what passed the check, return with a reason, see what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import asyncpg
import msgspec

from yibao.domains.records import operations, queries
from yibao.domains.records.operations import ListKey
from yibao.domains.records.queries import Asked
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.records.tables import list_tables
from yibao.usecases.records.upload_list import STATE_TEXT

CHANNEL = "cli"


class Decided(msgspec.Struct, frozen=True):
    """A list the agency decided on."""

    psn_no: str
    setl_id: str
    list_id: str
    state: str


class Decision(msgspec.Struct, frozen=True):
    """What the agency decides: by whom, and why it is returned."""

    verb: Literal["accept", "return"]
    operator: str
    reason: str = ""


async def decide_lists(
    tx: Connection, setl_ids: Sequence[str], decision: Decision, *, admdvs: str, now: datetime, ids: Ids
) -> list[Decided] | Refusal:
    """Accept or return lists of a region by settlement, all or none; each decision has its audit row."""
    if not decision.operator.strip():
        return refuse("OPERATOR_MISSING", "没有说明由谁经办", remedy="请写明经办人姓名")
    if decision.verb == "return" and not decision.reason.strip():
        return refuse("REASON_MISSING", "退回清单必须写明原因", remedy="请写明要机构改什么")
    rows, faults = [], []
    for setl_id in sorted(set(setl_ids)):
        row = await queries.find_for_decision(tx, setl_id=setl_id, admdvs=admdvs)
        fault = _fault(row, setl_id, decision)
        if fault is not None:
            faults.append(fault)
        elif row is not None:
            rows.append(row)
    if faults:
        return Refusal(tuple(faults))
    return [await _decide(tx, row, decision, admdvs=admdvs, now=now, ids=ids) for row in rows]


async def _decide(
    tx: Connection, row: asyncpg.Record, decision: Decision, *, admdvs: str, now: datetime, ids: Ids
) -> Decided:
    setl_id, state = row["setl_id"], operations.STEPS[decision.verb][1]
    key = ListKey(row["psn_no"], setl_id, row["admdvs"], row["fixmedins_code"], row["version"])
    await operations.decide_list(
        tx, key, verb=decision.verb, was=row["state"], at=now, actor=decision.operator, reason=decision.reason)
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=decision.operator, sender="agency", channel=CHANNEL,
        verb=f"{decision.verb}_list", object_id=setl_id, admdvs=admdvs,
        digest=sm3(f"{setl_id} {state} {decision.reason}".encode()),
    )
    return Decided(row["psn_no"], setl_id, row["list_id"], state)


def _fault(row: asyncpg.Record | None, setl_id: str, decision: Decision) -> Fault | None:
    if row is None:
        return Fault("LIST_NOT_FOUND", "本统筹区没有这笔结算的清单", "setl_id", setl_id, "请核对结算ID与统筹区")
    if row["state"] not in operations.STEPS[decision.verb][0]:
        done = "通过" if decision.verb == "accept" else "退回"
        return Fault("LIST_STATE", f"清单{STATE_TEXT[row['state']]}，不能{done}", "setl_id", setl_id,
                     "只有质控通过的清单可以审核通过；已用于付费的不能退回")
    if row["settlement_state"] != "active" and decision.verb == "accept":
        return Fault("SETTLEMENT_REVERSED", "结算已撤销，清单不能通过", "setl_id", setl_id, "请退回该清单")
    return None


async def list_decidable(tx: Connection, *, admdvs: str, month: date, fixmedins_code: str | None) -> list[str]:
    """Return the settlements of a month (any day of it) whose lists passed the check and wait for the agency."""
    begin, end = month_of(month)
    rows = await queries.list_by_state(
        tx, admdvs=admdvs, fixmedins_code=fixmedins_code, state="checked", begin=begin, end=end)
    return [row["setl_id"] for row in rows if row["settlement_state"] == "active"]


def is_month(text: str) -> bool:
    """Say whether a text is a month as yyyymm, of a year that can be reckoned with."""
    is_number = text.isascii() and text.isdecimal() and len(text) == 6
    return is_number and 1 <= int(text[4:]) <= 12 and text[:2] in ("19", "20", "21")


def month_of(day: date) -> tuple[datetime, datetime]:
    """Return the instants between which a day's month lies, half-open, in business time."""
    begin = datetime(day.year, day.month, 1, tzinfo=SHANGHAI)
    end = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=SHANGHAI)
    return begin, end


class Overdue(msgspec.Struct, frozen=True):
    """A settlement whose list is missing or came late; ``days_late`` counts from the last day to file it, 0 if still due."""

    fixmedins_code: str
    psn_no: str
    setl_id: str
    med_type: str
    settled_on: date
    due_on: date
    filed_on: date | None
    days_late: int


async def report_overdue(
    tx: Connection, *, admdvs: str, month: date, fixmedins_code: str | None, today: date
) -> list[Overdue]:
    """Return the settlements of a month without a submitted list or with a late one, institutions together."""
    tables = list_tables()
    begin, end = month_of(month)
    rows = await queries.list_missing(
        tx, Asked(begin, end, tables.listed, fixmedins_code=fixmedins_code), admdvs=admdvs)
    found = []
    for row in rows:
        settled_on = business_date(row["settled_at"])
        due_on = row["due_on"] or tables.due_on(settled_on)
        filed_on = business_date(row["filed_at"]) if row["filed_at"] else None
        late = max(((filed_on or today) - due_on).days, 0)
        found.append(Overdue(row["fixmedins_code"], row["psn_no"], row["setl_id"], row["med_type"], settled_on, due_on,
                             filed_on, late))
    return sorted(found, key=lambda o: (o.fixmedins_code, o.settled_on, o.setl_id))
