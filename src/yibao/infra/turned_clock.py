"""A clock that somebody turns from outside, for rehearsals: a small file says what time it is for every process.

From where it was turned to, time goes on as the host's does; so instants follow one another in all processes, and in one
that was killed and started again.
"""

from __future__ import annotations

import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FORM = struct.Struct("<qqq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TurnedClock:
    """Reads, and turns, the clock of a file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR)

    @classmethod
    def make(cls, path: Path, at: datetime) -> TurnedClock:
        """Make the file of a clock that shows ``at`` now."""
        path.write_bytes(_content(at))
        return cls(path)

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        while True:
            shown_us, turned_us, check = _FORM.unpack(os.pread(self._file, _FORM.size, 0))
            if shown_us ^ turned_us == check:  # else somebody was just writing
                return _EPOCH + timedelta(microseconds=shown_us + time.time_ns() // 1000 - turned_us)

    def turn(self, at: datetime) -> None:
        """Turn it forward to an instant; an instant that has passed leaves it as it is."""
        if at > self.now():
            os.pwrite(self._file, _content(at), 0)


def _content(at: datetime) -> bytes:
    shown_us, turned_us = (at - _EPOCH) // timedelta(microseconds=1), time.time_ns() // 1000
    return _FORM.pack(shown_us, turned_us, shown_us ^ turned_us)
