"""Staff of institutions and their sessions as facts."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Staff(msgspec.Struct, frozen=True):
    """A person who works at an institution and may log in.

    Attributes:
        admdvs: region whose data the account may see.
        password_hash: Argon2id, with its parameters.
    """

    login: str
    fixmedins_code: str
    admdvs: str
    name: str
    password_hash: str

    def __repr__(self) -> str:
        """Return a text without the hash."""
        return f"Staff({self.login}, {self.fixmedins_code})"


class StaffSession(msgspec.Struct, frozen=True):
    """A running session of a member of staff."""

    login: str
    fixmedins_code: str
    admdvs: str
    name: str
    created_at: datetime
    seen_at: datetime
