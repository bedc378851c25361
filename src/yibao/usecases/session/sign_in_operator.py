"""Signs an operator of an institution in; the number issued goes into later envelopes and is never demanded."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.institutions.model import Institution, SignIn
from yibao.domains.institutions.operations import insert_sign_in
from yibao.infra.database import Connection


async def sign_in_operator(
    tx: Connection, *, institution: Institution, opter: str, mac: str, ip: str, sign_no: str, now: datetime
) -> SignIn:
    """Record a sign-in and return it."""
    signed = SignIn(sign_no, institution.fixmedins_code, opter, now, None)
    await insert_sign_in(tx, signed, admdvs=institution.region, mac=mac, ip=ip)
    return signed
