"""Writes of closed months. Flows, balances and vouchers are only added, each under the month's revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.closing.model import Balance, Event, Flow, Month, Voucher
from yibao.domains.closing.queries import astuples
from yibao.infra.database import Connection

PUT = """
insert into closing.month (admdvs, month, state, revision, postings, digest, closed_by, closed_at)
values ($1, $2, 'closed', $3, $4, $5, $6, $7)
on conflict (admdvs, month) do update set state = 'closed', revision = excluded.revision, postings = excluded.postings,
    digest = excluded.digest, closed_by = excluded.closed_by, closed_at = excluded.closed_at, asked_by = null,
    asked_at = null, reason = '', opened_by = null, opened_at = null
"""
ASK = """
update closing.month set state = 'reopening', asked_by = $3, asked_at = $4, reason = $5 where admdvs = $1 and month = $2
"""
DECLINE = """
update closing.month set state = 'closed', asked_by = null, asked_at = null, reason = '' where admdvs = $1 and month = $2
"""
OPEN = """
update closing.month set state = 'open', opened_by = $3, opened_at = $4 where admdvs = $1 and month = $2
"""
EVENT = """
insert into closing.event (admdvs, month, event_id, verb, revision, by, at, reason, checklist, digest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
FLOW = """
insert into closing.flow (admdvs, month, revision, fund, kind, line, amount_fen, postings)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
BALANCE = """
insert into closing.balance (admdvs, month, revision, fund, opening_fen, income_fen, spending_fen, carried_fen)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
VOUCHER = """
insert into closing.voucher (admdvs, month, revision, book, number, kind, summary, postings, debit_fen, credit_fen)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
VOUCHER_LINE = """
insert into closing.voucher_line (admdvs, month, revision, book, number, ordinal, subject, detail, debit_fen, credit_fen)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def put_month(tx: Connection, month: Month) -> None:
    """Write a month as closed."""
    await tx.execute(PUT, month.admdvs, month.month, month.revision, month.postings, month.digest, month.closed_by,
                     month.closed_at)


async def add_content(
    tx: Connection, month: Month, *, flows: Sequence[Flow], balances: Sequence[Balance], vouchers: Sequence[Voucher]
) -> None:
    """Write what a month's close says, under its revision."""
    key = (month.admdvs, month.month, month.revision)
    await tx.executemany(FLOW, [(*key, *row) for row in astuples(flows)])
    await tx.executemany(BALANCE, [(*key, *row) for row in astuples(balances)])
    await tx.executemany(VOUCHER, [
        (*key, v.book, v.number, v.kind, v.summary, v.postings, v.debit_fen, v.credit_fen) for v in vouchers
    ])
    await tx.executemany(VOUCHER_LINE, [
        (*key, v.book, v.number, ordinal, *msgspec.structs.astuple(line))
        for v in vouchers for ordinal, line in enumerate(v.lines, 1)
    ])


async def ask_open(tx: Connection, admdvs: str, month: date, *, by: str, now: datetime, reason: str) -> None:
    """Write that somebody asks for a month to be opened again."""
    await tx.execute(ASK, admdvs, month, by, now, reason)


async def decline_open(tx: Connection, admdvs: str, month: date) -> None:
    """Write that a month stays closed."""
    await tx.execute(DECLINE, admdvs, month)


async def open_again(tx: Connection, admdvs: str, month: date, *, by: str, now: datetime) -> None:
    """Write that a month takes postings again."""
    await tx.execute(OPEN, admdvs, month, by, now)


async def add_event(tx: Connection, event: Event) -> None:
    """Write what was done with a month."""
    await tx.execute(EVENT, *msgspec.structs.astuple(event))
