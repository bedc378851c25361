"""The filing desk of a hospital: builds the business content of 2501-2507 from the interface alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from tests.support.till import Till
from yibao.kernel.business_time import SHANGHAI

Patient = Mapping[str, Any]


def today() -> date:
    """Return the present business day."""
    return datetime.now(SHANGHAI).date()


def day(after: int) -> str:
    """Return a day so many days after today, as the wire writes it."""
    return f"{today() + timedelta(days=after)}"


def referral(patient: Patient, to: Till, **more: Any) -> dict[str, Any]:
    """Return the content of 2501: sent on today within the city."""
    return {"refmedin": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "insu_optins": patient["insuplc_admdvs"],
        "diag_code": "J18.900", "diag_name": "肺炎", "dise_cond_dscr": "高热三日", "tel": "13800000000",
        "reflin_medins_no": to.counter.fixmedins_code, "reflin_medins_name": to.counter.fixmedins_name,
        "mdtrtarea_admdvs": patient["insuplc_admdvs"], "hosp_agre_refl_flag": "1", "refl_type": "1", "refl_date": day(0),
        "refl_rea": "专科条件不足", "refl_opnn": "同意转院", "refl_old_mdtrt_id": "", **more,
    }}


def chronic(patient: Patient, at: Till, disease: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return the content of 2503: found today."""
    c = at.counter
    return {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "opsp_dise_code": disease[0],
        "opsp_dise_name": disease[1], "insu_optins": patient["insuplc_admdvs"], "ide_fixmedins_no": c.fixmedins_code,
        "ide_fixmedins_name": c.fixmedins_name, "hosp_ide_date": day(0), "diag_dr_codg": c.dr_codg,
        "diag_dr_name": c.dr_name, "begndate": day(0), "tel": "13800000000", **more,
    }}


def choice(patient: Patient, at: Till, **more: Any) -> dict[str, Any]:
    """Return the content of 2505: the first choice, from today on."""
    c = at.counter
    return {"data": {
        "psn_no": patient["psn_no"], "biz_appy_type": "03", "begndate": day(0), "fix_srt_no": "1",
        "fixmedins_code": c.fixmedins_code, "fixmedins_name": c.fixmedins_name, "memo": "本人办理", **more,
    }}


def accident(patient: Patient, at: Till, **more: Any) -> dict[str, Any]:
    """Return the content of 2507: fell today, nobody else is liable."""
    c = at.counter
    return {"data": {
        "dcla_souc": "01", "psn_no": patient["psn_no"], "psn_cert_type": "01", "certno": patient["certno"],
        "psn_name": patient["psn_name"], "insu_admdvs": patient["insuplc_admdvs"], "insutype": patient["insutype"],
        "fixmedins_code": c.fixmedins_code, "fixmedins_name": c.fixmedins_name, "trum_time": day(0),
        "trum_site": "家中", "trum_rea": "跌倒", "chk_pay_flag": "1", "begndate": day(0), **more,
    }}


def undo(patient: Patient, filing_id: str, **more: Any) -> dict[str, Any]:
    """Return the content of 2502, 2504 and 2506."""
    return {"data": {"trt_dcla_detl_sn": filing_id, "psn_no": patient["psn_no"], "memo": "录入有误", **more}}


def filed(till: Till, infno: str, content: Mapping[str, Any]) -> str:
    """Send a filing and return its number."""
    return str(till.call(infno, content)["result"]["trt_dcla_detl_sn"])
