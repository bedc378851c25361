"""What filings mean for a case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from yibao.domains.applications.model import Choice, FilingFacts, InjuryFact, Maternity, Trauma
from yibao.domains.applications.rules import cause_of, maternity_filing_of, provider_of, referred_from_of
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.case_facts import CaseWords, case_words, filing_facts, maternity_of

FIRST, SECOND = Choice("1", "H1", "1"), Choice("2", "H2", "3")
SAID_NOTHING, NO_THIRD, THIRD = Trauma(), Trauma(True, False), Trauma(True, True)
ACCIDENT, NOT_PAID = InjuryFact("accident", False, True), InjuryFact("accident", False, False)
LIABLE, SIGNED = InjuryFact("third_party", False, True), InjuryFact("third_party", True, True)
AT_WORK, NOT_RECOGNISED = InjuryFact("work_injury", False, True), InjuryFact("work_injury", False, False)


@pytest.mark.parametrize(
    ("choices", "at", "word"),
    [
        ((), "H1", ""),
        ((FIRST,), "H1", "first"),
        ((FIRST,), "H2", "other"),
        ((FIRST, SECOND), "H2", "second"),
        ((FIRST, SECOND), "H3", "other"),
        ((SECOND,), "H1", "other"),
    ],
)
def test_provider(choices: tuple[Choice, ...], at: str, word: str) -> None:
    assert provider_of(choices, fixmedins_code=at) == word


@pytest.mark.parametrize(
    ("referred", "provider", "is_emergency", "level"),
    [
        ("", "other", False, ""),
        ("2", "other", False, "2"),  # a filed referral counts as it stands
        ("2", "other", True, "2"),
        ("", "other", True, "1"),  # an emergency counts like a referral by the first chosen one, of level 1
        ("", "first", True, ""),
        ("", "", True, ""),
        ("3", "", False, "3"),  # stays are referred without any choice
    ],
)
def test_referred_from(referred: str, provider: str, is_emergency: bool, level: str) -> None:
    facts = FilingFacts(choices=(SECOND, FIRST), referred_from=referred)
    assert referred_from_of(facts, provider=provider, is_emergency=is_emergency) == level


@pytest.mark.parametrize(
    ("trauma", "injuries", "is_injury_visit", "cause"),
    [
        (SAID_NOTHING, (), False, ""),
        (SAID_NOTHING, (AT_WORK,), False, ""),  # a cold is no work injury
        (SAID_NOTHING, (LIABLE,), False, ""),
        (NO_THIRD, (), False, "accident"),
        (THIRD, (), False, "third_party"),
        (THIRD, (), True, "third_party"),
        (SAID_NOTHING, (ACCIDENT,), True, "accident"),
        (THIRD, (ACCIDENT,), True, "third_party"),
        (NO_THIRD, (LIABLE,), True, "third_party"),
        (NO_THIRD, (NOT_PAID, ACCIDENT), True, "accident"),  # filed anew as to be paid
        (THIRD, (NOT_PAID,), True, "third_party"),
        (NO_THIRD, (NOT_PAID, SIGNED), True, "accident"),
        (NO_THIRD, (NOT_RECOGNISED,), True, "accident"),  # a work injury that is not recognised is an accident
        (THIRD, (SIGNED,), True, "accident"),
        (SAID_NOTHING, (LIABLE, SIGNED), True, "accident"),
        (SAID_NOTHING, (AT_WORK,), True, "work_injury"),
        (NO_THIRD, (AT_WORK, LIABLE), False, "work_injury"),
    ],
)
def test_cause(trauma: Trauma, injuries: tuple[InjuryFact, ...], is_injury_visit: bool, cause: str) -> None:
    assert cause_of(trauma, injuries, is_injury_visit=is_injury_visit) == cause


@pytest.mark.parametrize(
    ("injuries", "code"),
    [((), "LIABILITY_NOT_STATED"), ((NOT_PAID,), "INJURY_NOT_APPROVED"), ((NOT_RECOGNISED,), "LIABILITY_NOT_STATED")],
)
def test_an_injury_of_which_nothing_is_known_is_refused(injuries: tuple[InjuryFact, ...], code: str) -> None:
    refusal = cause_of(SAID_NOTHING, injuries, is_injury_visit=True)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


@pytest.mark.parametrize(("trauma", "is_injury_visit"), [(SAID_NOTHING, True), (NO_THIRD, True), (NO_THIRD, False)])
def test_an_accident_filed_as_not_to_be_paid_is_refused_whatever_the_bill_says(
    trauma: Trauma, is_injury_visit: bool
) -> None:
    refusal = cause_of(trauma, (NOT_PAID,), is_injury_visit=is_injury_visit)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "INJURY_NOT_APPROVED"


@pytest.mark.parametrize(
    ("prenatal", "word"),
    [((), "missing"), (("H1",), "registered"), (("",), "registered"), (("H2",), "elsewhere"), (("H2", "H1"), "registered")],
)
def test_maternity_filing(prenatal: tuple[str, ...], word: str) -> None:
    assert maternity_filing_of(prenatal, fixmedins_code="H1") == word


def test_a_row_of_facts_becomes_words() -> None:
    """The person chose H1, is in the emergency room of H9, and is registered as pregnant there."""
    row = {
        "filed_choice_ordinals": ["1"], "filed_choice_codes": ["H1"], "filed_choice_levels": ["2"],
        "filed_referred_from": None, "filed_injury_kinds": None, "filed_injury_undertakings": None,
        "filed_injury_approvals": None, "filed_prenatal": ["H9"], "filed_pregnancy_id": "77",
    }
    facts = filing_facts(row)
    assert case_words(facts, fixmedins_code="H9", med_type="13") == CaseWords("other", "2", "", "", "77")
    assert case_words(facts, fixmedins_code="H1", med_type="51") == CaseWords("first", "", "", "elsewhere", "77")
    assert case_words(facts, fixmedins_code="H9", med_type="51") == CaseWords("other", "", "", "registered", "77")


@pytest.mark.parametrize(
    ("given", "maternity"),
    [
        ({}, Maternity("", 0, 1)),
        ({"matn_type": "1", "weeks": Decimal(39), "foetuses": Decimal(2)}, Maternity("birth", 9, 2)),
        ({"matn_type": "2"}, Maternity("difficult", 0, 1)),
        ({"matn_type": "3"}, Maternity("caesarean", 0, 1)),
        ({"matn_type": "5", "weeks": 15}, Maternity("miscarriage", 3, 1)),  # 15 weeks are 3 full months of 4 weeks
        ({"matn_type": "6", "weeks": 16}, Maternity("abortion", 4, 1)),
        ({"matn_type": "7", "birctrl_type": "1"}, Maternity("prenatal", 0, 1)),
        ({"matn_type": "9", "birctrl_type": "2"}, Maternity("iud", 0, 1)),
        ({"birctrl_type": "3"}, Maternity("abortion", 0, 1)),
        ({"birctrl_type": "5"}, Maternity("sterilisation", 0, 1)),
        ({"birctrl_type": "8"}, Maternity("reversal", 0, 1)),
        ({"birctrl_type": "9"}, Maternity("", 0, 1)),
        ({"matn_type": "1", "foetuses": 0}, Maternity("birth", 0, 1)),
    ],
)
def test_maternity(given: dict[str, object], maternity: Maternity) -> None:
    assert maternity_of(**given) == maternity  # type: ignore[arg-type]
