"""Survey the settlement lists of a month for an agency, and follow one list through its steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.records import queries
from yibao.domains.records.model import Finding
from yibao.domains.settlements.queries import find_settlement
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.records.decide_lists import month_of


class SurveyedList(msgspec.Struct, frozen=True):
    """A settlement list as an agency sees it in a table; ``is_in_force`` says so of its settlement."""

    fixmedins_code: str
    setl_id: str
    list_id: str
    care_kind: str
    state: str
    version: int
    settled_on: date
    is_in_force: bool
    findings: tuple[Finding, ...]
    reason: str


class Step(msgspec.Struct, frozen=True):
    """One step of a list."""

    at: datetime
    verb: str
    state_from: str
    state_to: str
    version: int
    actor: str
    reason: str
    findings: tuple[Finding, ...]


async def survey_lists(
    tx: Connection, *, admdvs: str, month: date, fixmedins_code: str | None, state: str | None
) -> list[SurveyedList]:
    """Return the lists of a region whose settlements were made in a month (any day of it)."""
    begin, end = month_of(month)
    rows = await queries.list_by_state(
        tx, admdvs=admdvs, fixmedins_code=fixmedins_code, state=state, begin=begin, end=end)
    return [
        SurveyedList(
            row["fixmedins_code"], row["setl_id"], row["list_id"], row["care_kind"], row["state"], row["version"],
            business_date(row["settled_at"]), row["settlement_state"] == "active", tuple(queries.findings_of(row)),
            row["reason"],
        )
        for row in rows
    ]


async def follow_list(tx: Connection, setl_id: str) -> Sequence[Step] | Refusal:
    """Return every step of the list of a settlement, the first one first."""
    settlement = await find_settlement(tx, setl_id)
    events = [] if settlement is None else await queries.list_events(tx, psn_no=settlement["psn_no"], setl_id=setl_id)
    if not events:
        return refuse("LIST_NOT_FOUND", "没有这笔结算的清单", field="setl_id", received=setl_id, remedy="请核对结算ID")
    return [
        Step(e["at"], e["verb"], e["state_from"], e["state_to"], e["version"], e["actor"], e["reason"],
             () if e["findings"] is None else tuple(queries.findings_of(e)))
        for e in events
    ]
