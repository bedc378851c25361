"""5201-5206: what an institution may ask about visits, settlements and accumulations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import asyncpg
import msgspec

from yibao.domains.encounters import queries as encounters
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.people.queries import find_person
from yibao.domains.settlements import queries as settlements
from yibao.domains.settlements.model import Settlement, from_row
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.entrypoints.gateway.settling import (
    Holder,
    head_fields,
    holder_fields,
    holder_of,
    payer_rows,
)
from yibao.entrypoints.gateway.transactions.outpatient import LINE_DETAIL, NO_PRICE_LIMIT
from yibao.entrypoints.gateway.wire_words import yuan
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.refusal import Refusal, refuse

_STAY_DETAIL = (
    "coner_name", "tel", "medrcdno", "fpsc_no", "matn_type", "birctrl_type", "latechb_flag", "pret_flag",
    "birctrl_matn_date", "cop_flag",
)
_STAY_NUMBERS = ("geso_val", "fetts", "fetus_cnt")
AT_INSTITUTION = "2"
"""``pay_loc``: paid at the institution."""


async def _holder(tx: Connection, *, psn_no: str, insutype: str, on: date) -> tuple[Holder, asyncpg.Record] | Refusal:
    person = await find_person(tx, psn_no)
    if person is None:
        return _unknown_person(psn_no)
    relation = await find_relation(tx, psn_no, insutype=insutype, on=on)
    if relation is None:
        return _unknown_person(psn_no)
    return holder_of({**dict(person), "psn_type": relation["psn_type"], "civil_servant": relation["civil_servant"]}), relation


def _unknown_person(psn_no: str) -> Refusal:
    return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="data.psn_no", received=psn_no,
                  remedy="请用1101查询人员编号")


@query("5201")
async def visits(message: Message, services: Services) -> Output | Refusal:
    """List a person's visits at the asking institution that began in a period."""
    data = message.input["data"]
    async with services.database.connection() as tx:
        rows = await encounters.list_encounters(
            tx, psn_no=data["psn_no"], fixmedins_code=message.institution.fixmedins_code, begin=data["begntime"],
            end=data["endtime"], med_type=data.get("med_type", ""), mdtrt_id=data.get("mdtrt_id", ""),
        )
        shown = []
        for row in rows:
            held = await _holder(tx, psn_no=row["psn_no"], insutype=row["insutype"], on=business_date(row["begin_at"]))
            if isinstance(held, Refusal):
                return held
            shown.append(_visit(row, *held))
    return {"mdtrtinfo": shown}


def _visit(row: asyncpg.Record, holder: Holder, relation: asyncpg.Record) -> dict[str, object]:
    return {
        "mdtrt_id": row["mdtrt_id"], "psn_no": row["psn_no"], **holder_fields(holder, business_date(row["begin_at"])),
        "insutype": row["insutype"], "maf_psn_flag": None, "flxempe_flag": "1" if relation["flexible"] else "0",
        "insu_optins": row["admdvs"], "emp_name": relation["emp_name"] or None, "begntime": to_wire(row["begin_at"]),
        "endtime": to_wire(row["discharged_at"] or row["begin_at"]), "mdtrt_cert_type": row["cert_type"],
        "med_type": row["med_type"],
        "ipt_otp_no": row["ipt_otp_no"], "atddr_no": row["atddr_no"], "chfpdr_name": row["dr_name"],
        "adm_dept_codg": row["dept_code"], "adm_dept_name": row["dept_name"], "main_cond_dscr": row["condition"] or None,
        "dise_codg": row["disease_code"] or None, "dise_name": row["disease_name"] or None,
        "inhosp_stas": "1" if row["state"] == "admitted" else "0", **_stay(row),
        "opter_id": row["opter"], "opter_name": row["opter_name"], "opt_time": to_wire(row["registered_at"]),
    }


def _stay(row: asyncpg.Record) -> dict[str, object]:
    """Return what 5201 says of a stay beside."""
    if not row["is_stay"]:
        return {}
    detail: dict[str, str] = msgspec.json.decode(row["detail"])
    shown = {
        "adm_bed": row["bed"] or None, "dscg_maindiag_code": row["diagnosis_code"],
        "dscg_maindiag_name": row["diagnosis_name"], "oprn_oprt_code": row["operation_code"] or None,
        "oprn_oprt_name": row["operation_name"] or None, **{name: detail.get(name) for name in _STAY_DETAIL},
        **{name: int(Decimal(detail[name])) if detail.get(name) else None for name in _STAY_NUMBERS},
    }
    begin, end = business_date(row["begin_at"]), row["discharged_at"]
    if end is None:
        return shown
    return {
        **shown, "dscg_dept_codg": row["stay_dept_code"], "dscg_dept_name": row["stay_dept_name"],
        "dscg_bed": row["bed"] or None, "dscg_way": row["discharge_way"], "die_date": row["died_on"],
        "ars_year_ipt_flag": "1" if business_date(end).year != begin.year else "0",
        # In and out on one day counts as a day.
        "ipt_days": max((business_date(end) - begin).days, 1),
    }


@query("5202")
async def diagnoses(message: Message, services: Services) -> Output | Refusal:
    """List the diagnoses of a visit at the asking institution."""
    data = message.input["data"]
    async with services.database.connection() as tx:
        encounter = await encounters.find_encounter(tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])
        if encounter is None or encounter["fixmedins_code"] != message.institution.fixmedins_code:
            return refuse("ENCOUNTER_NOT_FOUND", "本机构没有该参保人的这次就诊", field="data.mdtrt_id",
                          received=data["mdtrt_id"], remedy="请用5201查询就诊信息")
        rows = await encounters.list_diagnoses(tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])
    return {
        "diseinfo": [
            {
                "diag_info_id": f"{r['mdtrt_id']}{r['ordinal']:02d}", "mdtrt_id": r["mdtrt_id"], "psn_no": r["psn_no"],
                "inout_diag_type": "2" if encounter["state"] == "discharged" else "1", "diag_type": r["kind"],
                "maindiag_flag": "1" if r["is_main"] else "0",
                "diag_srt_no": r["ordinal"], "diag_code": r["code"], "diag_name": r["name"],
                "adm_cond": r["adm_cond"] or None,
                "diag_dept": r["dept"], "dise_dor_no": r["doctor_code"], "dise_dor_name": r["doctor_name"],
                "diag_time": to_wire(r["at"]), "opter_id": encounter["opter"], "opter_name": encounter["opter_name"],
                "opt_time": to_wire(encounter["registered_at"]),
            }
            for r in rows
        ]
    }


async def _own_settlement(tx: Connection, message: Message) -> Settlement | Refusal:
    data = message.input["data"]
    row = await settlements.find_of_person(tx, psn_no=data["psn_no"], setl_id=data["setl_id"])
    if row is None or row["mdtrt_id"] != data["mdtrt_id"] or row["fixmedins_code"] != message.institution.fixmedins_code:
        return refuse("SETTLEMENT_NOT_FOUND", "本机构没有该参保人这次就诊的这笔结算", field="data.setl_id",
                      received=data["setl_id"], remedy="请核对结算ID；结果不明的报文可用2601冲正")
    return from_row(row)


@query("5203")
async def settlement(message: Message, services: Services) -> Output | Refusal:
    """Show a settlement of the asking institution, cancelled or not."""
    async with services.database.connection() as tx:
        s = await _own_settlement(tx, message)
        if isinstance(s, Refusal):
            return s
        held = await _holder(tx, psn_no=s.psn_no, insutype=s.insutype, on=s.service_on)
        if isinstance(held, Refusal):
            return held
        encounter = await encounters.find_encounter(tx, psn_no=s.psn_no, mdtrt_id=s.mdtrt_id)
        part = await settlements.find_cover(tx, psn_no=s.psn_no, setl_id=s.setl_id)
    holder, relation = held
    institution = message.institution
    info: dict[str, object] = {
        "setl_id": s.setl_id, "mdtrt_id": s.mdtrt_id, "psn_no": s.psn_no, **holder_fields(holder, s.service_on),
        "insutype": s.insutype, "flxempe_flag": "1" if relation["flexible"] else "0", "insu_optins": s.admdvs,
        "emp_name": relation["emp_name"] or None, "pay_loc": AT_INSTITUTION, "fixmedins_code": s.fixmedins_code,
        "fixmedins_name": institution.name, "hosp_lv": institution.hosp_lv, "fixmedins_poolarea": institution.region,
        "lmtpric_hosp_lv": institution.level, "dedc_hosp_lv": institution.level,
        "begndate": part["begin_on"] if part else s.service_on,
        "enddate": part["end_on"] if part else s.service_on, "setl_time": to_wire(s.settled_at), "mdtrt_cert_type": s.cert_type,
        "med_type": s.med_type, "clr_type": s.clr_type, "clr_way": s.clr_way, "clr_optins": s.clr_optins,
        **head_fields(s), "psn_pay": yuan(s.person_fen), "cash_payamt": yuan(s.cash_fen),
        "acct_mulaid_pay": yuan(s.shared_fen), "medins_setl_id": s.msgid,
        "refd_setl_flag": "1" if s.kind == "refund" or s.state == "reversed" else "0", "year": str(s.year),
        "dise_codg": (encounter and encounter["disease_code"]) or None,
        "dise_name": (encounter and encounter["disease_name"]) or None, "invono": s.invono or None,
        "opter_id": s.opter, "opter_name": s.opter_name, "opt_time": to_wire(s.settled_at),
    }
    return {"setlinfo": info, "setldetail": [{**row, "crt_payb_lmt_amt": yuan(0)} for row in payer_rows(s)]}


@query("5204")
async def settlement_lines(message: Message, services: Services) -> Output | Refusal:
    """List the fee lines of a settlement; the output is a bare list."""
    async with services.database.connection() as tx:
        s = await _own_settlement(tx, message)
        if isinstance(s, Refusal):
            return s
        rows = await encounters.list_lines(tx, psn_no=s.psn_no, setl_id=s.setl_id)
    return [
        {
            "mdtrt_id": s.mdtrt_id, "setl_id": s.setl_id, "med_type": s.med_type, **_line(r),
            "fulamt_ownpay_amt": yuan(r["own_fen"]), "overlmt_amt": yuan(r["over_fen"]),
            "preselfpay_amt": yuan(r["first_fen"]), "inscp_scp_amt": yuan(r["scope_fen"]),
            "det_item_fee_sumamt": yuan(r["amount_fen"]), "selfpay_prop": Decimal(r["first_pay"]).scaleb(-4),
            "pric_uplmt_amt": NO_PRICE_LIMIT if r["limit_micro"] is None else Decimal(r["limit_micro"]).scaleb(-6),
            "bilg_dept_codg": r["dept_code"], "bilg_dept_name": r["dept_name"], "bilg_dr_codg": r["doctor_code"],
            "bilg_dr_name": r["doctor_name"], "opter_id": s.opter, "opter_name": s.opter_name,
            "opt_time": to_wire(r["uploaded_at"]),
        }
        for r in rows
    ]


def _line(r: asyncpg.Record) -> dict[str, object]:
    """Return what every enquiry shows of a fee line."""
    detail: dict[str, str] = msgspec.json.decode(r["detail"])
    return {
        "feedetl_sn": r["feedetl_sn"], "rx_drord_no": r["rxno"] or None, "fee_ocur_time": to_wire(r["occurred_at"]),
        "cnt": Decimal(r["quantity_e4"]).scaleb(-4), "pric": Decimal(r["price_micro"]).scaleb(-6),
        "chrgitm_lv": r["class_level"], "hilist_code": r["item_code"], "hilist_name": r["item_name"],
        "list_type": r["list_type"], "med_list_codg": r["item_code"], "medins_list_codg": r["local_code"],
        "medins_list_name": r["item_name"], "med_chrgitm_type": r["charge_type"], "dosform_name": "", "spec": "",
        "lmt_used_flag": "1" if r["restricted"] else "0", "hosp_appr_flag": r["hosp_appr_flag"],
        **{name: detail.get(name) for name in LINE_DETAIL if name not in ("comb_no",)},
    }


@query("5205")
async def medicines(message: Message, services: Services) -> Output | Refusal:
    """List the medicines a person had settled in a period, at any institution of the region."""
    data = message.input["data"]
    async with services.database.connection() as tx:
        rows = await encounters.list_medicines(
            tx, psn_no=data["psn_no"], begin=data["begntime"], end=data.get("endtime", message.received_at)
        )
    return {
        "feedetail": [
            {"psn_no": r["psn_no"], "med_type": r["med_type"], "fixmedins_code": r["fixmedins_code"],
             "fixmedins_name": r["fixmedins_name"], **_line(r)}
            for r in rows
        ]
    }


@query("5206")
async def accumulations(message: Message, services: Services) -> Output | Refusal:
    """List what a person has used up of each yearly counter; ``cum_ym`` picks a year."""
    data = message.input["data"]
    year = data.get("cum_ym", "")[:4]
    async with services.database.connection() as tx:
        rows = await settlements.list_counters(tx, data["psn_no"])
    return {
        "cuminfo": [
            {"insutype": r["insutype"], "year": str(r["year"]), "cum_ym": f"{r['year']}00",
             "cum_type_code": r["code"], "cum": yuan(r["used_fen"])}
            for r in rows
            if year in ("", str(r["year"]))
        ]
    }
