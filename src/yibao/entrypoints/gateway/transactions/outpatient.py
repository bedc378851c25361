"""2201-2205: registration, visit, fee lines, and undoing each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from yibao.domains.applications.model import Maternity
from yibao.domains.encounters.stays import find_open_stay
from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.database import Connection
from yibao.kernel.money import round_half_up, yuan_to_fen
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.filings.case_facts import maternity_of
from yibao.usecases.pharmacy.dispense_lines import dispense_lines, give_back_withdrawn
from yibao.usecases.pharmacy.purchase_benefit import refuse_unpaid_purchase
from yibao.usecases.visits.fee_line import LineInput, UploadedLine
from yibao.usecases.visits.record_visit import DiagnosisInput, VisitCommand, record_visit
from yibao.usecases.visits.register_visit import RegisterCommand, cancel_registration, register_visit
from yibao.usecases.visits.upload_fee_lines import upload_fee_lines, withdraw_fee_lines

NO_PRICE_LIMIT = Decimal("999999")
"""What a line without a price limit shows as ``pric_uplmt_amt``."""
LINE_DETAIL = (
    "sin_dos_dscr", "used_frqu_dscr", "prd_days", "medc_way_dscr", "acord_dept_codg", "acord_dept_name",
    "orders_dr_code", "orders_dr_name", "tcmdrug_used_way", "etip_flag", "etip_hosp_code", "dscg_tkdrug_flag",
    "matn_fee_flag", "memo", "comb_no",
)
"""Line fields that are kept for enquiries but decide nothing here."""


@deed("2201")
async def register(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Register a visit and issue its id."""
    data = message.input["data"]
    command = RegisterCommand(
        psn_no=data["psn_no"], insutype=data["insutype"], begin_at=data["begntime"], cert_type=data["mdtrt_cert_type"],
        cert_no=data["mdtrt_cert_no"], visit_no=data["ipt_otp_no"], doctor_code=data["atddr_no"],
        doctor_name=data["dr_name"], dept_code=data["dept_code"], dept_name=data["dept_name"], caty=data["caty"],
        insured_place=message.envelope.get("insuplc_admdvs", ""), opter=message.envelope.get("opter", ""),
        opter_name=message.envelope.get("opter_name", ""),
    )
    encounter = await register_visit(
        tx, command=command, institution=message.institution, mdtrt_id=services.ids.new(message.received_at),
        now=message.received_at,
    )
    if isinstance(encounter, Refusal):
        return encounter
    there = await find_open_stay(tx, encounter.psn_no)
    if there is not None:
        message.warnings.append(f"参保人正在{there['name']}住院（就诊ID {there['mdtrt_id']}），请核对住院期间的门诊费用")
    output = {"data": {"mdtrt_id": encounter.mdtrt_id, "psn_no": encounter.psn_no, "ipt_otp_no": encounter.ipt_otp_no,
                       "exp_content": None}}
    return Done(output, psn_no=encounter.psn_no, mdtrt_id=encounter.mdtrt_id)


@deed("2202")
async def cancel_register(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Cancel a registration."""
    data = message.input["data"]
    refusal = await cancel_registration(
        tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], visit_no=data["ipt_otp_no"],
        fixmedins_code=message.institution.fixmedins_code,
    )
    return refusal or Done(None, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])


@deed("2203", "2203A")
async def record(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Record a visit with its diagnoses; diagnoses marked invalid are left out."""
    info: dict[str, Any] = message.input["mdtrtinfo"]
    command = VisitCommand(
        psn_no=info["psn_no"], mdtrt_id=info["mdtrt_id"], med_type=info["med_type"], begin_at=info["begntime"],
        disease_code=info.get("dise_codg", ""), disease_name=info.get("dise_name", ""),
        condition=info.get("main_cond_dscr", ""), maternity=maternity(info), exp_content=exp_content(info),
        diagnoses=[_diagnosis(d) for d in message.input.get("diseinfo", ()) if d.get("vali_flag", "1") != "0"],
    )
    refusal = await record_visit(
        tx, command=command, fixmedins_code=message.institution.fixmedins_code,
        med_type_text=code_text("med_type", command.med_type), now=message.received_at,
    ) or await refuse_unpaid_purchase(
        tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, institution=message.institution, shelf=services.policies
    )
    return refusal or Done(None, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)


def maternity(info: dict[str, Any]) -> Maternity:
    """Return what the maternity fields of a node say."""
    return maternity_of(
        matn_type=info.get("matn_type", ""), birctrl_type=info.get("birctrl_type", ""), weeks=info.get("geso_val"),
        foetuses=info.get("fetus_cnt"),
    )


def exp_content(info: dict[str, Any]) -> str:
    """Return the extension field of a node in either spelling."""
    return str(info.get("exp_content", "") or info.get("expContent", ""))


def _diagnosis(d: dict[str, Any]) -> DiagnosisInput:
    ordinal = int(d["diag_srt_no"])
    main = d["maindiag_flag"] == "1" if "maindiag_flag" in d else ordinal == 1
    return DiagnosisInput(
        kind=d["diag_type"], ordinal=ordinal, code=d["diag_code"], name=d["diag_name"], dept=d["diag_dept"],
        doctor_code=d["dise_dor_no"], doctor_name=d["dise_dor_name"], at=d["diag_time"], is_main=main,
    )


@deed("2204")
async def upload(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep fee lines and answer how each is split."""
    lines = [_line(line) for line in message.input.get("feedetail", ())]
    if not lines:
        return refuse("NO_FEE_LINES", "没有费用明细", field="feedetail", remedy="请上传至少一条明细")
    kept = await upload_fee_lines(
        tx, lines=lines, institution=message.institution, shelf=services.policies, now=message.received_at,
        gate=services.gate,
    )
    if isinstance(kept, Refusal):
        return kept
    refusal = await dispense_lines(tx, [k.line for k in kept.lines], institution=message.institution)
    if refusal is not None:
        return refusal
    message.warnings.extend(kept.warnings)
    return Done({"result": [line_result(k) for k in kept.lines]}, psn_no=lines[0].psn_no, mdtrt_id=lines[0].mdtrt_id)


def _line(line: dict[str, Any]) -> LineInput:
    return LineInput(
        sn=line["feedetl_sn"], psn_no=line["psn_no"], mdtrt_id=line["mdtrt_id"], batch=line["chrg_bchno"],
        disease_code=line.get("dise_codg", ""), rxno=line.get("rxno", ""),
        outside_rx=line.get("rx_circ_flag") == "1", occurred_at=line["fee_ocur_time"],
        item_code=line["med_list_codg"], local_code=line["medins_list_codg"],
        amount_fen=yuan_to_fen(line["det_item_fee_sumamt"]), quantity_e4=round_half_up(line["cnt"], 4),
        price_micro=round_half_up(line["pric"], 6), dept_code=line["bilg_dept_codg"],
        dept_name=line["bilg_dept_name"], doctor_code=line["bilg_dr_codg"], doctor_name=line["bilg_dr_name"],
        hosp_appr_flag=line.get("hosp_appr_flag", "0"),
        detail={name: str(line[name]) for name in LINE_DETAIL if name in line},
    )


def line_result(kept: UploadedLine) -> dict[str, object]:
    """Return how an uploaded line is split, as 2204 and 2301 answer it."""
    x = kept.line
    limit = NO_PRICE_LIMIT if x.limit_micro is None else Decimal(x.limit_micro).scaleb(-6)
    return {
        "feedetl_sn": x.feedetl_sn, "det_item_fee_sumamt": yuan(x.amount_fen), "cnt": Decimal(x.quantity_e4).scaleb(-4),
        "pric": Decimal(x.price_micro).scaleb(-6), "pric_uplmt_amt": limit,
        "selfpay_prop": Decimal(x.first_pay).scaleb(-4), "fulamt_ownpay_amt": yuan(x.own_fen),
        "overlmt_amt": yuan(x.over_fen), "preselfpay_amt": yuan(x.first_fen), "inscp_scp_amt": yuan(x.scope_fen),
        "chrgitm_lv": x.class_level, "med_chrgitm_type": x.charge_type, "bas_medn_flag": None,
        "hi_nego_drug_flag": "1" if kept.term.negotiated else "0", "chld_medc_flag": None, "list_sp_item_flag": None,
        "lmt_used_flag": "1" if x.restricted else "0", "drt_reim_flag": None, "memo": x.reason or None,
        "exp_content": None,
    }


@deed("2205")
async def withdraw(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Withdraw unsettled fee lines."""
    data = message.input["data"]
    refusal = await withdraw_fee_lines(
        tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], batch=data["chrg_bchno"],
        fixmedins_code=message.institution.fixmedins_code,
    )
    if refusal is not None:
        return refusal
    await give_back_withdrawn(
        tx, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], institution=message.institution
    )
    return Done(None, psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"])
