"""What can be asked of enrolment, as it is said. Dates are days of business time; money is fen.

Who a command speaks of is said by ``psn_no``, or by ``cert_type`` and ``certno``. ``evidence`` names the paper that
proves what is said. A command that names no region acts in that of the person or the employer.
"""

from __future__ import annotations

from datetime import date

import msgspec

RESIDENT_CARD = "01"
"""Kind of document (table ``psn_cert_type``): the identity card, whose number is checked."""
BIRTH_CERTIFICATE = "990201"


class RegisterEmployer(msgspec.Struct, frozen=True, kw_only=True):
    """An employer, school or village office enrols: the data of the national form.

    Attributes:
        uscc: unified social credit code, 18 characters.
        kind: ``enterprise``, ``public``, ``school``, ``village`` or ``other``.
        account_kind: how its employees are insured, ``with_account`` or ``pool_only``.
        enrolled_on: None means today.
    """

    admdvs: str
    uscc: str
    name: str
    kind: str = "enterprise"
    registration_kind: str = "new"
    nature: str = ""
    division: str = ""
    address: str = ""
    legal_name: str = ""
    legal_cert_type: str = ""
    legal_certno: str = ""
    legal_phone: str = ""
    bank_name: str = ""
    bank_account: str = ""
    insurances: tuple[str, ...] = ("310",)
    enrolled_on: date | None = None
    handler_name: str = ""
    handler_phone: str = ""
    account_kind: str = "with_account"
    evidence: str = ""


class ChangeEmployer(msgspec.Struct, frozen=True, kw_only=True):
    """New values of fields of an employer; ``effective_on`` None means today."""

    emp_no: str
    changes: dict[str, str]
    effective_on: date | None = None
    evidence: str = ""


class MergeEmployers(msgspec.Struct, frozen=True, kw_only=True):
    """An employer is taken over by another one; its people go with it from the first of a month."""

    kept_no: str
    merged_no: str
    on: date
    evidence: str = ""


class SplitEmployer(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an employer becomes a new one; the named people go with it from the first of a month."""

    emp_no: str
    new: RegisterEmployer
    psn_nos: tuple[str, ...]
    on: date
    evidence: str = ""


class CancelEmployer(msgspec.Struct, frozen=True, kw_only=True):
    """An employer ends; refused while people are enrolled through it."""

    emp_no: str
    on: date
    reason: str
    evidence: str = ""


class AddMember(msgspec.Struct, frozen=True, kw_only=True):
    """An employee joins an employer.

    Attributes:
        insured_on: first day; dues are owed from its month.
        sex, birth_on: needed only where the document is no identity card, which tells both.
        account_kind: ``""`` means as the employer.
        wage_fen: monthly wage said at joining, the first base; None if it is declared apart.
        evidence: needed where ``insured_on`` lies in an earlier month than today.
    """

    emp_no: str
    name: str
    certno: str
    insured_on: date
    cert_type: str = RESIDENT_CARD
    sex: str = ""
    birth_on: date | None = None
    nation: str = "01"
    phone: str = ""
    division: str = ""
    psn_type: str = "1101"
    account_kind: str = ""
    civil_servant: bool = False
    wage_fen: int | None = None
    evidence: str = ""


class RemoveMember(msgspec.Struct, frozen=True, kw_only=True):
    """An employee leaves an employer, or a flexible worker or resident stops: dues are owed for the month of ``left_on``.

    Attributes:
        emp_no: ``""`` for who has no employer.
        left_on: last day; the relation ends with its month, or at once where it had begun in a later month.
        name: must agree with the registered one where it is said.
        cause: a code of ``domains/enrolment/causes.py``: ``resigned``, ``dismissed``, ``contract_ended``, ``other`` ...
        is_ended: the relation is over for good (status 4) and not only paused (status 2).
    """

    left_on: date
    emp_no: str = ""
    psn_no: str = ""
    certno: str = ""
    cert_type: str = RESIDENT_CARD
    name: str = ""
    cause: str = "other"
    is_ended: bool = False
    evidence: str = ""


class MoveMember(msgspec.Struct, frozen=True, kw_only=True):
    """An employee goes from one employer to another on the first of a month, without a gap."""

    from_no: str
    to_no: str
    on: date
    psn_no: str = ""
    certno: str = ""
    cert_type: str = RESIDENT_CARD
    wage_fen: int | None = None
    evidence: str = ""


class EnrolFlexible(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody without an employer enrols with the employees and pays alone; ``wage_fen`` is the chosen base."""

    admdvs: str
    name: str
    certno: str
    insured_on: date
    cert_type: str = RESIDENT_CARD
    sex: str = ""
    birth_on: date | None = None
    nation: str = "01"
    phone: str = ""
    division: str = ""
    account_kind: str = "with_account"
    wage_fen: int | None = None
    evidence: str = ""


class EnrolResident(msgspec.Struct, frozen=True, kw_only=True):
    """A resident enrols.

    Attributes:
        category: ``adult``, ``elderly``, ``minor``, ``preschool``, ``pupil`` or ``student``; ``""``: by age.
        insured_on: first day; None: today, or 1 January of the next year inside the season of the law.
        household_no: residents who pay together share one.
        school_no: the school as employer number; it pays or collects for a group.
        group_name: class of a school, team of a village.
    """

    admdvs: str
    name: str
    certno: str
    insured_on: date | None = None
    category: str = ""
    cert_type: str = RESIDENT_CARD
    sex: str = ""
    birth_on: date | None = None
    nation: str = "01"
    phone: str = ""
    division: str = ""
    household_no: str = ""
    school_no: str = ""
    group_name: str = ""
    evidence: str = ""


class EnrolNewborn(msgspec.Struct, frozen=True, kw_only=True):
    """A newborn enrols: inside the window of the law from birth, later as any resident.

    Attributes:
        certno: number of the birth certificate, or of the identity card with ``cert_type`` 01.
        mother_psn_no, mother_certno: the mother, whose household and division the child has where none is said.
        enrolled_on: None means today.
    """

    admdvs: str
    name: str
    sex: str
    born_on: date
    certno: str
    cert_type: str = BIRTH_CERTIFICATE
    mother_psn_no: str = ""
    mother_certno: str = ""
    enrolled_on: date | None = None
    nation: str = "01"
    division: str = ""
    household_no: str = ""
    evidence: str = ""


class RetireMember(msgspec.Struct, frozen=True, kw_only=True):
    """An employee or flexible worker retires: the years counted are held against the law of the day of approval.

    Attributes:
        approved_on: day of the approval; the retired class begins with the next month.
        completion: what a person whose years are short has chosen: ``lump``, ``monthly`` or ``""`` (nothing yet).
    """

    approved_on: date
    psn_no: str = ""
    certno: str = ""
    cert_type: str = RESIDENT_CARD
    completion: str = ""
    evidence: str = ""


class RecordDeath(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has died: every relation and identity ends with that day."""

    died_on: date
    psn_no: str = ""
    certno: str = ""
    cert_type: str = RESIDENT_CARD
    source: str = "police"
    evidence: str = ""


class LeaveRegion(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody leaves the region for good: ``cause`` is ``transfer``, ``emigration``, ``military`` or ``other``."""

    left_on: date
    cause: str
    psn_no: str = ""
    certno: str = ""
    cert_type: str = RESIDENT_CARD
    to_admdvs: str = ""
    evidence: str = ""


class RecordYears(msgspec.Struct, frozen=True, kw_only=True):
    """Months that count towards retirement beside what was paid here.

    Attributes:
        kind: ``deemed`` (service before contributions began), ``transferred`` (paid elsewhere) or ``bought``.
        first_month, until_month: the months it stands for, half-open; None where only a number is known.
        months: needed where no months are named.
    """

    psn_no: str
    kind: str
    evidence: str
    insutype: str = "310"
    first_month: date | None = None
    until_month: date | None = None
    months: int = 0
    elsewhere: str = ""


class ChangePerson(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a person's fields: ``name sex birth_on certno cert_type nation phone card_no division household_no``.

    Attributes:
        effective_on: true from this day on; None means today.
        cause: ``change`` (it was otherwise before) or ``correction`` (it was always so).
        evidence: needed for name, sex, date of birth and document.
    """

    psn_no: str
    changes: dict[str, str]
    effective_on: date | None = None
    cause: str = "change"
    evidence: str = ""


class MergePersons(msgspec.Struct, frozen=True, kw_only=True):
    """Two numbers are one person: from now on the kept one answers for both."""

    kept_no: str
    merged_no: str
    reason: str
    evidence: str = ""


class SplitPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A merge was wrong: what had gone over goes back."""

    merge_id: str
    reason: str
    evidence: str = ""


class AssistedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of assisted persons; ``valid_to`` is the first day it no longer holds, None is open."""

    certno: str
    name: str
    valid_to: date | None = None
    cert_type: str = RESIDENT_CARD


class TakeAssistedList(msgspec.Struct, frozen=True, kw_only=True):
    """The whole list of one identity of a region, as of ``valid_from``; who is not on it has it no longer.

    Attributes:
        identity_type: a code of table ``psn_idet_type``.
        count: how many lines were sent.
        digest: SM3 (hex) over the sorted lines ``certno,name,valid_to`` (``""`` for an open one), each ended by a newline.
    """

    admdvs: str
    list_id: str
    identity_type: str
    valid_from: date
    rows: tuple[AssistedPerson, ...]
    count: int
    digest: str


class ImportMembers(msgspec.Struct, frozen=True, kw_only=True):
    """Joiners or leavers of an employer in a spreadsheet.

    Attributes:
        kind: ``joiners`` or ``leavers``.
        only_valid: apply the rows without faults; False: nothing at all when one row has a fault.
    """

    emp_no: str
    content: bytes
    kind: str = "joiners"
    file_name: str = ""
    only_valid: bool = True
