"""A clock that the test turns."""

from __future__ import annotations

from datetime import datetime, timedelta


class TurnedClock:
    """A clock that stands where it is put, and moves a millisecond with each look."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def turn(self, at: datetime) -> None:
        """Turn it forward."""
        assert at >= self._at, f"time goes back from {self._at} to {at}"
        self._at = at

    def now(self) -> datetime:
        """Return the instant; no two are equal."""
        self._at += timedelta(milliseconds=1)
        return self._at


class PointedClock:
    """A clock that shows exactly the instant it was put at, forward or back: for boundary minutes."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def turn(self, at: datetime) -> None:
        """Put it at an instant."""
        self.at = at

    def now(self) -> datetime:
        """Return the instant."""
        return self.at
