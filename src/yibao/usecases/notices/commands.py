"""What a use case of notices is asked for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class SendNotices(msgspec.Struct, frozen=True, kw_only=True):
    """Tell everybody whom a published plan concerns now; at most so many new messages in one transaction."""

    admdvs: str
    plan: str
    most: Annotated[int, Meta(ge=1, le=5000)] = 1000


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Ask to be told when a track opens or its restart moves.

    Attributes:
        psn_no, emp_no, fixmedins_code: exactly one of them.
        track: code of the plan's track, ``""`` where ``business`` names one of its businesses.
    """

    admdvs: str
    plan: str
    track: str = ""
    business: str = ""
    psn_no: str = ""
    emp_no: str = ""
    fixmedins_code: str = ""
    phone: Annotated[str, Meta(pattern=r"^[0-9-]{0,20}$")] = ""


class PublishBulletin(msgspec.Struct, frozen=True, kw_only=True):
    """Publish what is repaired and what is open of a plan, as of today."""

    admdvs: str
    plan: str
