"""Reads of sessions."""

from __future__ import annotations

from yibao.domains.access.model import StaffSession
from yibao.infra.database import Connection
from yibao.infra.digest import sm3

SESSION = """
select s.login, f.fixmedins_code, f.admdvs, f.name, s.created_at, s.seen_at
from access.session s join access.staff f on f.login = s.login
where s.token_digest = $1 and s.ended_at is null and not f.disabled
"""


async def find_session(tx: Connection, token: str) -> StaffSession | None:
    """Return the open session of a token; whether it is still alive is for the rules to say."""
    row = await tx.fetchrow(SESSION, sm3(token.encode()))
    return None if row is None else StaffSession(**dict(row))
