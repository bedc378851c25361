"""Plans and openings as they are kept."""

from __future__ import annotations

from datetime import datetime

import msgspec

PROPOSED, PUBLISHED, WITHDRAWN = "proposed", "published", "withdrawn"
OPEN_STAGE, STOP_STAGE = "open", "stop"


class StoredPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a plan with who proposed, published or withdrew it.

    Attributes:
        state: ``proposed``, ``published`` or ``withdrawn``; of a name the newest published version counts.
        amends: number of the version it replaces, 0 for the first. reason: why it was proposed.
        announced_in: where people were or will be told.
        why: why it was withdrawn.
    """

    admdvs: str
    name: str
    version: int
    text: str
    digest: bytes
    state: str
    amends: int
    reason: str
    announced_in: str
    proposed_by: str
    proposed_at: datetime
    published_by: str = ""
    published_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None
    why: str = ""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with a stage of the reopening.

    Attributes:
        act: ``open`` or ``stop``; the last one of a stage counts.
        by: a clerk, or ``worker`` where the stop rule acted.
        error_rate: ten-thousandths, where the stop rule acted.
    """

    admdvs: str
    name: str
    ordinal: int
    seq: int
    act: str
    at: datetime
    by: str
    reason: str
    error_rate: int | None = None
