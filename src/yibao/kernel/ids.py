"""Identifiers are opaque digits made by the application, ordered by time, never by a sequence."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Protocol

from yibao.kernel.business_time import SHANGHAI, digits

_NUMBERS = 10_000_000


class Ids(Protocol):
    """Makes identifiers; the entrypoint hands one in, so that tests and replays can repeat them."""

    def new(self, at: datetime) -> str:
        """Return a new identifier of 24 digits whose order follows ``at`` (business time)."""
        ...


class RandomIds:
    """Identifiers of 17 digits of time and 7 digits that begin at random and count up within an instant.

    A batch makes thousands of ids for one instant; drawn each by itself, two of four thousand would be equal as often as not.
    """

    def __init__(self) -> None:
        self._instant, self._last = "", 0

    def new(self, at: datetime) -> str:
        """Return a new identifier, unlike every other this object made."""
        # The gateway's instants are business time already; a command's may be of any zone.
        instant = digits(at if at.tzinfo is SHANGHAI else at.astimezone(SHANGHAI))
        if instant == self._instant:
            self._last = (self._last + 1) % _NUMBERS
        else:
            self._instant, self._last = instant, int.from_bytes(os.urandom(8)) % _NUMBERS
        return f"{instant}{self._last:07d}"


class CountingIds:
    """Identifiers that count up: the same run makes the same ids."""

    def __init__(self, start: int = 0) -> None:
        self._next = start

    def new(self, at: datetime) -> str:
        """Return the next identifier."""
        self._next += 1
        return f"{digits(at)}{self._next % 10_000_000:07d}"
