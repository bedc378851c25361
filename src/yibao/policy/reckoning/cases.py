"""Questions to the law that are no bill, and the answer to them. Amounts in fen; every fact is an argument."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.policy.decision import Step


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What every question says: the region, the day whose law decides, and the person.

    Attributes:
        admdvs: the insured region, whose law decides.
        on: the day whose law decides.
        insutype: ``310``, ``390``, ``510`` ...
        psn_type: class of person as stored (``1101``); ``""`` where no rule asks for it.
        age: full years on that day.
        identities: special identities (table ``psn_idet_type``) valid on that day.
        account_kind: ``with_account``, ``pool_only`` or ``none``.
        enrolment_kind: grade or kind of enrolment, a word of the region's law.
        paid_months: months of continuous payment.
        continuous_years: full years of continuous enrolment.
        inputs: named inputs of formulas, fen or whole numbers: ``wage``, ``income``.
    """

    admdvs: str
    on: date
    insutype: str
    psn_type: str = ""
    age: int = 0
    identities: tuple[str, ...] = ()
    account_kind: str = "none"
    enrolment_kind: str = ""
    paid_months: int = 0
    continuous_years: int = 0
    inputs: dict[str, int] = {}


class DuesCase(Asked, frozen=True, kw_only=True, tag_field="kind", tag="dues"):
    """What is to be paid for some months of enrolment.

    Attributes:
        wage: monthly wage in fen; the law holds it between its floor and its ceiling.
        base: monthly base in fen that is already fixed; taken as it is, ``wage`` is then not looked at.
        months: how many months are paid for. A rate is rounded once for all of them; what the law fixes
            for a year is due once.
        payers: only these payers (``unit``, ``person``, ``state``); empty: all the law names.
        parts: only these parts (``basic``, ``large_amount``, ``care`` ...); empty: all the law names.
    """

    wage: int | None = None
    base: int | None = None
    months: int = 1
    payers: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


class CreditCase(Asked, frozen=True, kw_only=True, tag_field="kind", tag="credit"):
    """What is credited to the own account for some months.

    Attributes:
        base: monthly base of contribution or monthly pension in fen; needed only where the law has a rate.
        months: how many months are credited.
    """

    base: int | None = None
    months: int = 1


class AllowanceCase(Asked, frozen=True, kw_only=True, tag_field="kind", tag="allowance"):
    """The maternity allowance for one birth, miscarriage or operation; ``paid_months`` may be required.

    Attributes:
        wage: the wage the allowance is reckoned on, fen a month (the unit's average of the year before).
        maternity: ``birth``, ``difficult``, ``caesarean``, ``miscarriage``, ``abortion`` ...
        pregnancy_months: completed months of pregnancy.
        foetuses: children born.
        days: days of allowance that are already fixed; None: the law gives them by the kind.
    """

    wage: int
    maternity: str = ""
    pregnancy_months: int = 0
    foetuses: int = 1
    days: int | None = None


class WaitingCase(Asked, frozen=True, kw_only=True, tag_field="kind", tag="waiting"):
    """How long a person who enrols or comes back has to wait, and from when benefits apply.

    Attributes:
        years_missed: years without enrolment before this one.
        paid_back_years: how many of them were paid back.
        in_window: whether it was paid inside the yearly window of enrolment.
        gap_months: months of interrupted payment that are paid back now; None: not a matter of a gap.
        born_on: day of birth of a newborn; None: not a newborn.
        enrolled_on: day of enrolment and payment; None: the day ``on``.
        covered_from: first day the payment covers (1 January of the year paid for); None: day of enrolment.
    """

    years_missed: int = 0
    paid_back_years: int = 0
    in_window: bool = False
    gap_months: int | None = None
    born_on: date | None = None
    enrolled_on: date | None = None
    covered_from: date | None = None


Question = DuesCase | CreditCase | AllowanceCase | WaitingCase
"""Everything that can be reckoned without a bill. The field ``kind`` tells them apart in stored JSON."""

COUNT_STEPS = frozenset({"days", "needs_months", "wait", "wait_window", "wait_gap", "newborn"})
"""Codes of steps whose base and amount are whole days or months, not fen."""


class Reckoned(msgspec.Struct, frozen=True):
    """The answer to a question.

    Attributes:
        policy_version: the law that answered.
        amounts: named results in fen, or whole numbers where the name says days or months.
        steps: how they came about; empty when no trace was asked for.
        dates: named days that the law answers (``benefit_from``).
    """

    policy_version: str
    amounts: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...] = ()
    dates: tuple[tuple[str, date], ...] = ()

    def amount(self, name: str) -> int:
        """Return one result by its name.

        Raises:
            KeyError: there is no such result.
        """
        return dict(self.amounts)[name]
