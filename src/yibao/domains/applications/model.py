"""Filings as facts: who was referred, chose a clinic, was injured, is pregnant, is recognised as chronically ill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

FILED, APPROVED, REFUSED, CANCELLED = "filed", "approved", "refused", "cancelled"
STATES = {FILED: "待审核", APPROVED: "已通过", REFUSED: "未通过", CANCELLED: "已撤销"}
"""States of a filing; one that needs no decision is approved from the start."""


class Trauma(msgspec.Struct, frozen=True):
    """What a hospital says about an injury in the extension field of a message.

    Attributes:
        is_trauma: ``TRUM_FLAG`` 1.
        third_party: ``REL_TTP_FLAG``: whether somebody else may be liable; None where it is no injury.
    """

    is_trauma: bool = False
    third_party: bool | None = None


class Choice(msgspec.Struct, frozen=True):
    """A chosen institution that counts on the day.

    Attributes:
        ordinal: ``1`` first, ``2`` second.
        level: of the chosen institution.
    """

    ordinal: str
    fixmedins_code: str
    level: str


class InjuryFact(msgspec.Struct, frozen=True):
    """A filed injury that counts on the day: ``accident``, ``third_party`` or ``work_injury``."""

    kind: str
    has_undertaking: bool
    approved: bool


class FilingFacts(msgspec.Struct, frozen=True):
    """Every filing of a person that counts at one institution on one day.

    Attributes:
        referred_from: level of the hospital that referred to this institution, ``""`` if none did.
        prenatal: institutions at which the pregnancy is registered, ``""`` for any; empty without a registration.
        pregnancy_id: filing of the pregnancy that counts, ``""`` if none.
    """

    choices: tuple[Choice, ...] = ()
    referred_from: str = ""
    injuries: tuple[InjuryFact, ...] = ()
    prenatal: tuple[str, ...] = ()
    pregnancy_id: str = ""


class Maternity(msgspec.Struct, frozen=True):
    """What a maternity visit is for: the word of the law, full months of the pregnancy, children carried."""

    kind: str = ""
    pregnancy_months: int = 0
    foetuses: int = 1


class FilingHead(msgspec.Struct, frozen=True):
    """What every filing says of itself.

    Attributes:
        filed_by: institution or agency that filed.
        valid_from, valid_to: half-open period, None if open.
    """

    psn_no: str
    filing_id: str
    admdvs: str
    filed_by: str
    valid_from: date
    valid_to: date | None
    filed_at: datetime
    opter: str
    opter_name: str
    detail: Mapping[str, Any] = {}
