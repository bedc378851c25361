"""Reads a settlement list from the forms it comes in: 4101, its older form, and 4101A."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from yibao.domains.records.model import (
    ChargeClass,
    ChronicCare,
    FundShare,
    IntensiveCare,
    ListDiagnosis,
    ListProcedure,
    Newborn,
    SettlementList,
    StatedPerson,
    StatedShares,
    Transfusion,
)
from yibao.domains.records.rules import said, said_duration
from yibao.kernel.business_time import SHANGHAI, to_wire
from yibao.kernel.money import round_half_up, yuan_to_fen

YES, PLANNED, MAIN = "1", "2", "1"
MOST = Decimal(999_999)
"""Days and grams beyond it are read as it: no check takes either for right."""
TAKEN = frozenset({
    "psn_no", "mdtrt_id", "setl_id", "medcasno", "stas_type", "nwb_adm_type", "nwb_bir_wt", "nwb_adm_wt",
    "mul_nwb_bir_wt", "mul_nwb_adm_wt", "age_days", "nwb_age", "adm_way", "trt_type", "adm_time", "dscg_time", "dscg_way",
    "acp_medins_name", "acp_optins_code", "days_rinp_flag_31", "days_rinp_pup_31", "act_ipt_days", "spga_nurscare_days",
    "lv1_nurscare_days", "scd_nurscare_days", "lv3_nurscare_days", "vent_used_dura", "pwcry_bfadm_coma_dura",
    "pwcry_afadm_coma_dura", "adm_dept_code", "dscg_dept_code", "chfpdr_code", "resp_nurs_code", "opsp_mdtrt_date",
    "opsp_diag_caty", "setl_begn_date", "setl_end_date", "hi_paymtd", "psn_name", "gend", "brdy", "certno", "age",
    "psn_selfpay", "psn_ownpay", "acct_pay", "psn_cashpay",
})
"""Fields that have a place of their own; the others are kept in the words of the wire."""


def is_older(info: Mapping[str, Any]) -> bool:
    """Say whether a list came in the older form, which retypes the person."""
    return "gend" in info or "psn_name" in info


def form_of(infno: str, info: Mapping[str, Any]) -> str:
    """Return which form a list came in."""
    return "a" if infno == "4101A" else "older" if is_older(info) else "national"


def read_list(content: Mapping[str, Any]) -> SettlementList:
    """Return the list of a validated message, whichever form it came in."""
    info: Mapping[str, Any] = content["setlinfo"]
    older = is_older(info)
    return SettlementList(
        psn_no=info.get("psn_no", ""), mdtrt_id=info["mdtrt_id"], setl_id=info["setl_id"], is_older=older,
        case_no=info.get("medcasno", ""), diagnoses=_diagnoses(content.get("diseinfo", ())),
        procedures=_procedures(content.get("oprninfo", ())), intensive_care=_intensive_care(content.get("icuinfo", ())),
        transfusions=_transfusions(content.get("bldinfo", ()), info), chronic_care=_chronic(content.get("opspdiseinfo", ())),
        charges=tuple(_charge(row) for row in content["iteminfo"]) if "iteminfo" in content else None,
        funds=tuple(FundShare(row["fund_pay_type"], yuan_to_fen(row["fund_payamt"])) for row in content["payinfo"])
        if "payinfo" in content else None,
        shares=_shares(info) if older else None, person=_person(info) if older else None, newborn=_newborn(info),
        age_days=_whole(info.get("age_days")), admission_way=_said(info, "adm_way"), treatment=_said(info, "trt_type"),
        admitted_at=info.get("adm_time"), discharged_at=_instant(info.get("dscg_time")),
        discharge_way=_said(info, "dscg_way"), receiver=_said(info, "acp_optins_code") or _said(info, "acp_medins_name"),
        is_readmission_planned=info.get("days_rinp_flag_31") == PLANNED,
        readmission_purpose=_said(info, "days_rinp_pup_31"), stated_days=_whole(info.get("act_ipt_days")),
        nursing_days=(_tenths(info, "spga"), _tenths(info, "lv1"), _tenths(info, "scd"), _tenths(info, "lv3")),
        ventilator=_said_duration(info, "vent_used_dura"), coma_before=_said_duration(info, "pwcry_bfadm_coma_dura"),
        coma_after=_said_duration(info, "pwcry_afadm_coma_dura"),
        departments=tuple(info[name] for name in ("adm_dept_code", "dscg_dept_code") if _said(info, name)),
        chief_doctor=_said(info, "chfpdr_code"), nurse=_said(info, "resp_nurs_code"),
        visited_on=info.get("opsp_mdtrt_date"), visit_department=_said(info, "opsp_diag_caty"),
        settled_from=info.get("setl_begn_date"), settled_to=info.get("setl_end_date"),
        payment_method=_said(info, "hi_paymtd"),
        detail={name: _text(value) for name, value in info.items() if name not in TAKEN} | _receiver_detail(info),
    )


def _said(row: Mapping[str, Any], name: str) -> str:
    return said(row.get(name, ""))


def _said_duration(row: Mapping[str, Any], name: str) -> str:
    return said_duration(row.get(name, ""))


def _receiver_detail(info: Mapping[str, Any]) -> dict[str, str]:
    return {name: info[name] for name in ("acp_medins_name", "acp_optins_code") if name in info}


def _text(value: Any) -> str:
    return to_wire(value) if isinstance(value, datetime) else str(value)


def _whole(value: Decimal | None) -> int | None:
    """Return days or grams; a 0 is how systems leave a number empty, and none of these numbers can be 0 or need be said."""
    return None if not value else round_half_up(min(value, MOST), 0)


def _tenths(info: Mapping[str, Any], level: str) -> int:
    return round_half_up(min(info.get(f"{level}_nurscare_days", Decimal(0)), MOST), 1)


def _instant(value: date | datetime | None) -> datetime | None:
    """Return an instant; one form gives the day of discharge only, which is its midnight."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), SHANGHAI)


def _diagnoses(rows: Sequence[Mapping[str, Any]]) -> tuple[ListDiagnosis, ...]:
    """Return the diagnoses; where no row says which is the principal one, it is the first."""
    nobody_said = not any("maindiag_flag" in row for row in rows)
    return tuple(
        ListDiagnosis(row["diag_type"], row["diag_code"], row["diag_name"],
                      i == 0 if nobody_said else row.get("maindiag_flag") == YES, _said(row, "adm_cond_type"))
        for i, row in enumerate(rows)
    )


def _procedures(rows: Sequence[Mapping[str, Any]]) -> tuple[ListProcedure, ...]:
    """Return the procedures; a row that names none, as lists without a procedure have it, is none."""
    rows = [row for row in rows if _said(row, "oprn_oprt_code") or _said(row, "oprn_oprt_name")]
    nobody_said = not any("oprn_oprt_type" in row for row in rows)
    return tuple(
        ListProcedure(
            code=row.get("oprn_oprt_code", ""), name=row.get("oprn_oprt_name", ""),
            is_main=i == 0 if nobody_said else row.get("oprn_oprt_type") == MAIN,
            begun_at=row.get("oprn_oprt_begntime") or _instant(row.get("oprn_oprt_date")),
            ended_at=row.get("oprn_oprt_endtime"), anaesthesia=_said(row, "anst_way"),
            anaesthesia_from=row.get("anst_begntime"), anaesthesia_to=row.get("anst_endtime"),
            surgeon=_said(row, "oper_dr_code"), surgeon_name=_said(row, "oper_dr_name"),
            anaesthetist=_said(row, "anst_dr_code"), anaesthetist_name=_said(row, "anst_dr_name"),
        )
        for i, row in enumerate(rows)
    )


def _intensive_care(rows: Sequence[Mapping[str, Any]]) -> tuple[IntensiveCare, ...]:
    return tuple(
        IntensiveCare(row["scs_cutd_ward_type"], row["scs_cutd_inpool_time"], row["scs_cutd_exit_time"],
                      row["scs_cutd_sum_dura"])
        for row in rows
    )


def _transfusions(rows: Sequence[Mapping[str, Any]], info: Mapping[str, Any]) -> tuple[Transfusion, ...]:
    """Return the transfusions; the older form has one among the head's fields. A row without kind and amount is none."""
    stated = [row for row in rows or [info] if _said(row, "bld_cat") or row.get("bld_amt")]
    return tuple(
        Transfusion(_said(row, "bld_cat"), str(row.get("bld_amt", "")), _said(row, "bld_unt"),
                    row.get("setl_List_bld_Id", ""))
        for row in stated
    )


def _chronic(rows: Sequence[Mapping[str, Any]]) -> tuple[ChronicCare, ...]:
    return tuple(
        ChronicCare(_said(row, "diag_code"), row.get("diag_name", ""), row.get("oprn_oprt_code", ""),
                    row.get("oprn_oprt_name", ""))
        for row in rows if row
    )


def _charge(row: Mapping[str, Any]) -> ChargeClass:
    return ChargeClass(
        row["med_chrgitm"], yuan_to_fen(row["amt"]), yuan_to_fen(row["claa_sumfee"]), yuan_to_fen(row["clab_amt"]),
        yuan_to_fen(row["fulamt_ownpay_amt"]), yuan_to_fen(row["oth_amt"]),
    )


def _shares(info: Mapping[str, Any]) -> StatedShares | None:
    names = ("psn_selfpay", "psn_ownpay", "acct_pay", "psn_cashpay")
    return StatedShares(*(yuan_to_fen(info[name]) for name in names)) if all(n in info for n in names) else None


def _person(info: Mapping[str, Any]) -> StatedPerson:
    return StatedPerson(
        name=info.get("psn_name", ""), sex=info.get("gend", ""), birth_on=info.get("brdy"), certno=info.get("certno", ""),
        age=str(info.get("age", "")), age_days=_whole(info.get("nwb_age")),
    )


def _newborn(info: Mapping[str, Any]) -> Newborn:
    return Newborn(_said(info, "nwb_adm_type"), _weights(info, "bir"), _weights(info, "adm"))


def _weights(info: Mapping[str, Any], which: str) -> tuple[int, ...]:
    """Return weights in grams: of one child as a number, of several as text with any separator."""
    several = re.findall(r"\d+(?:\.\d+)?", info.get(f"mul_nwb_{which}_wt", ""))
    several = [text for text in several if text.strip("0.")]
    if several:
        return tuple(round_half_up(min(Decimal(text), MOST), 0) for text in several)
    one = _whole(info.get(f"nwb_{which}_wt"))
    return () if one is None else (one,)
