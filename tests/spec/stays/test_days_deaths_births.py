"""Times that are plain dates, care after a death, and care of a birth: what an outside client found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.spec.stays.conftest import at, execute, of
from tests.support.till import Refused
from tests.support.unchanged import stored_of
from tests.support.ward import Stay, Ward, wire

People = Callable[..., dict[str, Any]]
Hospitals = Callable[..., Ward]


def visit_of(med_type: str) -> dict[str, Any]:
    return {"med_type": med_type, "diag_code": "J18.900", "diag_name": "肺炎", "lines": [of(500)]}


@pytest.fixture
def elsewhere(hospitals: Hospitals) -> Ward:
    return hospitals("3")


def admitted_on_a_date(ward: Ward, who: Mapping[str, Any], day: str) -> Stay:
    """Admit with a plain date for a time."""
    content = ward.admission(who, at(3, 1), begntime=day)
    reply = ward.call("2401", content, insured_place=who["insuplc_admdvs"])
    return Stay(who, str(reply["result"]["mdtrt_id"]), at(3, 1), "21")


@pytest.mark.drives("2401", "2402")
def test_a_transfer_on_one_day_may_name_the_day_alone(hospitals: Hospitals, elsewhere: Ward, people: People) -> None:
    ward, who = hospitals("2"), people()
    first = ward.admit(who, at(3, 1))
    ward.discharge(first, at(3, 5, 15))
    with pytest.raises(Refused, match="时间重叠"):
        admitted_on_a_date(elsewhere, who, "2025-03-04")  # the day before is still the other hospital's
    with pytest.raises(Refused, match="时间重叠"):
        elsewhere.admit(who, at(3, 5, 14))  # who tells the hour is taken by it
    second = admitted_on_a_date(elsewhere, who, "2025-03-05")
    elsewhere.discharge(second, at(3, 8), endtime="2025-03-08")
    # Entered late: in the bed until the day on which the first stay began, whose hour is known.
    early = admitted_on_a_date(elsewhere, who, "2025-02-27")
    elsewhere.discharge(early, at(3, 1), endtime="2025-03-01")
    with pytest.raises(Refused, match="时间重叠"):
        ward.admit(who, at(2, 28))


@pytest.mark.drives("2402")
def test_a_discharge_on_the_day_of_admission_may_name_the_day_alone(hospitals: Hospitals, people: People) -> None:
    """It is kept as the instant of admission."""
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 5, 9))
    ward.charge(stay, at(3, 5, 10), [of(6000)])
    with pytest.raises(Refused, match="出院时间早于入院时间"):
        ward.discharge(stay, at(3, 5, 8))
    with pytest.raises(Refused, match="出院时间早于入院时间"):
        ward.discharge(stay, at(3, 4), endtime="2025-03-04")
    ward.discharge(stay, at(3, 5), endtime="2025-03-05")
    assert ward.settle_stay(stay, 6000)["setlinfo"]["setl_id"]
    ward.admit(who, at(3, 5, 15))  # later on the day


def test_nobody_is_cared_for_after_a_death_in_hospital(
    hospitals: Hospitals, elsewhere: Ward, people: People, world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 1))
    ward.discharge(stay, at(3, 5), way="5", die_date="2025-03-04")
    before = stored_of(world_url, who["psn_no"])
    with pytest.raises(Refused, match=r"mdtrtinfo\.psn_no：参保人已于2025-03-04在.*死亡"):
        elsewhere.admit(who, at(3, 6))
    with pytest.raises(Refused, match=r"data\.psn_no：参保人已于2025-03-04在.*死亡"):
        elsewhere.register(who, begin=wire(at(3, 5)))
    assert stored_of(world_url, who["psn_no"]) == before
    earlier = elsewhere.register(who, begin=wire(at(3, 4)))  # entered late
    with pytest.raises(Refused, match=r"mdtrtinfo\.begntime：参保人已于2025-03-04在.*死亡"):
        elsewhere.record(who, visit_of("11"), earlier, begin=wire(at(3, 5)))
    ward.cancel_discharge(stay)  # the hospital takes its word back
    ward.discharge(stay, at(3, 5))
    elsewhere.admit(who, at(3, 6))


def born(ward: Ward, who: Mapping[str, Any], *, at_discharge: Mapping[str, Any] | None = None, **admission: Any) -> Stay:
    stay = ward.admit(who, at(3, 1), **{"med_type": "52", **admission})
    ward.charge(stay, at(3, 2), [of(6000)])
    ward.discharge(stay, at(3, 5), **(at_discharge or {}))
    return stay


@pytest.mark.drives("2303", "2304")
def test_a_birth_says_of_which_kind_it_is(hospitals: Hospitals, people: People) -> None:
    """ZB-702 pays employees by the kind; it may come with the discharge."""
    ward, who = hospitals("2"), people(sex="2")
    stay = born(ward, who)
    for ask in (ward.try_stay, ward.settle_stay):
        with pytest.raises(Refused, match=r"mdtrtinfo\.matn_type：医疗类别52须填写生育类别.*matn_type（1、2、3、4、5、6）"):
            ask(stay, 6000)
    ward.cancel_discharge(stay)
    ward.discharge(stay, at(3, 5), matn_type="7")
    with pytest.raises(Refused, match=r"mdtrtinfo\.matn_type：所报的.*不按医疗类别52支付"):
        ward.try_stay(stay, 6000)
    ward.cancel_discharge(stay)
    ward.discharge(stay, at(3, 5), matn_type="1")
    assert ward.settle_stay(stay, 6000)["setlinfo"]["hifp_pay"] == 6000


@pytest.mark.parametrize("said", [{"matn_type": "1"}, {"matn_type": "6"}, {}])
def test_no_man_is_paid_for_a_birth(said: dict[str, Any], hospitals: Hospitals, people: People, world_url: str) -> None:
    ward, who = hospitals("2"), people(sex="1")
    stay = born(ward, who, **said)
    before = stored_of(world_url, who["psn_no"])
    for ask in (ward.try_stay, ward.settle_stay):
        with pytest.raises(Refused, match=r"data\.psn_no：参保人不是女性，不能享受生育"):
            ask(stay, 6000)
    assert stored_of(world_url, who["psn_no"]) == before


def test_a_man_claims_for_his_wife(hospitals: Hospitals, people: People, world_url: str) -> None:
    """ZB-707: half of 6000."""
    ward, who = hospitals("2"), people(sex="1")
    execute(world_url, "insert into enrolment.special_identity (psn_no, admdvs, identity_type, valid_from) "
            "values ($1, '370300', 'spouse_claim', '2020-01-01')", who["psn_no"])
    assert ward.settle_stay(born(ward, who, matn_type="1"), 6000)["setlinfo"]["hifp_pay"] == 3000


@pytest.mark.drives("2206", "2207")
def test_a_visit_of_a_birth_is_a_womans_and_says_what_it_is_for(hospitals: Hospitals, people: People) -> None:
    """ZB-706: a prenatal check pays 1000; ZB-704, ZB-705: what a family planning visit pays hangs on its kind."""
    ward, woman, man = hospitals("2"), people(sex="2"), people(sex="1")
    for who, med_type, said in (
        (man, "51", r"data\.psn_no：参保人不是女性"),
        (woman, "53", r"mdtrtinfo\.matn_type：医疗类别53须填写.*matn_type（5、6）或birctrl_type（1、2、3、4、5、6、7、8）"),
    ):
        bill = ward.prepare(who, visit_of(med_type))
        for infno in ("2206", "2207"):
            with pytest.raises(Refused, match=said):
                ward.call(infno, bill, insured_place=who["insuplc_admdvs"])
    assert ward.settle(woman, visit_of("51"))["setlinfo"]["hifp_pay"] == 500
