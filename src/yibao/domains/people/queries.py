"""Reads of persons."""

from __future__ import annotations

import asyncpg

from yibao.infra.database import Connection

BY_NUMBER = "select * from people.person where psn_no = $1"
BY_CERTIFICATE = "select * from people.person where cert_type = $1 and certno = $2"
BY_CARD = "select * from people.person where card_no = $1"
BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"


async def find_person(tx: Connection, psn_no: str) -> asyncpg.Record | None:
    """Return a person by person number."""
    return await tx.fetchrow(BY_NUMBER, psn_no)


async def find_by_certificate(tx: Connection, *, cert_type: str, certno: str) -> asyncpg.Record | None:
    """Return a person by kind and number of a document; a lower-case check letter is the same number."""
    return await tx.fetchrow(BY_CERTIFICATE, cert_type, certno.upper())


async def find_by_card(tx: Connection, card_no: str) -> asyncpg.Record | None:
    """Return a person by social-security card number."""
    return await tx.fetchrow(BY_CARD, card_no)


async def balance_of(tx: Connection, psn_no: str) -> int:
    """Return the balance of the own account in fen, 0 where there is none."""
    return await tx.fetchval(BALANCE, psn_no) or 0
