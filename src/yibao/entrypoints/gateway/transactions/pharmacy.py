"""2101 trial, 2102 settlement, 2103 cancellation of a sale at a pharmacy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from yibao.entrypoints.gateway import settling
from yibao.entrypoints.gateway.registry import Encode, Message, Output, Services, query, whole_deed
from yibao.entrypoints.gateway.transactions.prescription_words import filled
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.messages import Replayed
from yibao.kernel.money import round_half_up, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.usecases.episodes.supply import supply_faults
from yibao.usecases.settlement.sale import ONLY_BATCH, SALE_WAY, SaleBill, SaleCase
from yibao.usecases.settlement.way import Settled
from yibao.usecases.visits.fee_line import LineInput

NO_PRICE_LIMIT = Decimal("999999")
"""What a line without a price limit shows as ``pric_uplmt_amt``."""
LINE_DETAIL = ("sin_dos_dscr", "used_frqu_dscr", "prd_days", "medc_way_dscr", "tcmdrug_used_way", "exp_content")
"""Line fields that are kept for enquiries but decide nothing here."""
OUTSIDE = "1"


def _bill(message: Message, services: Services) -> SaleBill:
    head, envelope = message.input["druginfo"], message.envelope
    mdtrt_id = services.ids.new(message.received_at)
    lines = [_line(line, head, mdtrt_id) for line in message.input.get("drugdetail", ())]
    too_long = supply_faults(lines, med_type=head["med_type"], kind="pharmacy", admdvs=message.institution.region,
                             at=head["begntime"], gate=services.gate, node="drugdetail")
    return SaleBill(
        psn_no=head["psn_no"], insutype=head["insutype"], medfee_fen=yuan_to_fen(head["medfee_sumamt"]),
        account_use=head.get("acct_used_flag", "0"), cert_type=head["mdtrt_cert_type"], invono=head.get("invono", ""),
        pharmacy=message.institution.fixmedins_code, mdtrt_id=mdtrt_id,
        med_type=head["med_type"], med_type_text=code_text("med_type", head["med_type"]), begin_at=head["begntime"],
        cert_no=head["mdtrt_cert_no"], disease_code=head.get("dise_codg", ""), disease_name=head.get("dise_name", ""),
        insured_place=envelope.get("insuplc_admdvs", ""), exp_content=head.get("exp_content", ""),
        lines=lines, opter=envelope.get("opter", ""), opter_name=envelope.get("opter_name", ""),
        received_at=message.received_at, too_long=tuple(too_long),
    )


def _line(line: dict[str, Any], head: dict[str, Any], mdtrt_id: str) -> LineInput:
    detail = {name: str(line[name]) for name in LINE_DETAIL if name in line}
    codes = [code["drug_trac_codg"] for code in line.get("durg_trac_info", ())]
    if codes:
        detail["trace_codes"] = " ".join(codes)
    return LineInput(
        sn=line["feedetl_sn"], psn_no=head["psn_no"], mdtrt_id=mdtrt_id, batch=ONLY_BATCH,
        disease_code=head.get("dise_codg", ""), rxno=line.get("rxno", ""),
        outside_rx=line.get("rx_circ_flag") == OUTSIDE, occurred_at=line.get("fee_ocur_time", head["begntime"]),
        item_code=line["med_list_codg"], local_code=line["medins_list_codg"],
        amount_fen=yuan_to_fen(line["det_item_fee_sumamt"]), quantity_e4=round_half_up(line["cnt"], 4),
        price_micro=round_half_up(line["pric"], 6), dept_code="", dept_name="",
        doctor_code=line.get("bilg_dr_codg", ""), doctor_name=line.get("bilg_dr_name", ""), hosp_appr_flag="0",
        detail=detail,
    )


def _quoted(settled: Settled) -> Output:
    return _output(settled, final=False)


def _settled(settled: Settled) -> Output:
    return _output(settled, final=True)


def _output(settled: Settled, *, final: bool) -> dict[str, Any]:
    """Return the output of a settlement with how each line splits."""
    opened = settled.opened
    assert isinstance(opened, SaleCase)
    output = settling.settled_output(settled, final=final)
    if not final:
        del output["setlinfo"]["setl_id"]  # the table of a trial has none
    output["detlcutinfo"] = [
        {
            "feedetl_sn": x.feedetl_sn, "det_item_fee_sumamt": yuan(x.amount_fen),
            "cnt": Decimal(x.quantity_e4).scaleb(-4), "pric": Decimal(x.price_micro).scaleb(-6),
            "pric_uplmt_amt": NO_PRICE_LIMIT if x.limit_micro is None else Decimal(x.limit_micro).scaleb(-6),
            "selfpay_prop": Decimal(x.first_pay).scaleb(-4), "fulamt_ownpay_amt": yuan(x.own_fen),
            "overlmt_amt": yuan(x.over_fen), "preselfpay_amt": yuan(x.first_fen), "inscp_scp_amt": yuan(x.scope_fen),
            "chrgitm_lv": x.class_level, "med_chrgitm_type": x.charge_type, "bas_medn_flag": None,
            "hi_nego_drug_flag": "1" if opened.terms[x.item_code].negotiated else "0", "chld_medc_flag": None,
            "list_sp_item_flag": None, "drt_reim_flag": None, "memo": x.reason or None,
        }
        for x in opened.lines
    ]
    return output


def _refunded(output: Output) -> Output:
    """Return the output of a cancellation in the table of 2103: it does not repeat the person, and has no empty limit."""
    assert isinstance(output, dict)
    payers = [{**row, "crt_payb_lmt_amt": yuan(0)} for row in output["setldetail"]]
    return {"setlinfo": filled("2103", "setlinfo", output["setlinfo"]), "setldetail": payers}


@query("2101")
async def quote(message: Message, services: Services) -> Output | Refusal:
    """Answer a trial sale; nothing is written, and its ``mdtrt_id`` is never used again."""
    return await settling.quote(message, services, way=SALE_WAY, bill=_bill(message, services), output=_quoted)


@whole_deed("2102")
async def sell(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Settle a sale: the purchase, its lines, its money and what it takes of prescriptions in one write."""
    return await settling.settle(
        message, services, encode, way=SALE_WAY, bill=_bill(message, services), output=_settled
    )


@whole_deed("2103")
async def cancel_sale(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Cancel a sale as a whole; what it took of prescriptions is given back."""
    return await settling.cancel(message, services, lambda output: encode(_refunded(output)))
