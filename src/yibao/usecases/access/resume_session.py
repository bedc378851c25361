"""A member of staff asks for the next page."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.access import operations, queries, rules
from yibao.domains.access.model import StaffSession
from yibao.infra.database import Database


async def resume_session(
    database: Database, *, token: str, regions: tuple[str, ...], now: datetime
) -> StaffSession | None:
    """Return the session of a token if it is alive, and keep it so; None sends the visitor to the log-in."""
    async with database.transaction(regions=regions) as tx:
        session = await queries.find_session(tx, token)
        if session is None or not rules.is_alive(session, now):
            return None
        if not rules.needs_touch(session, now):
            return session
        await operations.touch_session(tx, token=token, now=now)
    return msgspec.structs.replace(session, seen_at=now)
