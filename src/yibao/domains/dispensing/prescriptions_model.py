"""E-prescriptions as they are stored; fields stand in the order of their tables."""

from __future__ import annotations

from datetime import datetime

import msgspec

CHECKED, VALID, CANCELLED = "checked", "valid", "cancelled"
GRANTED, DOWNLOADED, VERIFIED, PASSED, FAILED = "granted", "downloaded", "verified", "passed", "failed"
DUAL_CHANNEL, POOLED_OUTPATIENT = "01", "02"
"""What a prescription is for (``rxExraAttrCode``)."""


class Prescription(msgspec.Struct, frozen=True):
    """An e-prescription. ``checked`` it is known and not in force, ``valid`` it may be dispensed, ``cancelled`` it is void.

    Attributes:
        trace_code: drawn number that also stands in the patient's code.
        valid_until: the last instant at which it may be dispensed.
        uses_max: how often the prescribed quantities may be dispensed.
        interval_days: days that must lie between two uses.
        document: JSON of what the hospital sent.
    """

    psn_no: str
    hi_rxno: str
    admdvs: str
    trace_code: str
    fixmedins_code: str
    mdtrt_id: str
    hosp_rxno: str
    attribute: str
    prescribed_at: datetime
    valid_until: datetime
    uses_max: int
    interval_days: int
    state: str
    checked_at: datetime
    uploaded_at: datetime | None
    cancelled_at: datetime | None
    sign_value: str | None
    file_digest: bytes | None
    file: bytes | None
    document: str


class PrescriptionLine(msgspec.Struct, frozen=True):
    """One prescribed drug; quantities in ten-thousandths of the unit it is dispensed in."""

    psn_no: str
    hi_rxno: str
    item_code: str
    admdvs: str
    ordinal: int
    use_e4: int
    allowed_e4: int
    dispensed_e4: int
    is_approved: bool


class Authorisation(msgspec.Struct, frozen=True):
    """A pharmacy's way to one prescription: granted, downloaded, its file verified, its content reviewed."""

    psn_no: str
    auth_rxno: str
    hi_rxno: str
    admdvs: str
    fixmedins_code: str
    way: str
    token_digest: bytes
    expires_at: datetime
    granted_at: datetime
    state: str
    verify_sn: str | None = None
    review_sn: str | None = None
    reviewed_at: datetime | None = None
    opinion: str = ""
    pharmacist_code: str = ""
    pharmacist_name: str = ""


class Review(msgspec.Struct, frozen=True):
    """What the pharmacist of a pharmacy found of a prescription."""

    is_passed: bool
    opinion: str
    pharmacist_code: str
    pharmacist_name: str
    reviewed_at: datetime
