"""What a filing cannot say: each is refused by name with its field, together with whatever else is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.spec.filings.conftest import look, refusal
from tests.support.filing_desk import accident, choice, chronic, day, referral, undo
from tests.support.till import Till

Desks = Mapping[str, Till]
PatientOf = Callable[[str], dict[str, Any]]
COUNT = """
select (select count(*) from applications.filing), (select sum(version) from people.person),
       (select count(*) from platform.message)
"""
CORONARY = ("M04600", "冠心病")


@pytest.fixture(autouse=True)
def nothing_is_written(world_url: str) -> Any:
    """What is refused leaves no trace: each test here ends with the filings and messages it began with."""
    before = look(world_url, COUNT)
    yield
    assert look(world_url, COUNT) == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"refl_date": day(1), "begndate": day(1)}, ["转院日期晚于今天", "refmedin.refl_date"]),
        ({"begndate": day(-3)}, ["开始日期早于转院日期", "refmedin.begndate"]),
        ({"enddate": day(-1)}, ["结束日期早于开始日期", "refmedin.enddate"]),
        ({"hosp_agre_refl_flag": "0"}, ["医院没有同意转院"]),
        ({"refl_type": "2"}, ["与转院类型不符", "refmedin.refl_type"]),
        ({"refl_type": "3", "mdtrtarea_admdvs": "371000"}, ["省内其他统筹区", "请使用转院类型2"]),
        ({"reflin_medins_no": "H37000000000"}, ["转往的机构不是本统筹区的定点医药机构"]),
        ({"diag_code": "X99.9"}, ["诊断代码不在转院日的医保疾病诊断目录中"]),
        ({"refl_old_mdtrt_id": "1"}, ["转院前就诊不是该参保人在本机构的就诊"]),
        ({"insu_optins": "441300"}, ["参保人的参保地是370300"]),
        ({"insutype": "390"}, ["没有该险种的有效参保关系"]),
        ({"psn_no": "99"}, ["没有该人员编号的参保人"]),
        ({"refl_type": "9"}, ["refl_type"]),
        ({"refl_rea": ""}, ["refl_rea"]),
        ({"refl_date": "昨天"}, ["refl_date"]),
    ],
)
def test_referral(desks: Desks, patient_of: PatientOf, more: dict[str, Any], words: list[str]) -> None:
    reason = refusal(desks["zb2"], "2501", referral(patient_of("zb-active-first"), desks["zb3"], **more))
    assert all(word in reason for word in words), reason


def test_a_referral_to_itself_to_a_pharmacy_or_by_one(desks: Desks, patient_of: PatientOf, till_for: Any) -> None:
    patient, pharmacy = patient_of("hz-active-first"), desks["hz-pharmacy"]
    assert "就是本机构" in refusal(desks["hz1"], "2501", referral(patient, desks["hz1"]))
    assert "不能转往定点零售药店" in refusal(desks["hz1"], "2501", referral(patient, pharmacy))
    assert "定点零售药店不能办理" in refusal(pharmacy, "2501", referral(patient, desks["hz2"]))


def test_every_fault_at_once(desks: Desks, patient_of: PatientOf) -> None:
    content = referral(patient_of("zb-active-first"), desks["zb2"], hosp_agre_refl_flag="0", diag_code="X99.9")
    reason = refusal(desks["zb2"], "2501", content)
    assert all(word in reason for word in ("1. ", "就是本机构", "没有同意转院", "诊断代码不在", "3. "))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"opsp_dise_code": "M99999"}, ["病种不在当日的门诊慢特病种目录中", "1309"]),
        ({"ide_fixmedins_no": "H37000000000"}, ["鉴定机构不是本机构"]),
        ({"diag_dr_codg": "D000000000000"}, ["诊断医师鉴定当日未在本机构登记"]),
        ({"hosp_ide_date": day(1), "begndate": day(1)}, ["医院鉴定日期晚于今天"]),
        ({"begndate": day(-1)}, ["开始日期早于医院鉴定日期"]),
        ({"enddate": day(-1)}, ["结束日期早于开始日期"]),
        ({"insu_optins": "441300"}, ["参保人的参保地是370300"]),
        ({"insutype": "390"}, ["没有该险种的有效参保关系"]),
        ({"opsp_dise_code": ""}, ["opsp_dise_code"]),
    ],
)
def test_chronic(desks: Desks, patient_of: PatientOf, more: dict[str, Any], words: list[str]) -> None:
    content = chronic(patient_of("zb-active-first"), desks["zb2"], CORONARY)
    content["data"].update(more)
    reason = refusal(desks["zb2"], "2503", content)
    assert all(word in reason for word in words), reason


def test_a_chronic_disease_that_is_recognised_already(desks: Desks, patient_of: PatientOf) -> None:
    content = chronic(patient_of("zb-two-disease-hypertension"), desks["zb2"], ("M03900", "高血压病"))
    assert "已有该病种的认定" in refusal(desks["zb2"], "2503", content)


@pytest.mark.parametrize(
    ("place", "more", "words"),
    [
        ("hz1", {"biz_appy_type": "05"}, ["定点备案本平台尚未开通"]),
        ("hz1", {"fix_srt_no": "3"}, ["定点排序号只能是1或2"]),
        ("hz1", {"fixmedins_code": "H44000000000"}, ["只能为参保人备案选定本机构"]),
        ("hz1", {"begndate": day(-1)}, ["选点不能追溯"]),
        ("hz1", {"enddate": day(-1)}, ["结束日期早于开始日期"]),
        ("hz1", {"psn_no": "99"}, ["没有该人员编号的参保人"]),
        ("hz2", {"fix_srt_no": "2"}, ["最多可选1家", "data.fix_srt_no"]),
    ],
)
def test_choice(desks: Desks, patient_of: PatientOf, place: str, more: dict[str, Any], words: list[str]) -> None:
    till = desks[place]
    reason = refusal(till, "2505", choice(patient_of("hz-active-first"), till, **more))
    assert all(word in reason for word in words), reason


def test_a_city_without_choices_says_so(desks: Desks, patient_of: PatientOf) -> None:
    content = choice(patient_of("zb-active-first"), desks["zb2"])
    assert "不实行选点" in refusal(desks["zb2"], "2505", content)


def test_a_resident_cannot_choose_a_hospital_of_level_3(desks: Desks, world: dict[str, Any]) -> None:
    """HZ-315; the children's hospital of the same level may be chosen (HZ-312)."""
    resident = next(p for p in world["patients"] if p["insuplc_admdvs"] == "441300" and p["insutype"] == "390")
    assert "居民不能选三级医疗机构" in refusal(desks["hz3"], "2505", choice(resident, desks["hz3"]))
    # Allowed there: refused only for what else is wrong with it.
    backdated = choice(resident, desks["hz-children"], begndate=day(-1))
    assert "选点不能追溯" in refusal(desks["hz-children"], "2505", backdated)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"certno": "110101199001010015"}, ["证件不是该参保人的"]),
        ({"psn_name": "张三"}, ["姓名与该参保人登记的不一致"]),
        ({"dcla_souc": "02"}, ["申报来源只能是01"]),
        ({"fixmedins_code": "H37000000000"}, ["只能备案在本机构就诊的伤害"]),
        ({"trum_time": day(1), "begndate": day(1)}, ["受伤时间晚于今天"]),
        ({"begndate": day(-1)}, ["开始日期早于受伤时间"]),
        ({"enddate": day(-1)}, ["结束日期早于开始日期"]),
        ({"insu_admdvs": "441300"}, ["参保人的参保地是370300"]),
        ({"chk_pay_flag": ""}, ["chk_pay_flag"]),
    ],
)
def test_accident(desks: Desks, patient_of: PatientOf, more: dict[str, Any], words: list[str]) -> None:
    patient = patient_of("zb-active-first")
    reason = refusal(desks["zb2"], "2507", accident(patient, desks["zb2"], **more))
    assert all(word in reason for word in words), reason
    assert patient["certno"] not in reason
    assert "110101199001010015" not in reason


def test_a_person_of_another_city_is_not_filed_here(desks: Desks, patient_of: PatientOf) -> None:
    patient = patient_of("hz-active-first")
    for infno, content in (
        ("2503", chronic(patient, desks["zb2"], CORONARY)), ("2505", choice(patient, desks["zb2"])),
        ("2507", accident(patient, desks["zb2"])),
    ):
        assert "异地备案尚未开通" in refusal(desks["zb2"], infno, content)


@pytest.mark.parametrize("infno", ["2502", "2504", "2506"])
def test_a_filing_of_somebody_else_cannot_be_taken_back(desks: Desks, patient_of: PatientOf, infno: str) -> None:
    reason = refusal(desks["zb2"], infno, undo(patient_of("zb-active-first"), "202601010000000000000001"))
    assert "没有该参保人的这条备案" in reason


@pytest.mark.parametrize("infno", ["2504", "2506"])
def test_a_cancellation_needs_its_reason(desks: Desks, patient_of: PatientOf, infno: str) -> None:
    assert "memo" in refusal(desks["zb2"], infno, undo(patient_of("zb-active-first"), "1", memo=""))
