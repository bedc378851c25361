"""What may not be settled afterwards, or not here: refused with the reason and the way that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.late_care import LateCare, episode_of, line
from tests.support.till import Refused
from tests.support.window_city import City, at

WHEN = "2025-10-12 09:00"
Somebody, Number = Callable[[], dict[str, Any]], Callable[[], str]


@pytest.fixture
def noted(
    city: City, hospital: LateCare, somebody: Somebody, number: Number
) -> Callable[..., tuple[dict[str, Any], str, str]]:
    """Return a function that notes a paid visit; it gives the patient, the visit's number and the case's id."""

    def note(**more: Any) -> tuple[dict[str, Any], str, str]:
        patient, mine = somebody(), number()
        facts = {"paid_fen": 100000, "disposition": "pay_full_backfill", "position": "P5", "total_fen": 100000, **more}
        return patient, mine, hospital.note(patient, "outpatient", mine, WHEN, WHEN, **facts)

    return note


def refused(hospital: LateCare, patient: dict[str, Any], number: str, item: dict[str, Any], when: str = WHEN) -> str:
    """Send the visit in and return why it is refused; nothing of it is settled."""
    bill = hospital.begin(patient, when, [line(item, 1000)], visit_no=number)
    with pytest.raises(Refused) as trial:
        hospital.till.call("2206", bill, insured_place=patient["insuplc_admdvs"])
    with pytest.raises(Refused) as final:
        hospital.settle("2207", bill, patient)
    assert f"{trial.value}".split("[")[0] == f"{final.value}".split("[")[0]
    settled = hospital.city.fetch("select from settlements.settlement where psn_no = $1", patient["psn_no"])
    assert settled == []
    return f"{final.value}"


def test_by_another_hospital(
    city: City, other: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any],
    hospital: LateCare,
) -> None:
    patient, number, episode_id = noted()
    says = refused(other, patient, number, item)
    assert "只能由原就诊机构办理" in says
    assert hospital.code in says
    assert episode_of(city, episode_id)["state"] == "held"


def test_twice(
    city: City, hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, episode_id = noted()
    settled = hospital.visit(patient, WHEN, [line(item, 1000)], visit_no=number)
    # A system that has lost the first registration makes another one: the number is taken.
    with pytest.raises(Refused, match=number):
        hospital.begin(patient, WHEN, [line(item, 1000)], visit_no=number)
    assert episode_of(city, episode_id)["setl_id"] == settled["setl_id"]


def test_of_a_bill_that_a_claim_has_taken(
    city: City, hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, _ = noted(state="claimed", claim_id="C-1")
    says = refused(hospital, patient, number, item)
    assert "已申请手工报销" in says
    assert "先由参保人撤回" in says


def test_after_the_last_day(
    hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, _ = noted(settle_by=at("2025-10-21").date())
    says = refused(hospital, patient, number, item)
    assert "已于2025-10-21截止" in says
    assert "手工报销" in says


def test_on_the_last_day_it_is_not_too_late(
    city: City, hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, episode_id = noted(settle_by=at("2025-10-22").date())
    hospital.visit(patient, WHEN, [line(item, 1000)], visit_no=number)
    assert episode_of(city, episode_id)["state"] == "settled"


def test_of_somebody_carried_as_self_paying(
    hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, _ = noted(disposition="convert_self_pay", self_pay_from=at("2025-10-12 10:00"), paid_fen=0)
    assert "先办理转回医保" in refused(hospital, patient, number, item)


def test_of_a_bill_that_the_plan_leaves_to_the_agency(
    hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, _ = noted(disposition="manual_reimburse")
    assert "经办机构办理手工报销" in refused(hospital, patient, number, item)


def test_of_another_day_than_was_noted(
    hospital: LateCare, noted: Callable[..., tuple[dict[str, Any], str, str]], item: dict[str, Any]
) -> None:
    patient, number, _ = noted()
    assert "与停机期间登记的2025-10-12不一致" in refused(hospital, patient, number, item, "2025-10-20 09:00")


def test_a_visit_outside_the_window_is_an_ordinary_one(
    city: City, hospital: LateCare, somebody: Somebody, number: Number, item: dict[str, Any]
) -> None:
    patient, mine = somebody(), number()
    hospital.visit(patient, "2025-10-20 09:00", [line(item, 1000)], visit_no=mine)
    assert hospital.warned == ""
    assert city.fetch("select from backfill.late_entry where psn_no = $1", patient["psn_no"]) == []


def test_unnoted_after_the_plan_s_last_day(
    city: City, hospital: LateCare, somebody: Somebody, number: Number, item: dict[str, Any]
) -> None:
    patient, mine = somebody(), number()
    city.turn("2025-12-31 23:00")
    hospital.visit(patient, WHEN, [line(item, 1000)], visit_no=mine)
    city.turn("2026-01-01 00:00")
    assert "已于2025-12-31截止" in refused(hospital, somebody(), number(), item)
    assert city.breaches() == {}
