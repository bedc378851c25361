"""The engine and the plain twin agree to the fen over generated years of bills in both cities, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.spec.policy.cities import city_policy
from tests.twin.generated_bills import BILLS_N, BILLS_SEED, DrawnYear, year_of_bills
from tests.twin.settlement_twin import Twin
from tests.twin.visit_facts import NotCovered
from tests.twin.year_book import Kept, YearBook, head_amounts, opening
from yibao.kernel.refusal import Refusal


def first_difference(drawn: DrawnYear, keep: Callable[[Kept], None] = lambda _: None) -> str:
    """Settle a year on both sides; return what differed first, "" if nothing did. ``keep`` is told what the engine settled."""
    twin, book = Twin(drawn.city), YearBook(city_policy(drawn.city))
    twin.balances[drawn.person.psn_no] = drawn.balance
    book.balances[drawn.person.psn_no] = opening(drawn.balance)
    for number, bill in enumerate(drawn.bills, 1):
        told = {
            "use_account": bill.use_account, "med_type": bill.med_type, "disease": bill.disease,
            "institution_kind": "1", "children_hospital": False, "how": bill.how,
        }
        found = book.settle(drawn.person, bill.level, list(bill.lines), bill.day, **told)  # type: ignore[arg-type]
        try:
            expected = twin.settle(drawn.person, bill.level, list(bill.lines), bill.day, **told)  # type: ignore[arg-type]
        except NotCovered as reason:
            if isinstance(found, Kept):
                return f"bill {number}: the twin refuses ({reason}), the engine does not"
            continue
        if isinstance(found, Refusal):
            return f"bill {number}: the twin settles ({expected.benefit}), the engine refuses: {found}"
        keep(found)
        amounts = head_amounts(found.decision, book.balances[drawn.person.psn_no])
        differing = {
            name: f"engine {amounts[name]}, twin {value}" for name, value in expected.amounts.items()
            if amounts[name] != value
        }
        if differing:
            return f"bill {number} ({expected.benefit}): {differing}"
    return ""


def shortened(drawn: DrawnYear) -> DrawnYear:
    """Leave out every bill without which the two sides still differ, so that a failure can be read."""
    for position in reversed(range(len(drawn.bills))):
        shorter = replace(drawn, bills=drawn.bills[:position] + drawn.bills[position + 1 :])
        if first_difference(shorter):
            drawn = shorter
    return drawn


def differing_years(bills: int, seed: int, keep: Callable[[Kept], None] = lambda _: None) -> tuple[int, list[str]]:
    """Compare years until ``bills`` bills are done; return how many were, and every difference found."""
    done, number, differences = 0, 0, []
    while done < bills:
        drawn = year_of_bills(number, seed)
        done += len(drawn.bills)
        if first_difference(drawn, keep):
            short = shortened(drawn)
            differences.append(f"year {number} of seed {seed}: {first_difference(short)}\n{short}")
        number += 1
    return done, differences


@pytest.mark.slow
def test_engine_equals_twin_over_generated_bills() -> None:
    """Every head field agrees on every bill (``YIBAO_BILLS_N`` and ``YIBAO_PROOF_SEED`` say how many and which)."""
    done, differences = differing_years(BILLS_N, BILLS_SEED)
    print(f"{done} bills, seed {BILLS_SEED}")
    assert not differences, f"{len(differences)} years differ\n" + "\n".join(differences[:5])


REACHED = ("inpatient", "delivery", "chronic_outpatient", "prenatal", "family_planning", "work_injury")
"""Benefits that the draw must reach."""


def test_the_draw_reaches_every_layer() -> None:
    """The generated bills are worth comparing: by the twin, each fund pays and each kind of benefit occurs."""
    paid: dict[str, int] = {}
    benefits: dict[str, int] = {}
    for number in range(700):
        drawn = year_of_bills(number)
        twin = Twin(drawn.city)
        for bill in drawn.bills:
            try:
                settled = twin.settle(
                    drawn.person, bill.level, list(bill.lines), bill.day, med_type=bill.med_type,
                    disease=bill.disease, how=bill.how,
                )
            except NotCovered:
                benefits["refused"] = benefits.get("refused", 0) + 1
                continue
            benefits[settled.benefit] = benefits.get(settled.benefit, 0) + 1
            for name in ("hifp_pay", "hifob_pay", "hifmi_pay", "cvlserv_pay", "maf_pay"):
                paid[name] = paid.get(name, 0) + bool(settled.amounts[name])
    print(paid, benefits)
    assert min(paid[name] for name in ("hifp_pay", "hifob_pay", "hifmi_pay", "cvlserv_pay", "maf_pay")) > 20
    assert min(benefits[b] for b in REACHED) > 10
