"""Records of personal accounts."""

from __future__ import annotations

import msgspec


class Sharer(msgspec.Struct, frozen=True):
    """Whose account may pay for a member, in the order of ``rank``; ``available_fen`` is within balance and limits.

    ``version`` is the sharer's: a write holds only if it has not moved.
    """

    share_id: str
    sharer_no: str
    admdvs: str
    rank: int
    available_fen: int
    version: int
