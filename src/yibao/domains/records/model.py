"""A settlement list and the facts it is judged against. Money in fen; days are business days.

What nobody here judges (address, contact, bill number …) stands in ``detail`` in the words of the wire, to be given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

WESTERN, TCM_DISEASE, TCM_SYNDROME = "1", "2", "3"
"""Kinds of diagnosis: western, main Chinese-medicine disease, main Chinese-medicine syndrome."""
CareKind = Literal["stay", "day_surgery", "chronic"]


class ListDiagnosis(msgspec.Struct, frozen=True):
    """A diagnosis of the list; ``on_admission`` tells whether it was there then (adm_cond_type), "" if not said."""

    kind: str
    code: str
    name: str
    is_main: bool
    on_admission: str = ""


class ListProcedure(msgspec.Struct, frozen=True):
    """A procedure of the list; times with zone, None if not said."""

    code: str
    name: str
    is_main: bool
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    anaesthesia: str = ""
    anaesthesia_from: datetime | None = None
    anaesthesia_to: datetime | None = None
    surgeon: str = ""
    surgeon_name: str = ""
    anaesthetist: str = ""
    anaesthetist_name: str = ""


class IntensiveCare(msgspec.Struct, frozen=True):
    """A time in an intensive-care unit; ``duration`` is days/hours/minutes as text."""

    ward: str
    entered_at: datetime
    left_at: datetime
    duration: str


class Transfusion(msgspec.Struct, frozen=True):
    """Blood given; ``amount`` as text of the number, "" if not said."""

    category: str
    amount: str
    unit: str
    serial: str = ""


class ChargeClass(msgspec.Struct, frozen=True):
    """The charges of one class, split by class A, class B, own expense and other; fen."""

    charge_type: str
    amount_fen: int
    class_a_fen: int
    class_b_fen: int
    own_fen: int
    other_fen: int


class ChronicCare(msgspec.Struct, frozen=True):
    """A diagnosis and a procedure of chronic outpatient care, "" where there is none."""

    diagnosis_code: str = ""
    diagnosis_name: str = ""
    procedure_code: str = ""
    procedure_name: str = ""


class FundShare(msgspec.Struct, frozen=True):
    """What one fund paid, fen."""

    fund: str
    amount_fen: int


class StatedPerson(msgspec.Struct, frozen=True):
    """Who the patient is by the older form, which retypes it; "" or None where nothing was typed."""

    name: str = ""
    sex: str = ""
    birth_on: date | None = None
    certno: str = ""
    age: str = ""
    age_days: int | None = None


class StatedShares(msgspec.Struct, frozen=True):
    """What the person bore by the older form, fen."""

    selfpay_fen: int
    own_fen: int
    account_fen: int
    cash_fen: int


class Newborn(msgspec.Struct, frozen=True):
    """What is said of newborns; weights in grams, one for each child."""

    admission_type: str = ""
    birth_weights_g: tuple[int, ...] = ()
    admission_weights_g: tuple[int, ...] = ()


class SettlementList(msgspec.Struct, frozen=True):
    """A settlement list as uploaded, whichever form it came in.

    Attributes:
        is_older: came in the older form, which retypes person, charges and shares.
        case_no: number of the medical record.
        admission_way, treatment: adm_way and trt_type.
        stated_days: actual days of the stay as typed.
        nursing_days: days of special, first, second and third level nursing, in tenths.
        ventilator, coma_before, coma_after: days/hours/minutes as text.
        departments: department codes of admission and discharge, where the form has them.
        visited_on, visit_department: day and department of chronic outpatient care.
        settled_from, settled_to: first and last day of the settlement period.
        payment_method: hi_paymtd.
        detail: the rest, in the words of the wire.
    """

    psn_no: str
    mdtrt_id: str
    setl_id: str
    is_older: bool
    case_no: str
    diagnoses: tuple[ListDiagnosis, ...]
    procedures: tuple[ListProcedure, ...] = ()
    intensive_care: tuple[IntensiveCare, ...] = ()
    transfusions: tuple[Transfusion, ...] = ()
    chronic_care: tuple[ChronicCare, ...] = ()
    charges: tuple[ChargeClass, ...] | None = None
    funds: tuple[FundShare, ...] | None = None
    shares: StatedShares | None = None
    person: StatedPerson | None = None
    newborn: Newborn = Newborn()
    age_days: int | None = None
    admission_way: str = ""
    treatment: str = ""
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    discharge_way: str = ""
    receiver: str = ""
    is_readmission_planned: bool = False
    readmission_purpose: str = ""
    stated_days: int | None = None
    nursing_days: tuple[int, int, int, int] = (0, 0, 0, 0)
    ventilator: str = ""
    coma_before: str = ""
    coma_after: str = ""
    departments: tuple[str, ...] = ()
    chief_doctor: str = ""
    nurse: str = ""
    visited_on: date | None = None
    visit_department: str = ""
    settled_from: date | None = None
    settled_to: date | None = None
    payment_method: str = ""
    detail: Mapping[str, str] = msgspec.field(default_factory=dict)


class StayFacts(msgspec.Struct, frozen=True):
    """The stay behind a list as the platform knows it; nothing of the discharge while it lasts."""

    admitted_at: datetime
    discharged_at: datetime | None
    discharge_way: str


class SettledFacts(msgspec.Struct, frozen=True):
    """The settlement behind a list, fen; ``beside`` are payers that are no funds: own account, institution."""

    medfee_fen: int
    own_fen: int
    person_fen: int
    account_fen: int
    cash_fen: int
    funds: Mapping[str, int]
    beside: Mapping[str, int]
    service_on: date
    settled_on: date
    clr_way: str


class PersonFacts(msgspec.Struct, frozen=True):
    """The patient as the platform knows him or her."""

    name: str
    sex: str
    birth_on: date
    certno: str


class ListFacts(msgspec.Struct, frozen=True):
    """Everything a list is judged against, gathered before any judging.

    Attributes:
        began_on, ended_on: first and last day of care; the last is the day of settlement while a stay lasts.
        charges: the settled fee lines by class of charge.
        diagnoses, procedures, tcm_classes, staff, departments: which of the list's codes are known.
        today: the day of the upload.
        due_on: the last day to file it.
    """

    care: CareKind
    person: PersonFacts
    settled: SettledFacts
    stay: StayFacts | None
    began_on: date
    ended_on: date
    charges: Mapping[str, ChargeClass]
    diagnoses: frozenset[str]
    procedures: frozenset[str]
    tcm_classes: frozenset[str]
    staff: frozenset[str]
    departments: frozenset[str]
    today: date
    due_on: date


class CodeRange(msgspec.Struct, frozen=True):
    """Codes from ``first`` to ``last`` by their prefix, both included; ages in days, half-open."""

    limit: str
    first: str
    last: str
    reason: str
    age_from: int | None = None
    age_to: int | None = None

    def holds(self, code: str) -> bool:
        """Say whether a code stands in the range; of a pair ``A+B*`` the first code counts."""
        return self.first <= code[: len(self.first)] and code[: len(self.last)] <= self.last


class QualityTables(msgspec.Struct, frozen=True):
    """The tables the checks read: limits of codes and what the region's care needs."""

    diagnoses: tuple[CodeRange, ...]
    procedures: tuple[CodeRange, ...]
    newborn_days: int
    weight_grams: tuple[int, int]
    anaesthetist_needed: frozenset[str]
    payment_methods: Mapping[str, str]

    def find(self, limit: str, code: str) -> CodeRange | None:
        """Return the range of a kind of limit that a diagnosis code stands in."""
        return next((r for r in self.diagnoses if r.limit == limit and r.holds(code)), None)


Severity = Literal["refuse", "return", "hint"]


class Rule(msgspec.Struct, frozen=True):
    """A row of the table of checks."""

    code: str
    severity: Severity
    field: str
    sentence: str


class Finding(msgspec.Struct, frozen=True):
    """What a check found: the rule, what it does, the field of the wire, the Chinese sentence, what stood there."""

    rule: str
    severity: Severity
    field: str
    sentence: str
    received: str = ""


class GroupingFacts(msgspec.Struct, frozen=True):
    """One finished stay as a grouper asks for it; names and meanings are those of the grouper's own case.

    Attributes:
        case: the settlement.
        age_days: only below one year.
        dx_codes, op_codes: the main one first.
    """

    case: str
    gend: str
    age: int
    age_days: int | None
    birth_weight_g: int | None
    los_days: int
    dscg_way: str
    dx_codes: tuple[str, ...]
    op_codes: tuple[str, ...]
    psn_no: str
    admdvs: str
    fixmedins_code: str
    list_id: str
    state: str
