"""Designated institutions as facts."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

HOSPITAL = "1"
PHARMACY = "2"


class Institution(msgspec.Struct, frozen=True):
    """A designated institution and its agreement.

    Attributes:
        admdvs: division where it stands.
        region: pooling region whose agency signed the agreement.
        kind: ``1`` hospital, ``2`` pharmacy.
        hosp_lv: grade by the national table, hospitals only.
        level: 1, 2 or 3, as deductibles and price limits know it.
        agreement_to: first day without agreement.
    """

    fixmedins_code: str
    admdvs: str
    region: str
    name: str
    uscc: str
    kind: str
    hosp_lv: str | None
    level: str
    traits: frozenset[str]
    agreement_no: str
    agreement_from: date
    agreement_to: date
    suspended_on: date | None


class Sender(msgspec.Struct, frozen=True):
    """An institution together with how its messages prove where they come from."""

    institution: Institution
    auth_scheme: str
    access_key: str
    secret: str

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"Sender({self.institution.fixmedins_code}, {self.auth_scheme})"


class Department(msgspec.Struct, frozen=True):
    """A department of an institution."""

    dept_code: str
    name: str
    caty: str
    opened_on: date
    closed_on: date | None


class Practitioner(msgspec.Struct, frozen=True):
    """A doctor, nurse or pharmacist registered at an institution."""

    code: str
    name: str
    kind: str
    dept_code: str
    registered_on: date
    left_on: date | None

    def is_registered_on(self, day: date) -> bool:
        """Say whether the practitioner worked here on ``day``."""
        return self.registered_on <= day and (self.left_on is None or day < self.left_on)


class SignIn(msgspec.Struct, frozen=True):
    """One sign-in of an operator."""

    sign_no: str
    fixmedins_code: str
    opter: str
    signed_in_at: datetime
    signed_out_at: datetime | None
