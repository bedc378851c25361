"""What filings mean for 2001: no benefit is due where settlement would be refused as things stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.spec.filings.conftest import Agency, refusal
from tests.support.filing_desk import accident, choice, filed, referral
from tests.support.till import Till, wire_now

Desks = Mapping[str, Till]
PatientOf = Callable[[str], dict[str, Any]]
DUE = ("1", "可享受待遇")


def asked(till: Till, patient: Mapping[str, Any], med_type: str, **more: Any) -> dict[str, Any]:
    """Return the content of 2001: a visit of now."""
    return {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "fixmedins_code": till.counter.fixmedins_code,
        "med_type": med_type, "begntime": wire_now(), **more,
    }}


def check(till: Till, patient: Mapping[str, Any], med_type: str, **more: Any) -> tuple[str, str]:
    """Return whether benefits are due (``trt_enjymnt_flag``), and the reason."""
    (row,) = till.call("2001", asked(till, patient, med_type, **more))["trtinfo"]
    return row["trt_enjymnt_flag"], row["trt_chk_rslt"]


@pytest.mark.drives("2001")
def test_a_delivery_needs_a_registered_pregnancy(desks: Desks, patient_of: PatientOf, agency: Agency) -> None:
    """HZ-702: without a registration neither delivery nor prenatal checks; HZ-704: checks only where it names."""
    patient, till = patient_of("hz-pool-only"), desks["hz2"]
    for med_type, more in (("52", {}), ("52", {"matn_type": "1"}), ("51", {})):
        flag, reason = check(till, patient, med_type, **more)
        assert flag == "0"
        assert "没有生育登记" in reason
        assert "请先办理生育登记" in reason
    assert check(till, patient, "21") == DUE  # an ordinary stay asks for none
    agency("maternity", patient["psn_no"], "--institution", desks["hz3"].counter.fixmedins_code, "--operator", "吴登记")
    assert check(till, patient, "52", matn_type="1") == DUE
    flag, reason = check(till, patient, "51")
    assert (flag, "产检机构不是本机构" in reason) == ("0", True)
    assert check(desks["hz3"], patient, "51") == DUE


@pytest.mark.drives("2001", "2505", "2501")
def test_another_chosen_clinic_until_it_refers(desks: Desks, patient_of: PatientOf) -> None:
    """HZ-310: elsewhere only after a referral or as an emergency."""
    patient, clinic, hospital = patient_of("hz-active-first"), desks["hz1"], desks["hz2"]
    assert check(hospital, patient, "11") == DUE
    filed(clinic, "2505", choice(patient, clinic))
    assert check(clinic, patient, "11") == DUE
    flag, reason = check(hospital, patient, "11")
    assert (flag, "选定的普通门诊定点机构不是本机构" in reason) == ("0", True)
    assert check(hospital, patient, "13") == DUE
    filed(clinic, "2501", referral(patient, hospital))
    assert check(hospital, patient, "11") == DUE


@pytest.mark.drives("2001", "2507")
def test_an_accident(desks: Desks, patient_of: PatientOf) -> None:
    """What may still be said with the bill takes no benefit away; a filing that forbids payment does, and so does the law."""
    patient, till = patient_of("zb-child-first"), desks["zb2"]
    nobody, somebody = '{"TRUM_FLAG": "1", "REL_TTP_FLAG": "0"}', '{"TRUM_FLAG": "1", "REL_TTP_FLAG": "1"}'
    assert check(till, patient, "19") == DUE
    assert check(till, patient, "19", exp_content=nobody) == DUE
    flag, reason = check(till, patient, "19", exp_content=somebody)
    assert (flag, "应当由第三人负担" in reason) == ("0", True)
    assert "必须说明是否涉及第三方" in refusal(till, "2001", asked(till, patient, "19", exp_content='{"TRUM_FLAG": "1"}'))
    filed(till, "2507", accident(patient, till, chk_pay_flag="0"))
    for said in ("", nobody):
        flag, reason = check(till, patient, "19", exp_content=said)
        assert (flag, "审核支付标志为不支付" in reason) == ("0", True)
    assert check(till, patient, "11") == DUE  # a cold is no accident
