"""Writes of log-in attempts and sessions. Of a session's token only the digest is stored."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.access.model import Staff
from yibao.domains.access.rules import ATTEMPTS, LOCK
from yibao.infra.database import Connection
from yibao.infra.digest import sm3

# Counted before the password is looked at: parallel guesses get no more tries than one after the other.
RESERVE_ATTEMPT = """
update access.staff
set failed = case when locked_until is null then failed + 1 else 1 end,
    locked_until = case when locked_until is null and failed + 1 >= $3 then $2::timestamptz + $4::interval end
where login = $1 and not disabled and (locked_until is null or locked_until <= $2)
returning login, fixmedins_code, admdvs, name, password_hash
"""
FORGET_FAILURES = "update access.staff set failed = 0, locked_until = null where login = $1"
OPEN = """
insert into access.session (token_digest, login, admdvs, created_at, seen_at) values ($1, $2, $3, $4, $4)
"""
TOUCH = "update access.session set seen_at = $2 where token_digest = $1 and seen_at < $2"
END = "update access.session set ended_at = $2 where token_digest = $1 and ended_at is null"


async def reserve_attempt(tx: Connection, *, login: str, now: datetime) -> Staff | None:
    """Count an attempt against the account and return it; None if it is unknown, disabled or locked.

    The last allowed attempt locks the account; a right password unlocks it again.
    """
    row = await tx.fetchrow(RESERVE_ATTEMPT, login, now, ATTEMPTS, LOCK)
    return None if row is None else Staff(**dict(row))


async def forget_failures(tx: Connection, login: str) -> None:
    """Set the count of failures back after a right password."""
    await tx.execute(FORGET_FAILURES, login)


async def open_session(tx: Connection, *, token: str, staff: Staff, now: datetime) -> None:
    """Open a session under the digest of its token."""
    await tx.execute(OPEN, sm3(token.encode()), staff.login, staff.admdvs, now)


async def touch_session(tx: Connection, *, token: str, now: datetime) -> None:
    """Note that the session was used."""
    await tx.execute(TOUCH, sm3(token.encode()), now)


async def end_session(tx: Connection, *, token: str, now: datetime) -> None:
    """End the session; ending it twice changes nothing."""
    await tx.execute(END, sm3(token.encode()), now)
