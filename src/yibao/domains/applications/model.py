"""Filings as facts: who was referred, chose a clinic, was injured, is pregnant, is recognised as chronically ill."""

from __future__ import annotations

from datetime import date, datetime

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


class Referral(msgspec.Struct, frozen=True):
    """A hospital sends somebody on (2501). Fields in the order of the table; the period is half-open."""

    psn_no: str
    filing_id: str
    admdvs: str
    insutype: str
    from_code: str
    from_level: str
    to_code: str
    to_name: str
    care_admdvs: str
    kind: str
    referred_on: date
    diagnosis_code: str
    diagnosis_name: str
    valid_from: date
    valid_to: date | None
    from_mdtrt_id: str
    detail: str
    filed_by: str
    filed_at: datetime
    opter: str
    opter_name: str
    cancelled_at: datetime | None = None


class ProviderChoice(msgspec.Struct, frozen=True):
    """A clinic that a person is assigned to (2505). Fields in the order of the table; the period is half-open.

    ``replaces`` is the choice that this one ended; ``detail`` keeps when that one would have ended.
    """

    psn_no: str
    filing_id: str
    admdvs: str
    kind: str
    ordinal: str
    fixmedins_code: str
    fixmedins_name: str
    replaces: str
    valid_from: date
    valid_to: date | None
    detail: str
    filed_by: str
    filed_at: datetime
    opter: str
    opter_name: str
    cancelled_at: datetime | None = None


class ChronicFiling(msgspec.Struct, frozen=True):
    """A hospital found a chronic disease (2503). Fields in the order of the table; the period is half-open."""

    psn_no: str
    filing_id: str
    admdvs: str
    insutype: str
    disease_code: str
    disease_name: str
    fixmedins_code: str
    fixmedins_name: str
    doctor_code: str
    doctor_name: str
    examined_on: date
    valid_from: date
    valid_to: date | None
    state: str
    decided_at: datetime | None
    decided_by: str
    reason: str
    detail: str
    filed_by: str
    filed_at: datetime
    opter: str
    opter_name: str
    cancelled_at: datetime | None = None


class Injury(msgspec.Struct, frozen=True):
    """An accident (2507), a liable third party or a recognised work injury. Fields in the order of the table."""

    psn_no: str
    filing_id: str
    admdvs: str
    kind: str
    injured_on: date | None
    place: str
    cause: str
    has_undertaking: bool
    approved: bool
    valid_from: date
    valid_to: date | None
    detail: str
    filed_by: str
    filed_at: datetime
    opter: str
    opter_name: str
    cancelled_at: datetime | None = None


class Registration(msgspec.Struct, frozen=True):
    """A registered pregnancy. Fields in the order of the table; ``fixmedins_code`` ``""`` is any institution."""

    psn_no: str
    filing_id: str
    admdvs: str
    insutype: str
    fixmedins_code: str
    due_on: date | None
    spouse_psn_no: str | None
    valid_from: date
    valid_to: date | None
    detail: str
    filed_by: str
    filed_at: datetime
    opter: str
    opter_name: str
    cancelled_at: datetime | None = None
