"""Who acts: the person or program behind a deed, through which channel, for which regions, in which roles."""

from __future__ import annotations

import msgspec

AGENCY = "YIBAO"
"""The agency itself, as sender of deeds that no outside key asked for."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who does a deed; written into its audit row.

    Attributes:
        login: login of a clerk, or name of a program (``worker``, ``party:tax``).
        channel: the way in: ``api``, ``cli``, ``worker``, ``exchange``, ``portal``.
        sender: key that carried the request, or the agency itself.
        regions: pooling regions it may act for; empty means none.
        roles: ``intake``, ``review``, ``approve``, ``pay``, ``audit``, ``admin``, ``institution``.
        division: county or town code that limits what it may touch; empty means the whole region.
        fixmedins_code: the institution whose program it is; ``""`` for everybody of the agency.
    """

    login: str
    channel: str
    sender: str = AGENCY
    regions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    division: str = ""
    fixmedins_code: str = ""
