"""Signs an operator out; signing out twice keeps the first time."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.operations import close_sign_in
from yibao.domains.institutions.queries import find_sign_in
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def sign_out_operator(
    tx: Connection, *, institution: Institution, sign_no: str, now: datetime
) -> datetime | Refusal:
    """Record the end of a sign-in and return its time; refuses a number that this institution never got."""
    signed = await find_sign_in(tx, sign_no)
    if signed is None or signed.fixmedins_code != institution.fixmedins_code:
        return refuse(
            "SIGN_IN_NOT_FOUND", "签到编号不存在或不属于本机构", field="signOut.sign_no", received=sign_no,
            remedy="请填写9001返回的签到编号",
        )
    if signed.signed_out_at is not None:
        return signed.signed_out_at
    await close_sign_in(tx, sign_no, now)
    return now
