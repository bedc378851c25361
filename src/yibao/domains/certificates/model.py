"""Certificates as facts: what was stated, of what, with its digest and code."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

ENROLMENT, BENEFIT = "enrolment", "benefit"
TITLES = {ENROLMENT: "基本医疗保险参保凭证", BENEFIT: "基本医疗保险待遇证明"}
"""Kinds of certificates and what stands above them."""
INSURANCES = {"310": "职工基本医疗保险", "390": "城乡居民基本医疗保险"}


class Period(msgspec.Struct, frozen=True):
    """A relation from its first day to before ``until`` (None: still), with the months paid and arrived in it.

    Attributes:
        status: ``1`` normal, ``2`` paused, ``4`` ended.
    """

    insutype: str
    begin: date
    until: date | None
    status: str
    employer: str
    months_paid: int
    first_month: date | None
    last_month: date | None

    def for_people(self) -> dict[str, Any]:
        """Return the period as an answer shows it."""
        return {
            "insutype": self.insutype, "begin": self.begin, "until": self.until, "status": self.status,
            "employer": self.employer, "months_paid": self.months_paid, "first_month": self.first_month,
            "last_month": self.last_month,
        }


class Standing(msgspec.Struct, frozen=True):
    """Whether benefits of an insurance are due on the day, and why not."""

    insutype: str
    is_due: bool
    reason: str
    until: date | None


class Content(msgspec.Struct, frozen=True):
    """The facts that a certificate states.

    Attributes:
        months_elsewhere: months from other regions that count here.
        balance_fen: of the personal account, None where there is none.
    """

    psn_no: str
    name: str
    cert_type: str
    certno: str
    admdvs: str
    region: str
    on: date
    periods: list[Period]
    months_elsewhere: int
    standings: list[Standing]
    balance_fen: int | None
    purpose: str


class Certificate(msgspec.Struct, frozen=True):
    """A certificate as it is kept; the fields stand in the order of table ``certificates.certificate``.

    Attributes:
        valid_to: first day on which it is no longer current.
        statement: the printed lines.
        digest: SM3 of number and statement.
        code: what the holder gives to be checked, besides the number.
        pdf, pdf_digest: as it was first printed.
    """

    psn_no: str
    certificate_no: str
    admdvs: str
    kind: str
    issued_at: datetime
    valid_to: date
    content: str
    statement: str
    digest: bytes
    code: str
    application_id: str
    issued_by: str
    channel: str
    revoked_at: datetime | None = None
    revoked_why: str = ""
    pdf: bytes | None = None
    pdf_digest: bytes | None = None
