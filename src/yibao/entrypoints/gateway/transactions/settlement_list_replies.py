"""How a settlement list and its quality check are said on the wire (4103, 4104)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from yibao.domains.institutions.model import Institution
from yibao.domains.records import queries
from yibao.domains.records.check_care import duration_of
from yibao.domains.records.check_diagnoses import main_of
from yibao.domains.records.model import SettlementList
from yibao.domains.records.rules import age_in_days, stay_days
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.kernel.business_time import SHANGHAI, age_on, business_date, to_wire
from yibao.usecases.records.show_list import ShownList

WIRE_STATES = {"draft": "0", "uploaded": "1", "checked": "1", "returned": "3", "accepted": "2", "grouped": "2", "used": "2"}
"""State of a list -> ``stas_type``: 0 not submitted, 1 submitted, 2 passed, 3 not passed."""
ERROR_LEVELS = {"hint": "1", "return": "2"}
PASSED, FAILED = "1", "0"
STAY, DAY_SURGERY = "1", "2"
SENTENCE_MAX, FIELD_MAX, VALUE_MAX = 100, 20, 60
ECHOED = (
    "ntly", "prfs", "curr_addr", "emp_addr", "emp_tel", "coner_name", "patn_rlts", "coner_addr", "coner_tel", "adm_caty",
    "dscg_caty", "otp_wm_dise", "otp_tcm_dise", "bill_code", "bill_no", "biz_sn", "medins_fill_dept", "medins_fill_psn",
    "hi_no", "adm_dept_name", "dscg_dept_name", "acp_medins_name", "acp_optins_code", "dscg_diag",
)
"""Head fields that come back as they were sent."""
RENAMED = {"emp_poscode": "poscode", "refl_caty": "refldept_dept", "otp_wm_diag_dise_code": "wm_dise_code",
           "otp_tcm_diag_dise_code": "tcm_dise_code"}


def list_output(shown: ShownList, institution: Institution) -> dict[str, Any]:
    """Return the output of 4103."""
    keys = {"setl_id": shown.row["setl_id"], "mdtrt_id": shown.row["mdtrt_id"], "psn_no": shown.row["psn_no"]}
    x = shown.content
    list_id = shown.row["list_id"]
    funds = zip(shown.settlement["fund_types"], shown.settlement["fund_amounts"], strict=True)
    return {
        "setlinfo": {**keys, **_head(shown, institution), **_care(shown), **_money(shown), **_state(shown.row)},
        "payinfo": [
            {**keys, "fund_pay_type": kind, "poolarea_fund_pay_type": kind,
             "poolarea_fund_pay_name": code_text("fund_pay_type", kind), "fund_payamt": yuan(amount)}
            for kind, amount in funds if amount
        ],
        "opspdiseinfo": [
            {**keys, "setl_list_opsp_trt_id": f"{list_id}{i:02d}", "diag_code": c.diagnosis_code,
             "diag_name": c.diagnosis_name, "oprn_oprt_code": c.procedure_code, "oprn_oprt_name": c.procedure_name}
            for i, c in enumerate(x.chronic_care, 1)
        ],
        "diseinfo": [
            {**keys, "setl_list_diag_id": f"{list_id}{i:02d}", "diag_type": d.kind, "diag_code": d.code,
             "diag_name": d.name, "maindiag_flag": "1" if d.is_main else "0", "adm_cond_type": d.on_admission or None}
            for i, d in enumerate(x.diagnoses, 1)
        ],
        "iteminfo": [
            {**keys, "etl_list_chrgitm_id": f"{list_id}{kind}", "med_chrgitm_type": kind, "item_sumamt": yuan(c.amount_fen),
             "item_claa_sumfee": yuan(c.class_a_fen), "item_clab_amt": yuan(c.class_b_fen),
             "item_fulamt_ownpay_amt": yuan(c.own_fen), "item_ownpay_amt": yuan(c.other_fen)}
            for kind, c in sorted(shown.charges.items())
        ],
        "oprninfo": _procedures(shown, keys),
        "icuinfo": [
            {**keys, "setl_list_scs_cutd_id": f"{list_id}{i:02d}", "scs_cutd_ward_type": icu.ward,
             "scs_cutd_inpool_time": to_wire(icu.entered_at), "scs_cutd_exit_time": to_wire(icu.left_at),
             "scs_cutd_sum_dura": icu.duration}
            for i, icu in enumerate(x.intensive_care, 1)
        ],
        "drgAppyinfo": [],
        "bldinfo": [
            {**keys, "setl_List_bld_Id": b.serial or f"{list_id}{i:02d}", "bld_cat": b.category,
             "bld_amt": Decimal(b.amount) if b.amount else None, "bld_unt": b.unit}
            for i, b in enumerate(x.transfusions, 1)
        ],
    }


def _head(shown: ShownList, institution: Institution) -> dict[str, Any]:
    """Return the fields of institution and person; what the platform knows is not what was typed."""
    x, person, began_on = shown.content, shown.person, _period(shown)[0]
    years = age_on(person["birth_on"], began_on)
    days = age_in_days(person["birth_on"], began_on) if years < 1 else None
    detail = x.detail
    return {
        **{name: detail.get(name) for name in ECHOED}, **{name: detail.get(sent) for name, sent in RENAMED.items()},
        "setl_list_sn": shown.row["list_id"], "fixmedins_name": institution.name,
        "fixmedins_code": institution.fixmedins_code, "hi_setl_lv": institution.level, "medcasno": x.case_no,
        "dcla_time": detail.get("dcla_time") or to_wire(shown.row["uploaded_at"]), "psn_name": person["name"],
        "gend": person["sex"], "brdy": person["birth_on"], "age": years, "age_daus": days, "age_days": days,
        "naty": person["nation"], "patn_cert_type": person["cert_type"], "psn_cert_type": person["cert_type"],
        "certno": person["certno"], "emp_name": shown.employer or detail.get("emp_name"),
        "insutype": shown.settlement["insutype"], "hi_type": shown.settlement["insutype"],
        "insu_admdvs": shown.settlement["admdvs"], "sp_psn_type": detail.get("sp_psn_type"),
        "hsorg_code": shown.settlement["clr_optins"],
    }


def _period(shown: ShownList) -> tuple[date, date]:
    x = shown.content
    return (business_date(x.admitted_at or shown.encounter["begin_at"]),
            business_date(x.discharged_at or shown.settlement["settled_at"]))


def _care(shown: ShownList) -> dict[str, Any]:
    x, main = shown.content, main_of(shown.content)
    began_on, ended_on = _period(shown)
    is_stay = shown.row["care_kind"] != "chronic"
    nursing = [Decimal(tenths).scaleb(-1) for tenths in x.nursing_days]
    weights = {which: x.newborn.birth_weights_g if which == "bir" else x.newborn.admission_weights_g
               for which in ("bir", "adm")}
    return {
        "nwb_adm_type": x.newborn.admission_type or None,
        **{f"nwb_{which}_wt": grams[0] if grams else None for which, grams in weights.items()},
        **{f"mul_nwb_{which}_wt": "/".join(map(str, grams)) if len(grams) > 1 else None for which, grams in weights.items()},
        "opsp_diag_caty": x.visit_department or None, "opsp_mdtrt_time": x.visited_on,
        "opsp_dise_name": shown.encounter["disease_name"] or None, "opsp_dise_code": shown.encounter["disease_code"] or None,
        "ipt_med_type": (DAY_SURGERY if shown.row["care_kind"] == "day_surgery" else STAY) if is_stay else None,
        "adm_way_code": x.admission_way or None, "trt_type": x.treatment or None, "adm_time": _wire(x.admitted_at),
        "dscg_time": _wire(x.discharged_at), "act_ipt_days": stay_days(began_on, ended_on) if is_stay else None,
        "diag_code_cnt": len(x.diagnoses), "oprn_oprt_code_cnt": len(x.procedures), **_durations(x),
        "spga_nurscare_days": nursing[0], "lv1_nurscare_days": nursing[1], "scd_nurscare_days": nursing[2],
        "lv3_nurscare_days": nursing[3], "dscg_way": x.discharge_way or None,
        "days_rinp_flag_31": "2" if x.is_readmission_planned else "1", "days_rinp_pup_31": x.readmission_purpose or None,
        "chfpdr_code": x.chief_doctor or None, "chfpdr_name": shown.staff.get(x.chief_doctor),
        "resp_nurs_code": x.nurse or None, "resp_nurs_name": shown.staff.get(x.nurse),
        "dscg_diag": f"{main.code} {main.name}" if main else None,
        "adm_dept_codg": x.departments[0] if x.departments else None,
        "dscg_dept_codg": x.departments[-1] if x.departments else None,
    }


def _durations(x: SettlementList) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for text, days, hours, minutes in (
        (x.ventilator, "vent_used_days", "vent_used_h_cnt", "vent_used_m_cnt"),
        (x.coma_before, "bfadm_coma_days", "bfadm_coma_h_cnt", "bfadm_coma_m_cnt"),
        (x.coma_after, "afadm_coma_days", "afadm_coma_h_cnt", "afadm_coma_m_cnt"),
    ):
        said = duration_of(text) if text else None
        fields |= {days: None, hours: None, minutes: None} if said is None else {
            days: said.days, hours: said.seconds // 3600, minutes: said.seconds % 3600 // 60}
    return fields


def _money(shown: ShownList) -> dict[str, Any]:
    s, x = shown.settlement, shown.content
    own = min(s["own_fen"], s["person_fen"])
    return {
        "setl_begn_date": x.settled_from, "setl_end_date": x.settled_to, "hi_paymtd": x.payment_method or None,
        "psn_ownpay": yuan(own), "psn_selfpay": yuan(s["person_fen"] - own), "acct_pay": yuan(s["account_fen"]),
        "psn_cashpay": yuan(s["cash_fen"]), "ybtcPay": yuan(s["hifp_fen"]), "gwyPay": yuan(s["cvlserv_fen"]),
        "jmdbPay": yuan(s["hifmi_fen"]), "zgdePay": yuan(s["hifob_fen"]), "yljzPay": yuan(s["maf_fen"]),
        "setl_time": to_wire(s["settled_at"]),
    }


def _state(row: asyncpg.Record) -> dict[str, Any]:
    found = "；".join(f.sentence for f in queries.findings_of(row))
    return {"stas_type": WIRE_STATES[row["state"]], "chk_cont": row["reason"] or found or None,
            "hsorg_opter": row["decided_by"] or None}


def _procedures(shown: ShownList, keys: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **keys, "setl_list_oprn_id": f"{shown.row['list_id']}{i:02d}", "main_oprn_flag": "1" if p.is_main else "0",
            "oprn_oprt_name": p.name, "oprn_oprt_code": p.code,
            "oprn_oprt_date": business_date(p.begun_at) if p.begun_at else None, "anst_way": p.anaesthesia or None,
            "oper_dr_code": p.surgeon or None, "oper_dr_name": shown.staff.get(p.surgeon) or p.surgeon_name or None,
            "anst_dr_code": p.anaesthetist or None,
            "anst_dr_name": shown.staff.get(p.anaesthetist) or p.anaesthetist_name or None,
            "oprn_oprt_begntime": _wire(p.begun_at), "oprn_oprt_endtime": _wire(p.ended_at),
            "anst_begntime": _wire(p.anaesthesia_from), "anst_endtime": _wire(p.anaesthesia_to),
        }
        for i, p in enumerate(shown.content.procedures, 1)
    ]


def _wire(at: datetime | None) -> str | None:
    return None if at is None else to_wire(at)


def quality_row(row: asyncpg.Record, institution: Institution) -> dict[str, Any]:
    """Return what 4104 says of one list."""
    found = queries.findings_of(row)
    is_returned = row["state"] == "returned"
    faults = [f for f in found if f.severity == "return"]
    return {
        "fixmedins_code": institution.fixmedins_code, "fixmedins_name": institution.name,
        "setl_ym": f"{row['settled_at'].astimezone(SHANGHAI):%Y%m}", "setl_id": row["setl_id"], "psn_no": row["psn_no"],
        "psn_name": row["name"], "qltctrl_rslt": FAILED if faults else PASSED,
        "err_lv": ERROR_LEVELS["return" if faults else "hint"] if found else None,
        "retn_flag": "1" if is_returned else "0", "qltctrl_ver": row["rules_version"],
        "psn_cert_type": row["cert_type"], "cert_no": row["certno"], "qltctrl_time": to_wire(row["checked_at"]),
        "grp_stas": "1" if row["state"] in ("grouped", "used") else "0",
        "detailinfo": [
            {"exam_data_fld": f.field.rsplit(".", 1)[-1][:FIELD_MAX], "qltctrl_chk_rslt": f.sentence[:SENTENCE_MAX],
             "err_lv": ERROR_LEVELS.get(f.severity, "2"), "retn_flag": "1" if f.severity == "return" else "0",
             "init_val": f.received[:VALUE_MAX]}
            for f in found
        ],
    }
