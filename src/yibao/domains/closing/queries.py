"""Reads of closed months."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from yibao.domains.closing.model import Balance, Event, Flow, Month, Voucher, VoucherLine
from yibao.infra.database import Connection

MONTH = """
select admdvs, month, state, revision, postings, digest, closed_by, closed_at, asked_by, asked_at, reason, opened_by,
    opened_at from closing.month where admdvs = $1 and month = $2
"""
MONTH_LOCKED = """
select admdvs, month, state, revision, postings, digest, closed_by, closed_at, asked_by, asked_at, reason, opened_by,
    opened_at from closing.month where admdvs = $1 and month = $2 for update
"""
LAST = """
select admdvs, month, state, revision, postings, digest, closed_by, closed_at, asked_by, asked_at, reason, opened_by,
    opened_at from closing.month where admdvs = $1 order by month desc limit 1
"""
LAST_CLOSED = """
select admdvs, month, state, revision, postings, digest, closed_by, closed_at, asked_by, asked_at, reason, opened_by,
    opened_at from closing.month where admdvs = $1 and state <> 'open' order by month desc limit 1
"""
MONTHS = """
select admdvs, month, state, revision, postings, digest, closed_by, closed_at, asked_by, asked_at, reason, opened_by,
    opened_at from closing.month where $1 = '' or admdvs = $1 order by admdvs, month
"""
EVENTS = """
select admdvs, month, event_id, verb, revision, by, at, reason, checklist, digest from closing.event
where admdvs = $1 and month = $2 order by at, event_id
"""
FLOWS = """
select fund, kind, line, amount_fen, postings from closing.flow where admdvs = $1 and month = $2 and revision = $3
order by fund, kind, line
"""
BALANCES = """
select fund, opening_fen, income_fen, spending_fen, carried_fen from closing.balance
where admdvs = $1 and month = $2 and revision = $3 order by fund
"""
VOUCHERS = """
select book, number, kind, summary, postings from closing.voucher where admdvs = $1 and month = $2 and revision = $3
order by book, number
"""
VOUCHER_LINES = """
select book, number, subject, detail, debit_fen, credit_fen from closing.voucher_line
where admdvs = $1 and month = $2 and revision = $3 order by book, number, ordinal
"""
TAKE_REGION = "select pg_advisory_xact_lock(hashtextextended('closing ' || $1, 0))"


async def find_month(tx: Connection, admdvs: str, month: date, *, lock: bool = False) -> Month | None:
    """Return a month that was closed at least once."""
    row = await tx.fetchrow(MONTH_LOCKED if lock else MONTH, admdvs, month)
    return None if row is None else Month(*row)


async def last_month(tx: Connection, admdvs: str) -> Month | None:
    """Return the newest month that was ever closed, in whatever state it is."""
    row = await tx.fetchrow(LAST, admdvs)
    return None if row is None else Month(*row)


async def last_closed(tx: Connection, admdvs: str) -> Month | None:
    """Return the newest month that is closed now."""
    row = await tx.fetchrow(LAST_CLOSED, admdvs)
    return None if row is None else Month(*row)


async def list_months(tx: Connection, admdvs: str) -> list[Month]:
    """List the months that were closed, of one region or (``""``) of all."""
    return [Month(*row) for row in await tx.fetch(MONTHS, admdvs)]


async def list_events(tx: Connection, admdvs: str, month: date) -> list[Event]:
    """List what was done with a month, the oldest first."""
    return [Event(*row) for row in await tx.fetch(EVENTS, admdvs, month)]


async def list_flows(tx: Connection, month: Month) -> list[Flow]:
    """List the flows of a closed month, of its newest revision."""
    return [Flow(*row) for row in await tx.fetch(FLOWS, month.admdvs, month.month, month.revision)]


async def list_balances(tx: Connection, month: Month) -> list[Balance]:
    """List the funds' balances of a closed month, of its newest revision."""
    return [Balance(*row) for row in await tx.fetch(BALANCES, month.admdvs, month.month, month.revision)]


async def list_vouchers(tx: Connection, month: Month) -> list[Voucher]:
    """List the vouchers of a closed month by book and number, of its newest revision."""
    key = (month.admdvs, month.month, month.revision)
    lines: dict[tuple[str, int], list[VoucherLine]] = {}
    for row in await tx.fetch(VOUCHER_LINES, *key):
        lines.setdefault((row["book"], row["number"]), []).append(VoucherLine(*tuple(row)[2:]))
    found = await tx.fetch(VOUCHERS, *key)
    return [
        Voucher(row["book"], row["number"], row["kind"], row["summary"], row["postings"],
                tuple(lines[row["book"], row["number"]]))
        for row in found
    ]


async def take_region(tx: Connection, admdvs: str) -> None:
    """Hold a region's closing for this transaction: one deed at a time."""
    await tx.execute(TAKE_REGION, admdvs)


def astuples(rows: Iterable[msgspec.Struct]) -> list[tuple[object, ...]]:
    """Return records as rows."""
    return [msgspec.structs.astuple(row) for row in rows]
