"""A member of staff logs out."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.access import operations
from yibao.domains.access.model import StaffSession
from yibao.infra import audit
from yibao.infra.database import Database
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids


async def sign_out_staff(
    database: Database, *, session: StaffSession, token: str, now: datetime, ids: Ids
) -> None:
    """End the session for good: its token opens nothing any more."""
    async with database.transaction(regions=(session.admdvs,)) as tx:
        await operations.end_session(tx, token=token, now=now)
        await audit.write(
            tx, entry_id=ids.new(now), at=now, actor=session.login, sender=session.fixmedins_code,
            channel="portal", verb="sign_out_staff", object_id=session.login, admdvs=session.admdvs,
            digest=sm3(token.encode()),
        )
