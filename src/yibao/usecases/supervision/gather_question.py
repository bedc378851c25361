"""Gather what a review rests on: the person, the visit, its charges and what was charged before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from yibao.infra.database import Connection
from yibao.policy.review.facts import Charge, Patient, Visit
from yibao.policy.review.rules import RuleBook

# With the settlement in force that covers the line: that of its batch, or of its period of a stay.
LINES = """
select l.feedetl_sn, l.mdtrt_id, e.fixmedins_code, l.item_code, l.item_name, l.list_type, l.occurred_at,
       l.quantity_e4, l.amount_fen, l.price_micro, l.limit_micro, l.rxno, l.detail, l.scope_fen, s.setl_id, s.settled_at
from encounters.fee_line l
join encounters.encounter e on e.psn_no = l.psn_no and e.mdtrt_id = l.mdtrt_id and e.state <> 'cancelled'
left join lateral (
    select s.setl_id, s.settled_at from settlements.settlement s
    left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id = s.setl_id
    where s.psn_no = l.psn_no and s.mdtrt_id = l.mdtrt_id and s.kind = 'settlement' and s.state = 'active'
      and case when c.setl_id is null then s.chrg_bchno = l.chrg_bchno
               else settlements.period_of(l.chrg_bchno) between c.period_from and c.period_to end
    limit 1) s on true
where l.psn_no = $1 and l.occurred_at >= $2 and l.occurred_at < $3 and ($4 = '' or l.mdtrt_id = $4)
order by l.occurred_at, l.mdtrt_id, l.feedetl_sn
"""
# Whoever was recognised as injured at work is not accused of drugs that only that insurance pays.
WORK_INJURY = """
select exists (select from applications.injury where psn_no = $1 and kind = 'work_injury' and cancelled_at is null
               and valid_from <= $2 and (valid_to is null or valid_to > $2))
"""
LEVEL = "select kind, level from institutions.institution where fixmedins_code = $1"
_PHARMACY = "2"
_BEGINNING, _END = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Line(msgspec.Struct, frozen=True):
    """A fee line as a charge, with its in-scope money (fen) and the settlement in force that covers it.

    Attributes:
        setl_id: ``""`` where none does; settled_at: when it was booked, None likewise.
    """

    charge: Charge
    scope_fen: int
    setl_id: str = ""
    settled_at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """Say whether a settlement in force covers the line."""
        return self.settled_at is not None

    def was_settled_before(self, settled_at: datetime, setl_id: str) -> bool:
        """Say whether the line was settled before a settlement: of two, only the later can be one too many."""
        return self.settled_at is not None and (self.settled_at, self.setl_id) < (settled_at, setl_id)


async def list_lines(tx: Connection, *, psn_no: str, begin: datetime, end: datetime) -> list[Line]:
    """Return a person's fee lines of all institutions from ``begin`` to before ``end``, in the order of time."""
    return [_line(row) for row in await tx.fetch(LINES, psn_no, begin, end, "")]


async def list_settled_lines(tx: Connection, settlement: asyncpg.Record) -> list[Line]:
    """Return the fee lines that a settlement in force covers: its batch, or the periods of its stay."""
    rows = await tx.fetch(LINES, settlement["psn_no"], _BEGINNING, _END, settlement["mdtrt_id"])
    return [_line(row) for row in rows if row["setl_id"] == settlement["setl_id"]]


def _line(row: asyncpg.Record) -> Line:
    detail: dict[str, Any] = msgspec.json.decode(row["detail"]) if row["detail"] else {}
    charge = Charge(
        charge_id=row["feedetl_sn"], mdtrt_id=row["mdtrt_id"], fixmedins_code=row["fixmedins_code"],
        item_code=row["item_code"], item_name=row["item_name"], list_type=row["list_type"], at=row["occurred_at"],
        quantity_e4=row["quantity_e4"], amount_fen=row["amount_fen"], price_micro=row["price_micro"],
        limit_micro=row["limit_micro"], rx=row["rxno"], frequency=str(detail.get("used_frqu_dscr", "")),
        days=days_of(detail.get("prd_days")),
    )
    return Line(charge, row["scope_fen"], row["setl_id"] or "", row["settled_at"])


def days_of(text: object) -> int:
    """Return how many days a prescription lasts by what was sent, 1 where that says nothing."""
    head = str(text or "").strip().split(".", 1)[0]
    return max(1, min(366, int(head))) if head.isascii() and head.isdigit() else 1


def look_back(book: RuleBook, charges: Iterable[Charge]) -> tuple[datetime, datetime]:
    """Return the half-open period whose charges count beside the given ones."""
    times = [c.at for c in charges]
    return min(times) - timedelta(days=book.look_back_days), max(times) + timedelta(days=book.look_back_days)


async def visit_of(
    tx: Connection, *, psn_no: str, mdtrt_id: str, fixmedins_code: str, med_type: str, on: date, book: RuleBook
) -> Visit:
    """Return a visit as the rules see it."""
    kinds = set(book.visit_kinds(med_type))
    if await tx.fetchval(WORK_INJURY, psn_no, on):
        kinds.add("work_injury")
    row = await tx.fetchrow(LEVEL, fixmedins_code)
    level = ""
    if row is not None and row["kind"] == _PHARMACY:
        kinds.add("pharmacy")
    elif row is not None:
        level = row["level"]
    return Visit(mdtrt_id, fixmedins_code, frozenset(kinds), level)


def patient_of(person: asyncpg.Record) -> Patient:
    """Return a person as the rules see them."""
    return Patient(person["sex"], person["birth_on"])
