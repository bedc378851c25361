"""Writes of institutions: sign-ins."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.institutions.model import SignIn
from yibao.infra.database import Connection

INSERT_SIGN_IN = """
insert into institutions.sign_in (sign_no, fixmedins_code, admdvs, opter, mac, ip, signed_in_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
CLOSE_SIGN_IN = "update institutions.sign_in set signed_out_at = $2 where sign_no = $1 and signed_out_at is null"


async def insert_sign_in(tx: Connection, signed: SignIn, *, admdvs: str, mac: str, ip: str) -> None:
    """Write one sign-in."""
    await tx.execute(
        INSERT_SIGN_IN, signed.sign_no, signed.fixmedins_code, admdvs, signed.opter, mac, ip, signed.signed_in_at
    )


async def close_sign_in(tx: Connection, sign_no: str, at: datetime) -> None:
    """Write the end of a sign-in that is open."""
    await tx.execute(CLOSE_SIGN_IN, sign_no, at)
