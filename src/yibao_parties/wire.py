"""Messages as they travel: canonical JSON with an SM3 digest, numbered by whoever sends them."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, time, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes

from yibao.kernel.business_time import SHANGHAI

Body = dict[str, Any]
SATURDAY = 5


def canonical(body: Body) -> str:
    """Return a body as JSON with sorted keys and without spaces."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sm3_hex(text: str) -> str:
    """Return the SM3 digest of a text in hexadecimal."""
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3", text.encode()).hexdigest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(text.encode())
    return digest.finalize().hex()


def next_working_day(day: date) -> date:
    """Return the next day from Monday to Friday; public holidays are working days here."""
    day += timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant of a day of business time."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)
