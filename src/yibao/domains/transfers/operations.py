"""Writes of transfers, their papers and the money that follows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.transfers.model import Money, Transfer
from yibao.infra.database import Connection
from yibao.infra.digest import sm3

_NAMES = [f.name for f in msgspec.structs.fields(Transfer)]
_INSERT = "insert into transfers.transfer"
INSERT = f"{_INSERT} ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
_UPDATE = "update transfers.transfer"
_SET = ", ".join(f"{name} = ${n}" for n, name in enumerate(_NAMES[2:], 3))
REPLACE = f"{_UPDATE} set {_SET} where psn_no = $1 and transfer_id = $2"
PAPER = """
insert into transfers.paper (psn_no, transfer_id, kind, admdvs, content, digest, kept_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (psn_no, transfer_id, kind) do nothing
"""
_MONEY = [f.name for f in msgspec.structs.fields(Money)]
_INSERT_MONEY = "insert into transfers.money"
INSERT_MONEY = f"{_INSERT_MONEY} ({', '.join(_MONEY)}) values ({', '.join(f'${n}' for n in range(1, len(_MONEY) + 1))})"
BOOK_MONEY = """
update transfers.money set state = 'booked', reason = '', psn_no = $3, transfer_id = $4, reference = $5
where admdvs = $1 and payment_ref = $2
"""
NO_LONGER = "update transfers.retirement_place set is_live = false where psn_no = $1 and insutype = $2 and is_live"
CONFIRM = """
insert into transfers.retirement_place (psn_no, confirmation_id, admdvs, bearing_admdvs, insutype, confirmed_on, months_here,
    months_total, basis, asked_by, confirmed_by, confirmed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def add_transfer(tx: Connection, transfer: Transfer) -> None:
    """Write a new transfer."""
    await tx.execute(INSERT, *msgspec.structs.astuple(transfer))


async def change_transfer(tx: Connection, transfer: Transfer, **changes: Any) -> Transfer:
    """Write a transfer with some fields changed, and return it so."""
    changed = msgspec.structs.replace(transfer, **changes)
    await tx.execute(REPLACE, *msgspec.structs.astuple(changed))
    return changed


async def keep_paper(tx: Connection, transfer: Transfer, *, kind: str, content: object, now: datetime) -> None:
    """Keep a paper as it came or left, with its digest; a second one of a kind is not kept."""
    text = msgspec.json.encode(content)
    await tx.execute(PAPER, transfer.psn_no, transfer.transfer_id, kind, transfer.admdvs, text.decode(), sm3(text), now)


async def add_money(tx: Connection, money: Money) -> None:
    """Write a payment of another region."""
    await tx.execute(INSERT_MONEY, *msgspec.structs.astuple(money))


async def mark_booked(tx: Connection, money: Money, transfer: Transfer) -> None:
    """Mark a payment as booked for a transfer."""
    await tx.execute(BOOK_MONEY, money.admdvs, money.payment_ref, transfer.psn_no, transfer.transfer_id, transfer.reference)


async def confirm_place(
    tx: Connection, *, psn_no: str, confirmation_id: str, admdvs: str, bearing_admdvs: str, insutype: str, on: date,
    months_here: int, months_total: int, basis: str, asked_by: str, confirmed_by: str, now: datetime,
) -> None:
    """Write which region bears the benefit of somebody who retires; an earlier confirmation no longer counts."""
    await tx.execute(NO_LONGER, psn_no, insutype)
    await tx.execute(CONFIRM, psn_no, confirmation_id, admdvs, bearing_admdvs, insutype, on, months_here, months_total, basis,
                     asked_by, confirmed_by, now)
