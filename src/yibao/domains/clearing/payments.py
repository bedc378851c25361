"""Reads and writes of payees, payments and the files that go to and come from the bank."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from yibao.domains.clearing.model import Payee, Payment, PaymentFile
from yibao.infra.database import Connection

PUT_PAYEE = """
insert into clearing.payee (fixmedins_code, admdvs, bank_name, account_name, account_no, set_by, checked_by, set_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (fixmedins_code) do update set bank_name = excluded.bank_name, account_name = excluded.account_name,
    account_no = excluded.account_no, set_by = excluded.set_by, checked_by = excluded.checked_by, set_at = excluded.set_at
"""
PAYEES = """
select fixmedins_code, admdvs, bank_name, account_name, account_no, set_by, checked_by, set_at
from clearing.payee where fixmedins_code = any($1::text[])
"""
INSERT_FILE = """
insert into clearing.payment_file (file_no, admdvs, payments, sum_fen, digest, content, made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
FILE = """
select file_no, admdvs, payments, sum_fen, digest, content, made_by, made_at from clearing.payment_file where file_no = $1
"""
INSERT_PAYMENT = """
insert into clearing.payment (payment_id, admdvs, fixmedins_code, file_no, amount_fen, account_no, state, bank_ref, reason,
    made_at, ended_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
PAYMENTS_OF_FILE = """
select payment_id, admdvs, fixmedins_code, file_no, amount_fen, account_no, state, bank_ref, reason, made_at, ended_at
from clearing.payment where file_no = $1 order by payment_id for update
"""
END_PAYMENT = """
update clearing.payment set state = $2, bank_ref = $3, reason = $4, ended_at = $5 where payment_id = $1 and state = 'ordered'
"""
INSERT_RETURN = """
insert into clearing.return_file (digest, admdvs, file_no, content, paid, failed, read_by, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
RETURN_READ = "select true from clearing.return_file where digest = $1"


async def put_payee(tx: Connection, payee: Payee) -> None:
    """Write where an institution's money goes from now on."""
    await tx.execute(PUT_PAYEE, *msgspec.structs.astuple(payee))


async def find_payees(tx: Connection, fixmedins_codes: Iterable[str]) -> dict[str, Payee]:
    """Return the known payees among some institutions."""
    rows = await tx.fetch(PAYEES, list(fixmedins_codes))
    return {row["fixmedins_code"]: Payee(*row) for row in rows}


async def add_payment_file(tx: Connection, file: PaymentFile) -> None:
    """Write a payment file."""
    await tx.execute(INSERT_FILE, *msgspec.structs.astuple(file))


async def find_payment_file(tx: Connection, file_no: str) -> PaymentFile | None:
    """Return a payment file by its number."""
    row = await tx.fetchrow(FILE, file_no)
    return None if row is None else PaymentFile(*row)


async def add_payments(tx: Connection, payments: Iterable[Payment]) -> None:
    """Write payments."""
    await tx.executemany(INSERT_PAYMENT, [msgspec.structs.astuple(p) for p in payments])


async def list_payments(tx: Connection, file_no: str) -> list[Payment]:
    """List and lock the payments of a file."""
    return [Payment(*row) for row in await tx.fetch(PAYMENTS_OF_FILE, file_no)]


async def end_payment(
    tx: Connection, payment_id: str, *, state: str, bank_ref: str, reason: str, now: datetime
) -> None:
    """Write what became of a payment: ``paid`` or ``failed``."""
    await tx.execute(END_PAYMENT, payment_id, state, bank_ref, reason, now)


async def keep_return(
    tx: Connection, *, digest: bytes, file: PaymentFile, content: bytes, paid: int, failed: int, by: str, now: datetime
) -> None:
    """Keep the bank's answer as it came."""
    await tx.execute(INSERT_RETURN, digest, file.admdvs, file.file_no, content, paid, failed, by, now)


async def was_return_read(tx: Connection, digest: bytes) -> bool:
    """Say whether exactly this answer of the bank was read before."""
    return await tx.fetchval(RETURN_READ, digest) is not None
