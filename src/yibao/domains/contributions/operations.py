"""Writes of dues, bills, payments and cases. Batches stage rows in a temporary table: COPY is refused under row security."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.contributions.model import Base, Bill, Due, PaymentRow, Refund, WorkCase
from yibao.infra.database import Connection, Unavailable

DUE_COLUMNS = tuple(f.name for f in msgspec.structs.fields(Due))
_LISTED = ", ".join(DUE_COLUMNS)
STAGE = "create temp table if not exists contributions_due on commit delete rows as select * from contributions.due with no data"
# Column by column: a temporary table made by an earlier revision of the table would otherwise shift its values.
_FROM_STAGE = f"insert into contributions.due ({_LISTED}) select {_LISTED} from pg_temp.contributions_due"  # noqa: S608
_BILL_NAMES = [f.name for f in msgspec.structs.fields(Bill)]
INSERT_BILL = (
    f"insert into contributions.bill ({', '.join(_BILL_NAMES)}) values "  # noqa: S608
    f"({', '.join(f'${n}' for n in range(1, len(_BILL_NAMES) + 1))})"
)
ADD_TO_BILLS = """
insert into contributions.bill (bill_id, admdvs, payer_kind, payer_no, payer_name, kind, month, ordinal, count, amount_fen,
    state, due_on, pay_from, channels, made_at)
select x.bill_id, $1, x.payer_kind, x.payer_no,
    coalesce((select e.name from enrolment.employer e where e.emp_no = x.payer_no and x.payer_kind = 'unit'),
             (select p.name from people.person p where p.psn_no = x.payer_no and x.payer_kind = 'person'), ''),
    $2, $3, x.ordinal, x.count, x.amount, 'open', x.due_on, x.pay_from, '{}', $4
from unnest($5::text[], $6::text[], $7::text[], $8::integer[], $9::bigint[], $10::bigint[], $11::date[], $12::date[])
    x(bill_id, payer_kind, payer_no, ordinal, count, amount, due_on, pay_from)
on conflict (bill_id) do update set count = contributions.bill.count + excluded.count,
    amount_fen = contributions.bill.amount_fen + excluded.amount_fen
where contributions.bill.state = 'open'
"""
_CASE_NAMES = [f.name for f in msgspec.structs.fields(WorkCase)]
OPEN_CASE = (
    f"insert into contributions.work_case ({', '.join(_CASE_NAMES)}) values "  # noqa: S608
    f"({', '.join(f'${n}' for n in range(1, len(_CASE_NAMES) + 1))}) on conflict (case_id) do update set "
    "state = 'open', says = excluded.says, amount_fen = excluded.amount_fen, opened_at = excluded.opened_at, closed_at = null, "
    "closed_by = '', outcome = '' where work_case.state = 'closed' and work_case.kind in ('SHORT_PAYMENT', 'EARLIER_UNPAID', "
    "'BASE_MISSING', 'EMPLOYER_MISSING', 'LAW_SILENT', 'DOUBLE_MONTH', 'MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS', "
    "'TWICE_IN_STATEMENT', 'WRONG_DAY', 'STATEMENT_TOTAL', 'STATEMENT_DIGEST')"
)
CLOSE_CASES = """
update contributions.work_case set state = 'closed', closed_at = $2, closed_by = $3, outcome = $4
where case_id = any($1::text[]) and state = 'open'
"""
_PAYMENT_NAMES = [f.name for f in msgspec.structs.fields(PaymentRow)]
INSERT_PAYMENT = (
    f"insert into contributions.payment ({', '.join(_PAYMENT_NAMES)}) values "  # noqa: S608
    f"({', '.join(f'${n}' for n in range(1, len(_PAYMENT_NAMES) + 1))})"
)
ALLOCATE = """
insert into contributions.allocation as a (payment_id, bill_id, admdvs, amount_fen, made_at) values ($1, $2, $3, $4, $5)
on conflict (payment_id, bill_id) do update set amount_fen = a.amount_fen + excluded.amount_fen, made_at = excluded.made_at
"""
_RAISE_ALLOCATED = "update contributions.payment set allocated_fen = allocated_fen + $2 where payment_id = $1"
CREDITED = """
update contributions.due set state = 'credited', credited_at = $3
where psn_no = any($1::text[]) and month = $2 and insutype = '310' and kind in ('regular', 'back') and state = 'arrived'
"""
_BASE_NAMES = [f.name for f in msgspec.structs.fields(Base)]
PUT_BASE = (
    f"insert into contributions.base ({', '.join(_BASE_NAMES)}) values "  # noqa: S608
    f"({', '.join(f'${n}' for n in range(1, len(_BASE_NAMES) + 1))}) on conflict (psn_no, relation_id, valid_from) do update set "
    + ", ".join(f"{n} = excluded.{n}" for n in _BASE_NAMES[3:])
)
_REFUND_NAMES = [f.name for f in msgspec.structs.fields(Refund)]
INSERT_REFUND = (
    f"insert into contributions.refund ({', '.join(_REFUND_NAMES)}) values "  # noqa: S608
    f"({', '.join(f'${n}' for n in range(1, len(_REFUND_NAMES) + 1))})"
)


class BillShare(msgspec.Struct):
    """What some new dues add to a payer's open bill."""

    bill_id: str
    payer_kind: str
    payer_no: str
    ordinal: int
    due_on: date
    pay_from: date
    count: int = 0
    amount_fen: int = 0


async def add_dues(tx: Connection, dues: Sequence[Due | tuple[Any, ...]]) -> None:
    """Write dues, a few or very many; the keys make a second one impossible."""
    if not dues:
        return
    rows = [d if isinstance(d, tuple) else msgspec.structs.astuple(d) for d in dues]
    await tx.execute(STAGE)
    await tx.copy_records_to_table("contributions_due", schema_name="pg_temp", records=rows, columns=DUE_COLUMNS)
    await tx.execute(_FROM_STAGE)
    await tx.execute("truncate pg_temp.contributions_due")


async def add_to_bills(
    tx: Connection, shares: Iterable[BillShare], *, admdvs: str, kind: str, month: date, now: datetime
) -> None:
    """Open the bills of some payers or add to those that are open.

    Raises:
        Unavailable: one was sent in the meantime; what is written has to be done again.
    """
    listed = sorted(shares, key=lambda s: s.bill_id)
    if listed:
        done = await tx.execute(
            ADD_TO_BILLS, admdvs, kind, month, now, [s.bill_id for s in listed], [s.payer_kind for s in listed],
            [s.payer_no for s in listed], [s.ordinal for s in listed], [s.count for s in listed],
            [s.amount_fen for s in listed], [s.due_on for s in listed], [s.pay_from for s in listed],
        )
        if int(done.rsplit(" ", 1)[1]) < len(listed):
            raise Unavailable("a bill was sent while dues were added to it")


async def add_bill(tx: Connection, bill: Bill) -> None:
    """Write a new bill."""
    await tx.execute(INSERT_BILL, *msgspec.structs.astuple(bill))


async def open_cases(tx: Connection, cases: Iterable[WorkCase]) -> None:
    """Open cases; one that is open stays as it is. What is wrong anew opens again, what was told once does not."""
    rows = [msgspec.structs.astuple(c) for c in cases]
    if rows:
        await tx.executemany(OPEN_CASE, rows)


async def close_cases(tx: Connection, case_ids: Sequence[str], *, now: datetime, by: str, outcome: str) -> None:
    """Close cases that are open, saying what came of them."""
    if case_ids:
        await tx.execute(CLOSE_CASES, list(case_ids), now, by, outcome)


async def add_payment(tx: Connection, payment: PaymentRow) -> None:
    """Write a payment."""
    await tx.execute(INSERT_PAYMENT, *msgspec.structs.astuple(payment))


async def allocate(tx: Connection, *, payment_id: str, bill_id: str, admdvs: str, amount_fen: int, now: datetime) -> None:
    """Let an amount of a payment pay a bill. The row's check refuses more than the payment has."""
    await tx.execute(ALLOCATE, payment_id, bill_id, admdvs, amount_fen, now)
    await tx.execute(_RAISE_ALLOCATED, payment_id, amount_fen)


async def put_base(tx: Connection, bases: Iterable[Base]) -> None:
    """Write declared bases; the same first month again replaces what was declared for it."""
    await tx.executemany(PUT_BASE, [msgspec.structs.astuple(b) for b in bases])


async def add_refund(tx: Connection, refund: Refund) -> None:
    """Write a refund that was asked for."""
    await tx.execute(INSERT_REFUND, *msgspec.structs.astuple(refund))


async def mark_credited(tx: Connection, psn_nos: Sequence[str], *, month: date, now: datetime) -> None:
    """Mark the arrived dues of a month of some persons as credited to their accounts, in the credit's own transaction."""
    if psn_nos:
        await tx.execute(CREDITED, list(psn_nos), month, now)
