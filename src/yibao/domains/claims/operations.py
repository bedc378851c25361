"""Writes of claims. Who calls them holds the person, and moves the person's version where bills come or go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.claims.model import Bill, Claim, Line
from yibao.infra.database import Connection


def _insert(table: str, row: type[msgspec.Struct]) -> str:
    names = [f.name for f in msgspec.structs.fields(row)]
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(f'${n}' for n in range(1, len(names) + 1))})"  # noqa: S608


def _replace(table: str, row: type[msgspec.Struct], keys: int) -> str:
    names = [f.name for f in msgspec.structs.fields(row)]
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names[keys:], keys + 1))
    where = " and ".join(f"{name} = ${n}" for n, name in enumerate(names[:keys], 1))
    return f"update {table} set {sets} where {where}"  # noqa: S608


ADD_CLAIM, CHANGE_CLAIM = _insert("claims.claim", Claim), _replace("claims.claim", Claim, 2)
ADD_BILL, CHANGE_BILL = _insert("claims.bill", Bill), _replace("claims.bill", Bill, 3)
ADD_LINE = _insert("claims.line", Line)
DROP_LINES = "delete from claims.line where psn_no = $1 and claim_id = $2 and ordinal = $3"
SET_LIVE = "update claims.bill set is_live = $3 where psn_no = $1 and claim_id = $2"
# Numbers of receipts are looked for across people: one after the other.
TAKE_NUMBER = "select pg_advisory_xact_lock(hashtextextended('claims-bill/' || $1, 0))"
OPEN_RECOVERY = """
insert into claims.recovery (psn_no, claim_id, admdvs, owed_fen, opened_at) values ($1, $2, $3, $4, $5)
on conflict (psn_no, claim_id) do update set owed_fen = claims.recovery.owed_fen + excluded.owed_fen, closed_at = null
"""
REPAY = """
insert into claims.repayment (psn_no, claim_id, bank_ref, admdvs, amount_fen, received_at, told_by)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
RECEIVED = """
update claims.recovery set received_fen = received_fen + $3,
    closed_at = case when received_fen + $3 = owed_fen then $4::timestamptz end where psn_no = $1 and claim_id = $2
"""


async def add_claim(tx: Connection, claim: Claim, bills: Sequence[Bill], lines: Sequence[Line]) -> None:
    """Write a new claim with its receipts and their lines."""
    await tx.execute(ADD_CLAIM, *msgspec.structs.astuple(claim))
    await tx.executemany(ADD_BILL, [msgspec.structs.astuple(bill) for bill in bills])
    await tx.executemany(ADD_LINE, [msgspec.structs.astuple(line) for line in lines])


async def change_claim(tx: Connection, claim: Claim, **changes: Any) -> Claim:
    """Write a claim with some fields changed, and return it so."""
    changed = msgspec.structs.replace(claim, **changes)
    await tx.execute(CHANGE_CLAIM, *msgspec.structs.astuple(changed))
    return changed


async def change_bill(tx: Connection, bill: Bill, **changes: Any) -> Bill:
    """Write a receipt with some fields changed, and return it so."""
    changed = msgspec.structs.replace(bill, **changes)
    await tx.execute(CHANGE_BILL, *msgspec.structs.astuple(changed))
    return changed


async def put_lines(tx: Connection, bill: Bill, lines: Sequence[Line]) -> None:
    """Put lines in place of those of a receipt."""
    await tx.execute(DROP_LINES, bill.psn_no, bill.claim_id, bill.ordinal)
    await tx.executemany(ADD_LINE, [msgspec.structs.astuple(line) for line in lines])


async def set_live(tx: Connection, *, psn_no: str, claim_id: str, is_live: bool) -> None:
    """Keep the receipts of a claim from every other way of being paid, or let go of them."""
    await tx.execute(SET_LIVE, psn_no, claim_id, is_live)


async def take_numbers(tx: Connection, numbers: Sequence[str]) -> None:
    """Wait for whoever looks at the same receipts now."""
    for number in sorted(set(numbers)):
        await tx.execute(TAKE_NUMBER, number)


async def open_recovery(tx: Connection, claim: Claim, *, owed_fen: int, now: datetime) -> None:
    """Write what somebody owes back; more is added to what is owed already."""
    await tx.execute(OPEN_RECOVERY, claim.psn_no, claim.claim_id, claim.admdvs, owed_fen, now)


async def add_repayment(
    tx: Connection, claim: Claim, *, bank_ref: str, amount_fen: int, now: datetime, by: str
) -> bool:
    """Write money that came back; False where the bank's reference was told before."""
    tag = await tx.execute(REPAY, claim.psn_no, claim.claim_id, bank_ref, claim.admdvs, amount_fen, now, by)
    if tag.endswith(" 0"):
        return False
    await tx.execute(RECEIVED, claim.psn_no, claim.claim_id, amount_fen, now)
    return True
