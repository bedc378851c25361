"""2401-2405 the stay, 2301 and 2302 its fee lines, 2303-2305 its money, 2406 and 2407 special flags, 5303 who is in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from yibao.domains.encounters import stay_flags, stays
from yibao.entrypoints.gateway import settling
from yibao.entrypoints.gateway.registry import (
    Done,
    Encode,
    Message,
    Output,
    Services,
    deed,
    query,
    whole_deed,
)
from yibao.entrypoints.gateway.transactions.outpatient import LINE_DETAIL, exp_content, line_result, maternity
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.database import Connection
from yibao.infra.messages import Replayed
from yibao.kernel.business_time import age_on, business_date
from yibao.kernel.money import round_half_up, yuan_to_fen
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.episodes.undo_for_window import cancel_or_undo
from yibao.usecases.settlement.settle_stay import STAY, StayBill
from yibao.usecases.settlement.way import Settled
from yibao.usecases.stays.admit import StayCommand, admit, change_stay
from yibao.usecases.stays.diagnoses import StayDiagnosis
from yibao.usecases.stays.discharge import DischargeCommand, cancel_discharge, discharge
from yibao.usecases.stays.flags import FlagCommand, register_flag
from yibao.usecases.stays.upload_lines import upload_stay_lines, withdraw_stay_lines
from yibao.usecases.visits.fee_line import LineInput

IDENTITY_CARD = "02"
PAGE_MAX = 1000
STAY_DETAIL = (
    "coner_name", "tel", "medrcdno", "adm_diag_dscr", "fpsc_no", "matn_type", "birctrl_type", "latechb_flag", "geso_val",
    "fetts", "fetus_cnt", "pret_flag", "birctrl_matn_date", "dise_type_code", "ttp_pay_prop", "card_sn",
)
"""Fields of admission and change that are kept for enquiries but decide nothing by themselves."""
DISCHARGE_DETAIL = (
    "fpsc_no", "matn_type", "birctrl_type", "latechb_flag", "geso_val", "fetts", "fetus_cnt", "pret_flag",
    "birctrl_matn_date", "cop_flag",
)
SPLITS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")


def _detail(node: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(node[name]) for name in names if name in node}


def _diagnosis(d: dict[str, Any]) -> StayDiagnosis:
    ordinal = int(d["diag_srt_no"])
    return StayDiagnosis(
        psn_no=d["psn_no"], mdtrt_id=d.get("mdtrt_id", ""), kind=d["diag_type"], ordinal=ordinal, code=d["diag_code"],
        name=d["diag_name"], dept=d["diag_dept"], doctor_code=d["dise_dor_no"], doctor_name=d["dise_dor_name"],
        at=d["diag_time"], is_main=d["maindiag_flag"] == "1", adm_cond=d.get("adm_cond", ""),
        is_valid=d.get("vali_flag", "1") != "0",
    )


def _stay_command(message: Message, node: str, *, visit_no: str, cert_no: str) -> StayCommand:
    info = message.input[node]
    return StayCommand(
        psn_no=info["psn_no"], begin_at=info["begntime"], cert_type=info["mdtrt_cert_type"], cert_no=cert_no,
        med_type=info["med_type"], med_type_text=code_text("med_type", info["med_type"]), visit_no=visit_no,
        doctor_code=info["atddr_no"], doctor_name=info["chfpdr_name"], dept_code=info["adm_dept_codg"],
        dept_name=info["adm_dept_name"], bed=info["adm_bed"], diagnosis_code=info["dscg_maindiag_code"],
        diagnosis_name=info["dscg_maindiag_name"], condition=info.get("main_cond_dscr", ""),
        disease_code=info.get("dise_codg", ""), disease_name=info.get("dise_name", ""),
        operation_code=info.get("oprn_oprt_code", ""), operation_name=info.get("oprn_oprt_name", ""),
        maternity=maternity(info), exp_content=exp_content(info), detail=_detail(info, STAY_DETAIL),
        diagnoses=[_diagnosis(d) for d in message.input.get("diseinfo", ())], node=node,
        insutype=info.get("insutype", ""), insured_place=message.envelope.get("insuplc_admdvs", ""),
        opter=message.envelope.get("opter", ""), opter_name=message.envelope.get("opter_name", ""),
    )


@deed("2401")
async def admit_patient(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Admit somebody and issue the stay's id."""
    info = message.input["mdtrtinfo"]
    cert_no = info.get("mdtrt_cert_no", "")
    if not cert_no and info["mdtrt_cert_type"] == IDENTITY_CARD:
        cert_no = info.get("certno", "")
    command = _stay_command(message, "mdtrtinfo", visit_no=info["ipt_no"], cert_no=cert_no)
    encounter = await admit(
        tx, command=command, institution=message.institution, mdtrt_id=services.ids.new(message.received_at),
        now=message.received_at,
    )
    if isinstance(encounter, Refusal):
        return encounter
    output = {"result": {"mdtrt_id": encounter.mdtrt_id, "exp_content": None}}
    return Done(output, psn_no=encounter.psn_no, mdtrt_id=encounter.mdtrt_id)


@deed("2403")
async def change_admission(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Change what was said at admission."""
    info = message.input["adminfo"]
    command = _stay_command(message, "adminfo", visit_no=info["ipt_otp_no"], cert_no="")
    refusal = await change_stay(
        tx, command=command, mdtrt_id=info["mdtrt_id"], institution=message.institution, now=message.received_at
    )
    return refusal or Done(None, psn_no=command.psn_no, mdtrt_id=info["mdtrt_id"])


@deed("2402")
async def discharge_patient(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """End a stay."""
    info = message.input["dscginfo"]
    speaks_of_maternity = any(name in info for name in ("matn_type", "birctrl_type"))
    command = DischargeCommand(
        psn_no=info["psn_no"], mdtrt_id=info["mdtrt_id"], insutype=info["insutype"], end_at=info["endtime"],
        way=info["dscg_way"], died_on=info.get("die_date"), dept_code=info["dscg_dept_codg"],
        dept_name=info["dscg_dept_name"], bed=info.get("dscg_bed", ""), operation_code=info.get("oprn_oprt_code", ""),
        operation_name=info.get("oprn_oprt_name", ""), maternity=maternity(info) if speaks_of_maternity else None,
        detail=_detail(info, DISCHARGE_DETAIL), diagnoses=[_diagnosis(d) for d in message.input.get("diseinfo", ())],
    )
    refusal = await discharge(
        tx, command=command, fixmedins_code=message.institution.fixmedins_code, now=message.received_at
    )
    return refusal or Done(None, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)


@deed("2404")
async def cancel_admitting(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Cancel an admission; before a stop with its fee lines, where the plan has it registered again afterwards."""
    data = message.input["data"]
    done = await cancel_or_undo(
        tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], institution=message.institution,
        opter=message.envelope.get("opter", ""), now=message.received_at, ids=services.ids, gate=services.gate,
    )
    if isinstance(done, Refusal):
        return done
    if done is not None:
        message.warnings.append(f"{done.says}；登记号{done.episode.register_no}")
    return Done(None, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])


@deed("2405")
async def cancel_discharging(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Take a discharge back."""
    data = message.input["data"]
    refusal = await cancel_discharge(
        tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], fixmedins_code=message.institution.fixmedins_code,
        now=message.received_at,
    )
    return refusal or Done(None, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])


@deed("2301")
async def upload_lines(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep fee lines of a stay and answer how each is split."""
    lines = [_line(line) for line in message.input["feedetail"]]
    kept = await upload_stay_lines(
        tx, lines=lines, institution=message.institution, shelf=services.policies, now=message.received_at
    )
    if isinstance(kept, Refusal):
        return kept
    message.warnings.extend(kept.warnings)
    output = {"result": [line_result(k) for k in kept.lines]}
    return Done(output, psn_no=lines[0].psn_no, mdtrt_id=lines[0].mdtrt_id)


def _line(line: dict[str, Any]) -> LineInput:
    return LineInput(
        sn=line["feedetl_sn"], psn_no=line["psn_no"], mdtrt_id=line["mdtrt_id"], batch="", disease_code="",
        rxno=line.get("drord_no", ""), outside_rx=False, occurred_at=line["fee_ocur_time"],
        item_code=line["med_list_codg"], local_code=line["medins_list_codg"],
        amount_fen=yuan_to_fen(line["det_item_fee_sumamt"]), quantity_e4=round_half_up(line["cnt"], 4),
        price_micro=round_half_up(line["pric"], 6), dept_code=line["bilg_dept_codg"],
        dept_name=line["bilg_dept_name"], doctor_code=line["bilg_dr_codg"], doctor_name=line["bilg_dr_name"],
        hosp_appr_flag=line.get("hosp_appr_flag", "0"),
        detail={name: str(line[name]) for name in LINE_DETAIL if name in line},
        init_sn=line.get("init_feedetl_sn", ""), med_type=line["med_type"],
    )


@deed("2302")
async def withdraw_lines(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Withdraw unsettled fee lines of one stay."""
    rows = message.input["data"]
    psn_no, mdtrt_id = rows[0]["psn_no"], rows[0]["mdtrt_id"]
    if any((row["psn_no"], row["mdtrt_id"]) != (psn_no, mdtrt_id) for row in rows):
        return refuse("SEVERAL_ENCOUNTERS", "一次撤销的明细须属于同一次住院", field="data[].mdtrt_id", received=mdtrt_id,
                      remedy="请按住院分开撤销")
    refusal = await withdraw_stay_lines(
        tx, psn_no=psn_no, mdtrt_id=mdtrt_id, serials=[row["feedetl_sn"] for row in rows],
        fixmedins_code=message.institution.fixmedins_code,
    )
    return refusal or Done(None, psn_no=psn_no, mdtrt_id=mdtrt_id)


def _bill(message: Message, *, is_trial: bool) -> StayBill:
    data = message.input["data"]
    return StayBill(
        psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], insutype=data["insutype"],
        medfee_fen=yuan_to_fen(data["medfee_sumamt"]), account_use=data.get("acct_used_flag", "0"),
        cert_type=data["mdtrt_cert_type"],
        splits=() if is_trial else tuple(yuan_to_fen(data.get(name, Decimal(0))) for name in SPLITS),
        invono=data.get("invono", ""), setlway=data.get("psn_setlway", "01"), is_interim=data["mid_setl_flag"] == "1",
        is_trial=is_trial, exp_content=exp_content(data), discharge_on=_day(data.get("dscgTime") or data.get("dscg_time")),
    )


def _day(value: date | datetime | None) -> date | None:
    return business_date(value) if isinstance(value, datetime) else value


def _quoted(settled: Settled) -> Output:
    return _with_second_names(settled, settling.settled_output(settled, final=False))


def _settled(settled: Settled) -> Output:
    return settling.settled_output(settled, final=True)


def _with_second_names(settled: Settled, output: dict[str, Any]) -> dict[str, Any]:
    """Add the second set of names that real platforms send beside the first in 2303."""
    s, info = settled.settlement, output["setlinfo"]
    info |= {
        "insu_admdvs": s.admdvs, "psn_pay": yuan(s.person_fen), "cashPayamt": yuan(s.cash_fen),
        "inscp_amt": yuan(s.scope_fen), "othfund_pay": yuan(s.oth_fen), "ownpay_hosp_part": yuan(s.hospital_fen),
        "crt_dedc": yuan(s.deductible_fen),
    }
    return output


@query("2303")
async def quote_stay(message: Message, services: Services) -> Output | Refusal:
    """Answer a trial settlement of a stay; nothing is written."""
    return await settling.quote(message, services, way=STAY, bill=_bill(message, is_trial=True), output=_quoted)


@whole_deed("2304")
async def settle_stay(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Settle what is open of a stay, for good or as an interim."""
    bill = _bill(message, is_trial=False)
    return await settling.settle(message, services, encode, way=STAY, bill=bill, output=_settled)


@whole_deed("2305")
async def cancel_stay_settlement(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Cancel a settlement of a stay as a whole; the last one first."""
    return await settling.cancel(message, services, encode)


@deed("2406")
async def register_stay_flag(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Register a special flag of somebody in hospital."""
    data = message.input["data"]
    command = FlagCommand(
        psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], cert_type=data["psn_cert_type"], certno=data["certno"],
        name=data["psn_name"], visit_no=data["ipt_otp_no"], flag_type=data["ipt_psn_sp_flag_type"],
        flag=data["ipt_psn_sp_flag"], memo=data.get("memo", ""), opter=message.envelope.get("opter", ""),
    )
    flag = await register_flag(
        tx, command=command, fixmedins_code=message.institution.fixmedins_code,
        flag_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(flag, Refusal):
        return flag
    output = {"IptPsnSpFlagRegOut": {"ipt_psn_sp_flag_detl_id": flag.flag_id}}
    return Done(output, psn_no=flag.psn_no, mdtrt_id=flag.mdtrt_id)


@query("2407")
async def list_stay_flags(message: Message, services: Services) -> Output | Refusal:
    """List the flags that the asking institution registered, page by page."""
    data = message.input["data"]
    number, size = int(data["page_num"]), int(data["page_size"])
    if number < 1 or not 1 <= size <= PAGE_MAX:
        return refuse("PAGE_OUT_OF_RANGE", f"页码从1起，每页1至{PAGE_MAX}条", field="data.page_size", received=f"{number}/{size}",
                      remedy="请调整分页")
    wanted = stay_flags.FlagFilter(
        flag_id=data.get("ipt_psn_sp_flag_detl_id", ""), mdtrt_id=data.get("mdtrt_id", ""), psn_no=data.get("psn_no", ""),
        certno=data.get("certno", ""), name=data.get("psn_name", ""), visit_no=data.get("ipt_otp_no", ""),
        flag_type=data.get("ipt_psn_sp_flag_type", ""), flag=data.get("ipt_psn_sp_flag", ""),
    )
    async with services.database.connection() as tx:
        rows = await stay_flags.list_flags(
            tx, wanted, fixmedins_code=message.institution.fixmedins_code, limit=size, offset=(number - 1) * size
        )
    return {"IptPsnSpFlagReg": [_flag(r) for r in rows]}


def _flag(r: asyncpg.Record) -> dict[str, object]:
    return {
        "ipt_psn_sp_flag_detl_id": r["flag_id"], "mdtrt_id": r["mdtrt_id"], "psn_no": r["psn_no"],
        "psn_cert_type": r["cert_type"], "certno": r["certno"], "psn_name": r["name"],
        "fixmedins_code": r["fixmedins_code"], "fixmedins_name": r["fixmedins_name"], "ipt_otp_no": r["ipt_otp_no"],
        "ipt_psn_sp_flag_type": r["flag_type"], "ipt_psn_sp_flag": r["flag"], "admdvs": r["admdvs"],
    }


@query("5303")
async def in_hospital(message: Message, services: Services) -> Output | Refusal:
    """List who was admitted to the asking institution in a period and is not finally settled."""
    data = message.input["data"]
    async with services.database.connection() as tx:
        rows = await stays.list_in_hospital(
            tx, fixmedins_code=message.institution.fixmedins_code, psn_no=data.get("psn_no", ""), begin=data["begntime"],
            end=data["endtime"],
        )
    return {"data": [_in_hospital(r) for r in rows]}


def _in_hospital(r: asyncpg.Record) -> dict[str, object]:
    on = business_date(r["begin_at"])
    return {
        "mdtrt_id": r["mdtrt_id"], "psn_no": r["psn_no"], "psn_cert_type": r["psn_cert_type"], "certno": r["certno"],
        "psn_name": r["name"], "gend": r["sex"], "brdy": r["birth_on"], "age": age_on(r["birth_on"], on),
        "insutype": r["insutype"], "begndate": on, "med_type": r["med_type"], "ipt_otp_no": r["ipt_otp_no"],
        "out_flag": "0" if r["admdvs"] == r["care_admdvs"] else "1",
    }
