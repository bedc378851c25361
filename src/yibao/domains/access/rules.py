"""How often a password may be tried, and when a session ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from yibao.domains.access.model import StaffSession

ATTEMPTS = 5
"""Failures in a row that lock an account."""
LOCK = timedelta(minutes=15)
IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
SEEN_EVERY = timedelta(minutes=1)
"""A session is touched at most this often, so that reading pages hardly writes."""


def ends_at(session: StaffSession) -> datetime:
    """Return the instant at which the session ends if nothing more is asked of it."""
    return min(session.seen_at + IDLE, session.created_at + ABSOLUTE)


def is_alive(session: StaffSession, now: datetime) -> bool:
    """Say whether the session may still be used: neither idle too long nor open too long."""
    return now < ends_at(session)


def needs_touch(session: StaffSession, now: datetime) -> bool:
    """Say whether the time of last use is old enough to be written again."""
    return now - session.seen_at >= SEEN_EVERY
