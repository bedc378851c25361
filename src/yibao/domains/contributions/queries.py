"""Reads of dues, bills, payments and cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.contributions.model import Bill, Due, PaymentRow, Refund, WorkCase
from yibao.infra.database import Connection

_DUE = ", ".join(f.name for f in msgspec.structs.fields(Due))
_BILL = ", ".join(f.name for f in msgspec.structs.fields(Bill))
_PAYMENT = ", ".join(f.name for f in msgspec.structs.fields(PaymentRow))
_REFUND = ", ".join(f.name for f in msgspec.structs.fields(Refund))
_CASE = ", ".join(f.name for f in msgspec.structs.fields(WorkCase))
DUES_OF_BILL = f"select {_DUE} from contributions.due where bill_id = $1 order by psn_no, due_id"  # noqa: S608
DUES_OF_PERSON = (
    f"select {_DUE} from contributions.due where psn_no = $1 and ($2 = '' or insutype = $2) "  # noqa: S608
    "and month >= $3 and ($4::date is null or month < $4) order by month, due_id"
)
DUES_BY_KEY = (
    f"select {_DUE} from contributions.due where (psn_no, due_id) in "  # noqa: S608
    "(select * from unnest($1::text[], $2::text[])) order by psn_no, due_id for update"
)
BILL = f"select {_BILL} from contributions.bill where bill_id = $1"  # noqa: S608
PAYMENT = f"select {_PAYMENT} from contributions.payment where payment_id = $1"  # noqa: S608
REFUND = f"select {_REFUND} from contributions.refund where refund_id = $1"  # noqa: S608
BILLS = (
    f"select {_BILL} from contributions.bill where ($1 = '' or admdvs = $1) and ($2 = '' or payer_no = $2) "  # noqa: S608
    "and ($3 = '' or state = $3) and ($4::date is null or month = $4) and bill_id > $5 order by bill_id limit $6"
)
PAYMENTS_ON_BILL = (
    f"select {', '.join('p.' + n for n in _PAYMENT.split(', '))} from contributions.payment p "  # noqa: S608
    "where p.bill_id = $1 and p.state <> 'returned' order by p.recorded_at, p.payment_id for update"
)
CASES = (
    f"select {_CASE} from contributions.work_case where ($1 = '' or admdvs = $1) and ($2 = '' or kind = $2) "  # noqa: S608
    "and ($3 = '' or state = $3) order by opened_at, case_id limit $4"
)
OPEN_OF_PAYMENT = "select case_id, kind from contributions.work_case where payment_id = $1 and state = 'open'"
OPEN_OF_BILL = "select case_id, kind from contributions.work_case where bill_id = $1 and state = 'open'"
NEWEST_BILLS = """
select distinct on (payer_no) payer_no, ordinal, state from contributions.bill
where admdvs = $1 and month = $2 and kind = $3 and payer_no = any($4::text[]) order by payer_no, ordinal desc
"""
TAKE_OPEN_BILLS = """
select bill_id from contributions.bill
where admdvs = $1 and month = $2 and kind = $3 and payer_no = any($4::text[]) and state = 'open'
order by bill_id for no key update
"""
NAMES_TAKEN = """
select psn_no, due_id, state in ('cancelled', 'refunded') as is_dead from contributions.due
where psn_no between $1 and $2 and due_id = any($3::text[])
"""
ALLOCATED = "select coalesce(sum(amount_fen), 0)::bigint from contributions.allocation where bill_id = $1"
PERSONS_OF_BILL = "select distinct psn_no from contributions.due where bill_id = $1 order by psn_no"
CREDIT = """
select coalesce(sum(amount_fen - allocated_fen - refunded_fen), 0)::bigint from contributions.payment
where payer_no = $1 and state <> 'returned'
"""


async def list_dues_of_bill(tx: Connection, bill_id: str) -> list[Due]:
    """List the dues that a bill is about."""
    return [Due(*row) for row in await tx.fetch(DUES_OF_BILL, bill_id)]


async def list_dues(
    tx: Connection, psn_no: str, *, insutype: str = "", first: date = date.min, before: date | None = None
) -> list[Due]:
    """List a person's dues of some months, the oldest first; ``before`` is not included."""
    return [Due(*row) for row in await tx.fetch(DUES_OF_PERSON, psn_no, insutype, first, before)]


async def take_dues_by_key(tx: Connection, keys: Iterable[tuple[str, str]]) -> list[Due]:
    """Return and lock dues by person and id; unknown ones are left out."""
    listed = list(keys)
    return [Due(*row) for row in await tx.fetch(DUES_BY_KEY, [k[0] for k in listed], [k[1] for k in listed])]


async def find_bill(tx: Connection, bill_id: str, *, lock: bool = False) -> Bill | None:
    """Return a bill, locked when asked for."""
    row = await tx.fetchrow(BILL + (" for update" if lock else ""), bill_id)
    return None if row is None else Bill(*row)


async def list_bills(
    tx: Connection, *, admdvs: str = "", payer_no: str = "", state: str = "", month: date | None = None, after: str = "",
    most: int = 200,
) -> list[Bill]:
    """List bills by their ids; an empty criterion means any."""
    return [Bill(*row) for row in await tx.fetch(BILLS, admdvs, payer_no, state, month, after, most)]


async def find_payment(tx: Connection, payment_id: str, *, lock: bool = False) -> PaymentRow | None:
    """Return a payment, locked when asked for."""
    row = await tx.fetchrow(PAYMENT + (" for update" if lock else ""), payment_id)
    return None if row is None else PaymentRow(*row)


async def take_payments_named(tx: Connection, bill_id: str) -> list[PaymentRow]:
    """Return and lock the payments that name a bill, in the order they came in; returned ones are left out."""
    return [PaymentRow(*row) for row in await tx.fetch(PAYMENTS_ON_BILL, bill_id)]


async def find_refund(tx: Connection, refund_id: str) -> Refund | None:
    """Return and lock a refund."""
    row = await tx.fetchrow(REFUND + " for update", refund_id)
    return None if row is None else Refund(*row)


async def list_cases(
    tx: Connection, *, admdvs: str = "", kind: str = "", state: str = "open", most: int = 500
) -> list[WorkCase]:
    """List cases, the oldest first; an empty criterion means any."""
    return [WorkCase(*row) for row in await tx.fetch(CASES, admdvs, kind, state, most)]


async def list_open_of(tx: Connection, *, payment_id: str = "", bill_id: str = "") -> list[asyncpg.Record]:
    """List id and kind of the open cases of a payment or of a bill."""
    return await (tx.fetch(OPEN_OF_PAYMENT, payment_id) if payment_id else tx.fetch(OPEN_OF_BILL, bill_id))


async def newest_bills(
    tx: Connection, *, admdvs: str, month: date, kind: str, payer_nos: Sequence[str]
) -> dict[str, tuple[int, str]]:
    """Return ordinal and state of each payer's newest bill of a month."""
    rows = await tx.fetch(NEWEST_BILLS, admdvs, month, kind, list(payer_nos))
    return {row["payer_no"]: (row["ordinal"], row["state"]) for row in rows}


async def take_open_bills(tx: Connection, *, admdvs: str, month: date, kind: str, payer_nos: Sequence[str]) -> None:
    """Lock the open bills of some payers until the transaction ends, so that nobody sends them while something is added."""
    await tx.fetch(TAKE_OPEN_BILLS, admdvs, month, kind, list(payer_nos))


async def names_taken(tx: Connection, psn_nos: Sequence[str], names: Sequence[str]) -> dict[tuple[str, str], bool]:
    """Return which of some due ids these persons have; the value says whether it is cancelled or refunded.

    A chunk's numbers lie close together: their range is read once, and holds others' at most.
    """
    rows = await tx.fetch(NAMES_TAKEN, min(psn_nos), max(psn_nos), list(names))
    return {(row["psn_no"], row["due_id"]): row["is_dead"] for row in rows}


async def allocated_to(tx: Connection, bill_id: str) -> int:
    """Return what pays a bill already, fen."""
    fen: int = await tx.fetchval(ALLOCATED, bill_id)
    return fen


async def persons_of(tx: Connection, bill_id: str) -> list[str]:
    """Return the persons whose dues stand on a bill."""
    return [row["psn_no"] for row in await tx.fetch(PERSONS_OF_BILL, bill_id)]


async def credit_of(tx: Connection, payer_no: str) -> int:
    """Return a payer's money that pays no bill and is not given back, fen."""
    fen: int = await tx.fetchval(CREDIT, payer_no)
    return fen
