"""What filings open and close: each is driven over HTTP to the money or to the document that is read back.

Shares are those of the law's rows; the amount they apply to is the in-scope cost that the reply states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import asyncpg
import pytest

from tests.spec.filings.conftest import Agency, look, refusal
from tests.support.filing_desk import accident, choice, chronic, day, filed, referral, undo
from tests.support.till import Refused, Till, wire_now

PatientOf = Callable[[str], dict[str, Any]]
Desks = Mapping[str, Till]
NO_LIABILITY = '{"TRUM_FLAG": "1", "REL_TTP_FLAG": "0"}'
LIABLE = '{"TRUM_FLAG": "1", "REL_TTP_FLAG": "1"}'


def of(amount: object, percent: int) -> Decimal:
    """Return a share of an amount in yuan, rounded half up to the fen."""
    return (Decimal(str(amount)) * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def paid(settled: Mapping[str, Any], field: str = "hifp_pay") -> Decimal:
    return Decimal(str(settled["setlinfo"][field])).quantize(Decimal("0.01"))


def pay(till: Till, patient: dict[str, Any], flags: str = "", *, with_bill: bool = False, **other: Any) -> dict[str, Any]:
    """Drive a whole visit; return what 2207 answers. ``flags`` go with the visit, or with the bill."""
    visit = {**patient["visit"], **other}
    mdtrt_id = till.register(patient)
    c, at = till.counter, wire_now()
    info = {"mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "med_type": visit["med_type"], "begntime": at,
            "dise_codg": visit.get("dise_codg") or "", "exp_content": "" if with_bill else flags}
    till.call("2203A", {"mdtrtinfo": info, "diseinfo": [{
        "diag_type": "1", "diag_srt_no": 1, "diag_code": visit["diag_code"], "diag_name": visit["diag_name"],
        "diag_dept": c.dept_name, "dise_dor_no": c.dr_codg, "dise_dor_name": c.dr_name, "diag_time": at,
        "vali_flag": "1"}]})
    till.upload(patient, visit, mdtrt_id)
    bill = till.bill(patient, visit, mdtrt_id)
    if with_bill:
        bill["data"]["exp_content"] = flags
    trial = till.call("2206", bill)
    settled: dict[str, Any] = till.call("2207", bill)
    for field in ("medfee_sumamt", "fund_pay_sumamt", "hifp_pay", "oth_pay", "psn_part_amt"):
        assert trial["setlinfo"][field] == settled["setlinfo"][field], field
    return settled


@pytest.mark.drives("2505", "5302", "2501", "2506")
def test_a_chosen_clinic_a_refusal_elsewhere_and_a_referral(desks: Desks, patient_of: PatientOf) -> None:
    """HZ-302: level 1 pays 85%; elsewhere nothing; HZ-310: referred on, the level of the chosen clinic decides: 85%."""
    patient, clinic, hospital = patient_of("hz-active-account-exact"), desks["hz1"], desks["hz2"]
    before = pay(hospital, patient)
    assert paid(before) == of(before["setlinfo"]["inscp_scp_amt"], 65)  # nothing chosen: level 2 pays its own share

    answer = clinic.call("2505", choice(patient, clinic))
    assert answer["trt_dcla_detl_sn"] == answer["result"]["trt_dcla_detl_sn"] != ""
    chosen = hospital.call("5302", {"data": {"psn_no": patient["psn_no"], "biz_appy_type": "03"}})["psnfixmedin"]
    assert [(c["fix_srt_no"], c["fixmedins_code"], c["begndate"], c["enddate"]) for c in chosen] == [
        ("1", clinic.counter.fixmedins_code, day(0), None)
    ]
    at_home = pay(clinic, patient)
    assert paid(at_home) == of(at_home["setlinfo"]["inscp_scp_amt"], 85)
    with pytest.raises(Refused, match=r"选定的普通门诊定点机构不是本机构.*转诊（2501）"):
        pay(hospital, patient)

    filed(clinic, "2501", referral(patient, hospital))
    referred = pay(hospital, patient)
    assert paid(referred) == of(referred["setlinfo"]["inscp_scp_amt"], 85)


@pytest.mark.drives("2505")
def test_an_emergency_elsewhere_counts_as_a_referral(desks: Desks, patient_of: PatientOf) -> None:
    """HZ-310: an emergency at level 2 is paid like the chosen clinic of level 1; HZ-303 pool only: 80%."""
    patient = patient_of("hz-pool-only")
    filed(desks["hz1"], "2505", choice(patient, desks["hz1"]))
    settled = pay(desks["hz2"], patient, med_type="13")
    assert paid(settled) == of(settled["setlinfo"]["inscp_scp_amt"], 80)


@pytest.mark.drives("2505", "2506", "5302")
def test_a_choice_taken_back_on_its_day_has_never_been(desks: Desks, patient_of: PatientOf) -> None:
    patient, clinic = patient_of("hz-retired-first"), desks["hz1"]
    filing = filed(clinic, "2505", choice(patient, clinic))
    with pytest.raises(Refused, match="选定的普通门诊定点机构不是本机构"):
        pay(desks["hz2"], patient)
    clinic.call("2506", undo(patient, filing))
    listed = clinic.call("5302", {"data": {"psn_no": patient["psn_no"], "biz_appy_type": "03"}})
    assert listed["psnfixmedin"] == []
    settled = pay(desks["hz2"], patient)
    assert paid(settled) == of(settled["setlinfo"]["inscp_scp_amt"], 67)  # HZ-304: retired, level 2


@pytest.mark.drives("2501", "5304", "2502")
def test_a_referral_is_seen_by_both_ends_until_it_is_taken_back(desks: Desks, patient_of: PatientOf) -> None:
    patient, clinic, hospital = patient_of("hz-active-first"), desks["hz1"], desks["hz3"]
    asked = {"data": {"psn_no": patient["psn_no"], "begntime": f"{day(-1)} 00:00:00", "endtime": f"{day(0)} 23:59:59"}}
    filing = filed(clinic, "2501", referral(patient, hospital))
    for till in (clinic, hospital):
        (seen,) = till.call("5304", asked)["refmedin"]
        assert (seen["reflin_medins_no"], seen["refl_date"], seen["begndate"], seen["enddate"]) == (
            hospital.counter.fixmedins_code, day(0), day(0), day(29))  # HZ-X15: 30 days
        assert (seen["out_flag"], seen["refl_rea"], seen["hosp_agre_refl_flag"]) == ("0", "专科条件不足", "1")
    assert desks["hz2"].call("5304", asked)["refmedin"] == []
    before = {"data": {**asked["data"], "endtime": f"{day(-1)} 23:59:59"}}
    assert clinic.call("5304", before)["refmedin"] == []
    answer = clinic.call("2502", undo(patient, filing))
    assert answer["result"]["trt_dcla_detl_sn"] == filing
    assert clinic.call("5304", asked)["refmedin"] == []


def chronic_of(till: Till, patient: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = till.call("5301", {"data": {"psn_no": patient["psn_no"]}})["feedetail"]
    return [(r["opsp_dise_code"], r["begndate"]) for r in rows]


CORONARY = ("M04600", "冠心病")
CORONARY_VISIT = {"med_type": "14", "dise_codg": "M04600", "diag_code": "I25.103", "diag_name": "冠状动脉粥样硬化性心脏病"}


@pytest.mark.drives("2503", "5301", "2504")
def test_a_chronic_disease_opens_its_benefit_when_the_agency_has_approved(
    desks: Desks, patient_of: PatientOf, agency: Agency, world_url: str
) -> None:
    """Zibo: the agency decides. Chronic outpatient, active: 1000 are borne first (ZB-301)."""
    patient, till = patient_of("zb-active-first"), desks["zb2"]
    reply = till.ask(till.envelope("2503", chronic(patient, till, CORONARY)))
    assert "待经办机构审核" in reply.decode()
    filing = till.output(reply)["result"]["trt_dcla_detl_sn"]
    assert chronic_of(till, patient) == []
    with pytest.raises(Refused, match="没有该病种的有效慢特病认定"):
        pay(till, patient, **CORONARY_VISIT)

    (waiting,) = agency("list", "--state", "filed", "--psn-no", patient["psn_no"])["filings"]
    assert (waiting["filing_id"], waiting["kind"], waiting["code"]) == (filing, "chronic", "M04600")
    decided = agency("approve", filing, "--operator", "周审核")
    assert decided["filing"]["state"] == "approved"
    assert look(world_url, "select actor, channel, verb from platform.audit_entry where object = $1", filing) == [
        ("周审核", "cli", "approve_filing")]

    assert chronic_of(till, patient) == [("M04600", day(0))]
    settled = pay(till, patient, **CORONARY_VISIT)
    scope = Decimal(str(settled["setlinfo"]["inscp_scp_amt"]))
    assert paid(settled, "act_pay_dedc") == min(scope, Decimal(1000)).quantize(Decimal("0.01"))
    assert settled["setlinfo"]["clr_type"] == "14"
    in_use = refusal(till, "2504", undo(patient, filing))
    assert f"已有结算（结算ID {settled['setlinfo']['setl_id']}）" in in_use
    assert f"（收到：{filing}）" in in_use

    keys = {k: settled["setlinfo"][k] for k in ("setl_id", "mdtrt_id", "psn_no")}
    till.call("2208", {"data": keys})
    till.call("2504", undo(patient, filing))
    assert chronic_of(till, patient) == []
    with pytest.raises(Refused, match="没有该病种的有效慢特病认定"):
        pay(till, patient, **CORONARY_VISIT)


@pytest.mark.drives("2503", "5301")
def test_in_huizhou_the_hospital_decides_and_cancer_is_reviewed_after_a_year(
    desks: Desks, patient_of: PatientOf
) -> None:
    """HZ-505 at once; HZ-X14: 12 months; class 1 as inpatient: 95% of the in-scope cost, no deductible."""
    patient, till = patient_of("hz-active-over-limit"), desks["hz1"]
    reply = till.ask(till.envelope("2503", chronic(patient, till, ("M00503", "恶性肿瘤放化疗"))))
    assert "届时须复审" in reply.decode()
    (row,) = till.call("5301", {"data": {"psn_no": patient["psn_no"]}})["feedetail"]
    first, last = date.fromisoformat(row["begndate"]), date.fromisoformat(row["enddate"])
    assert (row["opsp_dise_code"], row["begndate"]) == ("M00503", day(0))
    assert (last + timedelta(days=1)).replace(day=1) == first.replace(year=first.year + 1, day=1)  # 12 months later
    lines = patient_of("hz-active-account-exact")["visit"]["lines"]
    settled = pay(
        till, patient, med_type="14", dise_codg="M00503", diag_code="C50.900", diag_name="乳房恶性肿瘤", lines=lines)
    assert paid(settled) == of(settled["setlinfo"]["inscp_scp_amt"], 95)


def test_a_recognition_that_has_ended_opens_nothing(desks: Desks, patient_of: PatientOf) -> None:
    patient, till = patient_of("hz-active-class-c"), desks["hz1"]
    filed(till, "2503", chronic(
        patient, till, ("M03900", "高血压病"), hosp_ide_date=day(-90), begndate=day(-90), enddate=day(-1)))
    assert chronic_of(till, patient) == []
    with pytest.raises(Refused, match="没有该病种的有效慢特病认定"):
        pay(till, patient, med_type="14", dise_codg="M03900", diag_code="I10.x00x002", diag_name="高血压")


def test_what_the_agency_refuses_opens_nothing(desks: Desks, patient_of: PatientOf, agency: Agency) -> None:
    patient, till = patient_of("zb-resident-first"), desks["zb2"]
    filing = filed(till, "2503", chronic(patient, till, CORONARY))
    assert agency("refuse", filing, "--operator", "周审核", "--reason", "")["faults"][0]["code"] == "REASON_MISSING"
    assert agency("refuse", filing, "--operator", "周审核", "--reason", "检查报告不全")["filing"]["state"] == "refused"
    assert chronic_of(till, patient) == []
    assert "检查报告不全" in refusal(till, "2504", undo(patient, filing))
    assert agency("approve", filing, "--operator", "周审核")["faults"][0]["code"] == "FILING_DECIDED"
    filed(till, "2503", chronic(patient, till, CORONARY))  # it may be filed again


@pytest.mark.drives("2507")
def test_an_accident_is_paid_when_somebody_has_looked_for_a_liable_party(desks: Desks, patient_of: PatientOf) -> None:
    """ZB-A12 with ZB-501, resident: 50 are borne first, then 50%."""
    patient, till = patient_of("zb-university-student"), desks["zb2"]
    with pytest.raises(Refused, match="没有说明是否涉及第三方责任"):
        pay(till, patient, med_type="19")
    with pytest.raises(Refused, match="应当由第三人负担"):
        pay(till, patient, LIABLE, med_type="19")
    with pytest.raises(Refused, match="必须说明是否涉及第三方"):
        pay(till, patient, '{"TRUM_FLAG": "1"}', med_type="19")
    filed(till, "2507", accident(patient, till))
    settled = pay(till, patient, med_type="19")
    scope = Decimal(str(settled["setlinfo"]["inscp_scp_amt"]))
    borne = Decimal(str(settled["setlinfo"]["act_pay_dedc"]))
    assert borne == 50
    assert paid(settled) == of(scope - borne, 50)
    assert settled["setlinfo"]["clr_type"] == "1103"
    with pytest.raises(Refused, match="应当由第三人负担"):
        pay(till, patient, LIABLE, med_type="19")


def test_an_accident_without_a_filing_needs_the_flags(desks: Desks, patient_of: PatientOf) -> None:
    """The flags make an injury of any visit class: no third party, paid as usual; a liable one, not."""
    patient, till = patient_of("hz-retired-herbal"), desks["hz1"]
    assert paid(pay(till, patient, NO_LIABILITY)) > 0
    with pytest.raises(Refused, match="应当由第三人负担"):
        pay(till, patient, LIABLE)


def test_the_flags_may_come_with_the_bill(desks: Desks, patient_of: PatientOf) -> None:
    patient, till = patient_of("hz-active-consumable"), desks["hz1"]
    with pytest.raises(Refused, match=r"data\.med_type：医疗费用应当由第三人负担.*（收到：11）"):
        pay(till, patient, LIABLE, with_bill=True)
    assert paid(pay(till, patient, NO_LIABILITY, with_bill=True)) > 0


def test_an_accident_that_the_hospital_does_not_pass_is_not_paid(desks: Desks, patient_of: PatientOf) -> None:
    patient, till = patient_of("zb-child-first"), desks["zb2"]
    filed(till, "2507", accident(patient, till, chk_pay_flag="0"))
    for flags, with_bill in (("", False), (NO_LIABILITY, False), (NO_LIABILITY, True)):
        with pytest.raises(Refused, match="审核支付标志为不支付"):
            pay(till, patient, flags, with_bill=with_bill, med_type="19")


def test_a_signed_undertaking_makes_an_accident_of_it(desks: Desks, patient_of: PatientOf, agency: Agency) -> None:
    patient, till = patient_of("zb-low-income"), desks["zb2"]
    registered = agency("injury", patient["psn_no"], "--kind", "third_party", "--undertaking", "--operator", "周审核")
    settled = pay(till, patient, LIABLE, med_type="19")
    assert paid(settled) > 0
    in_use = agency("cancel", registered["filing"]["filing_id"], "--operator", "周审核", "--reason", "误登")
    assert in_use["faults"][0]["code"] == "FILING_IN_USE"


def test_a_recognised_work_injury_has_another_payer(desks: Desks, patient_of: PatientOf, agency: Agency) -> None:
    """ZB-X12, ZB-X13: the whole of the in-scope cost and of the first-pay, from fund 410100 in oth_pay."""
    patient, till = patient_of("zb-active-first"), desks["zb2"]
    registered = agency(
        "injury", patient["psn_no"], "--kind", "work_injury", "--injured-on", day(-3), "--from", day(-3), "--operator",
        "周审核", "--cause", "淄人社工认字〔2026〕1号")
    counters = till.call("5206", {"data": {"psn_no": patient["psn_no"], "cum_ym": day(0)[:7].replace("-", "")}})
    settled = pay(till, patient, med_type="19")
    info = settled["setlinfo"]
    assert paid(settled, "oth_pay") == Decimal(str(info["inscp_scp_amt"])) + Decimal(str(info["preselfpay_amt"]))
    assert (paid(settled), paid(settled, "act_pay_dedc")) == (0, 0)
    assert next(d["fund_pay_type"] for d in settled["setldetail"] if d["fund_payamt"]) == "410100"
    assert till.call(
        "5206", {"data": {"psn_no": patient["psn_no"], "cum_ym": day(0)[:7].replace("-", "")}}) == counters
    usual = pay(till, patient)
    assert paid(usual, "oth_pay") == 0  # a cold is no work injury
    refused = agency("cancel", registered["filing"]["filing_id"], "--operator", "周审核", "--reason", "认定撤销")
    assert refused["faults"][0]["code"] == "FILING_IN_USE"


def test_maternity_is_settled_once_the_pregnancy_is_registered(
    desks: Desks, patient_of: PatientOf, agency: Agency
) -> None:
    """HZ-702, HZ-704, HZ-708: registered at this institution, prenatal checks are paid in full within 1000."""
    patient, till = patient_of("hz-active-account-empty"), desks["hz1"]
    with pytest.raises(Refused, match=r"data\.med_type：没有生育登记.*（收到：51）.*窗口办理"):
        pay(till, patient, med_type="51", diag_code="Z34.900", diag_name="正常妊娠监督")
    arguments = ("maternity", patient["psn_no"], "--institution", till.counter.fixmedins_code, "--operator", "吴登记")
    late = agency(*arguments, "--from", day(-1))
    assert (late["faults"][0]["code"], late["faults"][0]["basis"]) == ("REGISTRATION_NOT_TODAY", "HZ-703")
    agency(*arguments)
    assert agency(*arguments)["faults"][0]["code"] == "REGISTRATION_REPEATED"
    with pytest.raises(Refused, match="产检机构不是本机构"):
        pay(desks["hz2"], patient, med_type="51", diag_code="Z34.900", diag_name="正常妊娠监督")
    lines = patient["visit"]["lines"][:1]
    settled = pay(till, patient, med_type="51", diag_code="Z34.900", diag_name="正常妊娠监督", lines=lines)
    assert paid(settled) == min(Decimal(str(settled["setlinfo"]["inscp_scp_amt"])), Decimal(1000))
    assert settled["setlinfo"]["clr_type"] == "9977"


def test_the_two_disease_benefit_has_its_own_visit_class(desks: Desks, patient_of: PatientOf) -> None:
    """ZB-502: 70%, no deductible, under med_type 9901 as under 11; of another disease or none it is refused."""
    patient, till = patient_of("zb-two-disease-hypertension"), desks["zb2"]
    settled = pay(till, patient, med_type="9901")
    assert paid(settled) == of(settled["setlinfo"]["inscp_scp_amt"], 70)
    assert settled["setlinfo"]["clr_type"] == "15"
    assert paid(settled, "act_pay_dedc") == 0
    for dise_codg in ("", "M01600"):
        with pytest.raises(Refused):
            pay(till, patient, med_type="9901", dise_codg=dise_codg)


def test_the_limit_of_a_disease_and_of_several(
    desks: Desks, patient_of: PatientOf, agency: Agency, world_url: str
) -> None:
    """ZB-309, active: diabetes 4000 a year; with coronary disease 5000 and half of 4000. 3990 are used before.

    The first bill gets 4000 - 3990 = 10, the second, after the other disease is recognised, its whole 70%.
    """
    patient, till = patient_of("zb-active-first"), desks["zb2"]
    filing = filed(till, "2503", chronic(patient, till, ("M01600", "糖尿病")))
    assert agency("approve", filing, "--operator", "周审核")["ok"]
    spend(world_url, patient["psn_no"], {"chronic_outpatient.disease": 399_000, "chronic_outpatient.deductible": 100_000})
    diabetes = {"med_type": "14", "dise_codg": "M01600", "diag_code": "E11.900", "diag_name": "2型糖尿病"}
    first = pay(till, patient, **diabetes)
    assert paid(first) == 10
    filing = filed(till, "2503", chronic(patient, till, CORONARY))
    assert agency("approve", filing, "--operator", "周审核")["ok"]
    second = pay(till, patient, **diabetes)
    assert paid(second) == of(second["setlinfo"]["inscp_scp_amt"], 70)


def spend(url: str, psn_no: str, used: dict[str, int]) -> None:
    """Let a person have used up so many fen of this year's counters."""

    async def write() -> None:
        connection = await asyncpg.connect(url)
        for code, fen in used.items():
            await connection.execute(
                "insert into settlements.counter (psn_no, year, insutype, code, admdvs, used_fen, cap_fen) "
                "values ($1, $2, '310', $3, '370300', $4, null) on conflict (psn_no, year, insutype, code) "
                "do update set used_fen = $4", psn_no, int(day(0)[:4]), code, fen)
        await connection.execute("update people.person set version = version + 1 where psn_no = $1", psn_no)
        await connection.close()

    asyncio.run(write())
