"""What a hospital may get wrong with a stay: refused with its reason, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import Refused, Till, new_msgid, total
from tests.support.unchanged import stored_of
from tests.support.ward import Ward, wire


@pytest.fixture
def day(slot: Callable[[], int]) -> int:
    return slot()


ADMISSIONS = {
    "an outpatient class": ({"med_type": "11"}, r"11 普通门诊.*住院结算.*尚未开通"),
    "a class of nobody": ({"med_type": "71"}, r"71 家庭病床.*尚未开通"),
    "another person's card": ({"mdtrt_cert_no": "370301199001010011"}, "就诊凭证不是该参保人的"),
    "a credential that is not offered": ({"mdtrt_cert_type": "01"}, "凭证类型尚未开通"),
    "an unknown department": ({"adm_dept_codg": "Z99"}, "科室未在本机构登记"),
    "an unknown doctor": ({"atddr_no": "D000000000001"}, "医师入院当日未在本机构登记"),
    "an unknown diagnosis": ({"dscg_maindiag_code": "X99.999x"}, "诊断代码不在入院日的医保疾病诊断目录中"),
    "tomorrow": ({"begntime": wire(days_ago(-1))}, "就诊时间晚于今天"),
    "an injury of which nothing is said": ({"exp_content": '{"TRUM_FLAG":"1"}'}, "是否涉及第三方"),
    "flags that are no JSON": ({"exp_content": "TRUM_FLAG=1"}, "不是有效的JSON"),
    "another insurance": ({"insutype": "390"}, "没有该险种的参保关系"),
}


@pytest.mark.parametrize("wrong", ADMISSIONS)
def test_a_wrong_admission_is_refused(
    wrong: str, ward: Ward, patient: Mapping[str, Any], day: int, world_url: str
) -> None:
    change, said = ADMISSIONS[wrong]
    before = stored_of(world_url, patient["psn_no"])
    with pytest.raises(Refused, match=said):
        ward.admit(patient, days_ago(day), **change)
    assert stored_of(world_url, patient["psn_no"]) == before


def test_an_admission_without_a_diagnosis_or_with_two_main_ones_is_refused(
    ward: Ward, patient: Mapping[str, Any], day: int
) -> None:
    content = ward.admission(patient, days_ago(day))
    with pytest.raises(Refused, match="没有有效的诊断"):
        ward.call("2401", {**content, "diseinfo": []})
    two = ward.diagnoses(patient, days_ago(day), ("J18.900", "肺炎"), ("I10.x00", "高血压"))
    for rows, said in (([two[0], two[0]], "诊断排序号重复"), ([two[0], {**two[1], "maindiag_flag": "1"}], "多条主诊断"),
                       ([{**two[0], "psn_no": "1"}], "与主记录不一致")):
        with pytest.raises(Refused, match=said):
            ward.call("2401", {**content, "diseinfo": rows})


def test_all_faults_of_an_admission_are_told_at_once(ward: Ward, patient: Mapping[str, Any], day: int) -> None:
    with pytest.raises(Refused) as refused:
        ward.admit(patient, days_ago(day), med_type="11", atddr_no="D1", adm_dept_codg="Z99", dscg_maindiag_code="X")
    for said in ("尚未开通", "医师入院当日未在本机构登记", "科室未在本机构登记", "诊断代码不在"):
        assert said in str(refused.value)


def test_a_pharmacy_admits_nobody(
    till_for: Callable[..., Till], patient: Mapping[str, Any], ward: Ward, day: int
) -> None:
    shop = till_for(kind="2")
    with pytest.raises(Refused, match="药店不能办理入院登记"):
        shop.call("2401", ward.admission(patient, days_ago(day)), insured_place=patient["insuplc_admdvs"])


def test_a_number_is_used_once_and_a_stay_belongs_to_its_hospital(
    ward: Ward, ward_for: Callable[..., Ward], patient: Mapping[str, Any], day: int
) -> None:
    stay = ward.admit(patient, days_ago(day))
    other = ward_for(scheme="tif_sha256")
    with pytest.raises(Refused, match=r"正在.*住院"):
        other.admit(patient, days_ago(day - 1))
    for attempt in (lambda: other.cancel_admission(stay), lambda: other.discharge(stay, days_ago(day - 1)),
                    lambda: other.try_stay(stay, 1), lambda: other.withdraw(stay, "0000")):
        with pytest.raises(Refused, match="不是在本机构登记的"):
            attempt()
    ward.discharge(stay, days_ago(day - 2))
    with pytest.raises(Refused, match="住院/门诊号已用于就诊"):
        ward.admit(patient, days_ago(day - 3), ipt_no=stay.ipt_no)
    with pytest.raises(Refused, match="时间重叠"):
        other.admit(patient, days_ago(day - 1))
    late = other.admit(patient, days_ago(day + 1))
    with pytest.raises(Refused, match="时间重叠"):
        other.discharge(late, days_ago(day - 1))
    other.cancel_admission(late)


def test_a_stay_lasts_forward_and_its_lines_lie_in_it(
    ward: Ward, patient: Mapping[str, Any], day: int, charges_of: Charges
) -> None:
    stay = ward.admit(patient, days_ago(day))
    with pytest.raises(Refused, match="出院时间早于入院时间"):
        ward.discharge(stay, days_ago(day + 1))
    with pytest.raises(Refused, match="出院时间晚于今天"):
        ward.discharge(stay, days_ago(-1))
    with pytest.raises(Refused, match=r"费用发生在入院日期.*之前"):
        ward.charge(stay, days_ago(day + 1), charges_of(1))
    with pytest.raises(Refused, match="费用发生时间晚于今天"):
        ward.charge(stay, days_ago(-1), charges_of(1))
    ward.charge(stay, days_ago(day - 2), charges_of(1))
    with pytest.raises(Refused, match="费用明细发生在出院日期之后"):
        ward.discharge(stay, days_ago(day - 1))
    with pytest.raises(Refused, match="费用明细发生在该入院日期之前"):
        ward.change(stay, begin=days_ago(day - 3))
    with pytest.raises(Refused, match="险种类型与入院时"):
        ward.discharge(stay, days_ago(day - 2), insutype="390")
    ward.withdraw(stay, "0000")
    ward.cancel_admission(stay)


LINES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown item": ({"med_list_codg": "XNOTHING"}, "医疗目录编码不在"),
    "an unknown doctor": ({"bilg_dr_codg": "D1"}, "开单医生.*未在本机构登记"),
    "another class": ({"med_type": "22"}, "与入院登记（21）不一致"),
    "nothing of it": ({"cnt": 0, "det_item_fee_sumamt": 0}, "数量不能为0"),
    "an amount that does not multiply": ({"det_item_fee_sumamt": 1.23}, "与单价×数量"),
    "a negative price": ({"pric": -1, "det_item_fee_sumamt": -10}, "单价不能为负"),
    "a return of nothing named": ({"cnt": -1, "det_item_fee_sumamt": -1, "pric": 1}, "没有指明原费用流水号"),
    "a return of nothing there": (
        {"cnt": -1, "det_item_fee_sumamt": -1, "pric": 1, "init_feedetl_sn": "777"}, "没有可退的该流水号明细"),
}


@pytest.mark.parametrize("wrong", LINES)
def test_a_wrong_line_is_refused_and_none_of_the_message_is_kept(
    wrong: str, ward: Ward, patient: Mapping[str, Any], day: int, charges_of: Charges, world_url: str
) -> None:
    stay = ward.admit(patient, days_ago(day))
    change, said = LINES[wrong]
    good, bad = charges_of(2)
    before = stored_of(world_url, patient["psn_no"])
    with pytest.raises(Refused, match=said):
        ward.charge(stay, days_ago(day), [good, {**bad, **change}])
    assert stored_of(world_url, patient["psn_no"]) == before
    ward.cancel_admission(stay)


def test_a_return_is_of_the_same_thing_and_no_more_than_was_charged(
    ward: Ward, patient: Mapping[str, Any], day: int, charges_of: Charges, world_url: str
) -> None:
    stay = ward.admit(patient, days_ago(day))
    charge, other = charges_of(2, each=3)
    ward.charge(stay, days_ago(day), [{**charge, "feedetl_sn": "1"}])
    price = float(charge["pric"])
    back = {**charge, "feedetl_sn": "2", "init_feedetl_sn": "1", "cnt": -1, "det_item_fee_sumamt": -price}
    wrong = {
        "超过原明细可退数量3": {"cnt": -4, "det_item_fee_sumamt": -round(4 * price, 2)},
        "医疗目录编码与原明细不一致": {"med_list_codg": other["med_list_codg"]},
        "单价与原明细不一致": {"pric": round(price + 1, 2), "det_item_fee_sumamt": -round(price + 1, 2)},
        "没有可退的该流水号明细": {"init_feedetl_sn": "2"},
    }
    before = stored_of(world_url, patient["psn_no"])
    for said, change in wrong.items():
        with pytest.raises(Refused, match=said):
            ward.charge(stay, days_ago(day), [{**back, **change}])
    # Two returns in one message count together.
    with pytest.raises(Refused, match="超过原明细可退数量1"):
        ward.charge(stay, days_ago(day), [
            {**back, "cnt": -2, "det_item_fee_sumamt": -round(2 * price, 2)},
            {**back, "feedetl_sn": "3", "cnt": -2, "det_item_fee_sumamt": -round(2 * price, 2)}])
    assert stored_of(world_url, patient["psn_no"]) == before
    ward.charge(stay, days_ago(day), [back])
    with pytest.raises(Refused, match="有退费明细（2），不能单独撤销"):
        ward.withdraw(stay, "1")
    ward.withdraw(stay, "1", "2")
    ward.cancel_admission(stay)


def test_a_bill_that_is_not_ours_is_refused(
    ward: Ward, patient: Mapping[str, Any], day: int, charges_of: Charges, world_url: str
) -> None:
    stay = ward.admit(patient, days_ago(day))
    charges = charges_of(2)
    ward.charge(stay, days_ago(day), charges)
    ward.discharge(stay, days_ago(day - 2))
    due = total(charges)
    wrong: dict[str, dict[str, Any]] = {
        "医疗费总额与明细合计": {"medfee_sumamt": due + 0.01},
        "先行自付金额与平台核定": {"preselfpay_amt": due},
        "险种类型与入院时": {"insutype": "390"},
        "与2402办理的出院日期": {"dscgTime": f"{days_ago(day):%Y-%m-%d}"},
        "没有可用的共济账户": {"acct_used_flag": "2"},
    }
    before = stored_of(world_url, patient["psn_no"])
    for said, change in wrong.items():
        with pytest.raises(Refused, match=said):
            ward.settle_stay(stay, **{"medfee": due, **{k: v for k, v in change.items() if k != "medfee_sumamt"},
                                      **({"medfee": change["medfee_sumamt"]} if "medfee_sumamt" in change else {})})
    assert stored_of(world_url, patient["psn_no"]) == before
    ward.settle_stay(stay, due, dscgTime=f"{days_ago(day - 2):%Y-%m-%d}")


@pytest.mark.drives("2304")
def test_ten_at_once_settle_once(
    ward_for: Callable[..., Ward], patient: Mapping[str, Any], day: int, charges_of: Charges
) -> None:
    """The same message ten times is one settlement and ten equal replies; ten messages are one settlement and nine noes."""
    wards = [ward_for() for _ in range(10)]
    stay = wards[0].admit(patient, days_ago(day))
    charges = charges_of(3)
    wards[0].charge(stay, days_ago(day), charges)
    wards[0].discharge(stay, days_ago(day - 2))
    content = wards[0].stay_bill(stay, total(charges))
    one = wards[0].envelope("2304", content, msgid=new_msgid(), insured_place=stay.place)
    with ThreadPoolExecutor(10) as pool:
        replies = set(pool.map(lambda w: w.ask(one), wards))
    assert len(replies) == 1
    setl_id = Ward.output(replies.pop())["setlinfo"]["setl_id"]
    wards[0].cancel_settlement(stay, setl_id)

    def settle(ward: Ward) -> str:
        try:
            return str(ward.call("2304", content, insured_place=stay.place)["setlinfo"]["setl_id"])
        except Refused as refused:
            return str(refused)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(settle, wards))
    assert sorted("已结算" in answer for answer in answers) == [False] + [True] * 9
    assert sum(answer.isdecimal() for answer in answers) == 1
    for ward in wards:
        ward.close()


@pytest.mark.drives("2401")
def test_of_two_hospitals_that_admit_at_once_one_is_refused(
    ward_for: Callable[..., Ward], patient: Mapping[str, Any], day: int
) -> None:
    wards = [ward_for(), ward_for(scheme="tif_sha256")]

    def admit(ward: Ward) -> Any:
        try:
            return ward.admit(patient, days_ago(day))
        except Refused as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(admit, wards))
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert [("正在" in answer) for answer in refused] == [True]
    for ward, stay in zip(wards, answers, strict=True):
        if not isinstance(stay, str):
            ward.cancel_admission(stay)
        ward.close()
