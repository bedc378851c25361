"""Enrolment as facts: relations, employers, years that count. Periods half-open; wages in fen."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

EMPLOYEE, RESIDENT = "310", "390"
BASIC = (EMPLOYEE, RESIDENT)
"""The basic insurances: a person has at most one of them at a time."""
NORMAL, PAUSED, ENDED = "1", "2", "4"
"""States of a relation (table ``psn_insu_stas``)."""


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolment relation; the class of a person never changes inside it. Fields are columns of ``enrolment.relation``.

    Attributes:
        insured_on: first day; dues are owed from its month.
        paused_on: first day on which it no longer holds, None while open; dues are owed for months before its month.
        benefit_from, benefit_to, paid_months, status_reason: as the newest benefit spell says.
        enrolment_kind: a word of the law (``employed``, ``flexible``, ``resident``, ``newborn`` ...), ``""`` for retired.
        cause, end_cause: why it began and ended, codes of ``causes.py``.
        recorded_at, ended_recorded_at: when we learnt of beginning and end.
        wage_fen: monthly wage said at joining, the first base.
        merged_from: the number it was copied from by a merge.
    """

    psn_no: str
    relation_id: str
    admdvs: str
    insutype: str
    psn_type: str
    status: str
    status_reason: str
    emp_no: str | None
    account_kind: str
    civil_servant: bool
    flexible: bool
    insured_on: date
    paused_on: date | None
    benefit_from: date
    benefit_to: date | None
    paid_months: int
    enrolment_kind: str
    recorded_at: datetime | None
    ended_recorded_at: datetime | None
    cause: str
    end_cause: str
    wage_fen: int | None
    group_name: str
    merged_from: str | None

    @property
    def is_open(self) -> bool:
        """Say whether the relation has no end yet."""
        return self.paused_on is None and self.status != ENDED

    @property
    def is_retired(self) -> bool:
        """Say whether the person is insured as retired."""
        return self.psn_type.startswith("12")


class Employer(msgspec.Struct, frozen=True, kw_only=True):
    """An employer, school or village office; fields are columns of ``enrolment.employer``."""

    emp_no: str
    admdvs: str
    name: str
    uscc: str
    kind: str
    registration_kind: str
    nature: str
    division: str
    address: str
    legal_name: str
    legal_cert_type: str
    legal_certno: str
    legal_phone: str
    bank_name: str
    bank_account: str
    insurances: tuple[str, ...]
    enrolled_on: date | None
    handler_name: str
    handler_phone: str
    account_kind: str
    state: str = "active"
    ended_on: date | None = None
    merged_into: str | None = None
    recorded_at: datetime | None = None


class EmployerChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one field of an employer."""

    emp_no: str
    change_id: str
    admdvs: str
    field: str
    old_value: str | None
    new_value: str | None
    effective_on: date
    recorded_at: datetime
    evidence: str
    actor: str
    channel: str
    cause: str


class YearCredit(msgspec.Struct, frozen=True, kw_only=True):
    """Months that count towards retirement beside what was paid here.

    Attributes:
        kind: ``deemed``, ``transferred`` or ``bought``.
        first_month, until_month: the months it stands for, half-open; None where only a number is known.
    """

    psn_no: str
    credit_id: str
    admdvs: str
    insutype: str
    kind: str
    first_month: date | None
    until_month: date | None
    months: int
    elsewhere: str
    evidence: str
    recorded_by: str
    recorded_at: datetime


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """Years held against the law when somebody retired; all in months.

    Attributes:
        completion: ``none`` (nothing short), ``lump`` (paid at once) or ``monthly`` (goes on paying).
        rules: rows of the law that asked for the years.
        relation_id: the relation that began with it.
    """

    psn_no: str
    approved_on: date
    admdvs: str
    needed_total: int
    needed_actual: int
    total_months: int
    actual_months: int
    short_months: int
    completion: str
    rules: tuple[str, ...]
    relation_id: str
    recorded_at: datetime
