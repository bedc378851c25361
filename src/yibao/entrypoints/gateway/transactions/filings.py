"""2501-2507 filings and choices, 5302 chosen institutions, 5304 referrals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from yibao.domains.applications import queries
from yibao.domains.applications.model import APPROVED
from yibao.domains.enrolment.queries import list_relations
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.file_choice import ChoiceCommand, cancel_choice, file_choice
from yibao.usecases.filings.file_chronic import ChronicCommand, cancel_chronic, file_chronic
from yibao.usecases.filings.file_injury import BY_INSTITUTION, Identity, InjuryCommand, file_accident
from yibao.usecases.filings.file_referral import IN_CITY, ReferralCommand, cancel_referral, file_referral
from yibao.usecases.filings.insured import Cancelling, Operator
from yibao.usecases.registers.delegation import note_decision

CONTACT = ("tel", "addr", "memo", "exp_content")
AGENT = ("agnter_name", "agnter_cert_type", "agnter_certno", "agnter_tel", "agnter_addr", "agnter_rlts")
REFERRAL_DETAIL = ("tel", "addr", "dise_cond_dscr", "refl_rea", "refl_opnn", "refl_used_flag")
INJURY_DETAIL = ("fixmedins_name", "hosp_lv", "emp_no", "emp_name", "adm_time", "mdtrtarea_admdvs")
AGREED, PAYS = "1", "1"


@deed("2501")
async def file_transfer(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """File a referral."""
    data = message.input["refmedin"]
    command = ReferralCommand(
        psn_no=data["psn_no"], insutype=data.get("insutype", ""), insured_place=data.get("insu_optins", ""),
        diagnosis_code=data["diag_code"], diagnosis_name=data["diag_name"], to_code=data["reflin_medins_no"],
        to_name=data["reflin_medins_name"], care_admdvs=data["mdtrtarea_admdvs"],
        agreed=data.get("hosp_agre_refl_flag", AGREED) == AGREED, kind=data["refl_type"], referred_on=data["refl_date"],
        begin=data.get("begndate"), end=data.get("enddate"), from_mdtrt_id=data.get("refl_old_mdtrt_id", ""),
        detail=_detail(data, REFERRAL_DETAIL),
    )
    filed = await file_referral(
        tx, command=command, institution=message.institution, operator=_operator(message), shelf=services.policies,
        filing_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(filed, Refusal):
        return filed
    return Done({"result": {"trt_dcla_detl_sn": filed.filing_id}}, psn_no=filed.psn_no)


@deed("2502")
async def cancel_transfer(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Cancel a referral."""
    cancelling = _cancelling(message)
    output = {"result": {"trt_dcla_detl_sn": cancelling.filing_id}}
    return await cancel_referral(tx, cancelling) or Done(output, psn_no=cancelling.psn_no)


@deed("2503")
async def file_disease(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """File a chronic disease; where the agency decides, a warning says that the recognition is still to come."""
    data = message.input["data"]
    command = ChronicCommand(
        psn_no=data["psn_no"], insutype=data["insutype"], insured_place=data["insu_optins"],
        disease_code=data["opsp_dise_code"], disease_name=data["opsp_dise_name"],
        fixmedins_code=data["ide_fixmedins_no"], fixmedins_name=data["ide_fixmedins_name"],
        doctor_code=data["diag_dr_codg"], doctor_name=data["diag_dr_name"], examined_on=data["hosp_ide_date"],
        begin=data["begndate"], end=data.get("enddate"), detail=_detail(data, CONTACT),
    )
    filed = await file_chronic(
        tx, command=command, institution=message.institution, operator=_operator(message), shelf=services.policies,
        filing_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(filed, Refusal):
        return filed
    if filed.state != APPROVED:
        message.warnings.append("备案已受理，待经办机构审核通过后方可享受待遇，请用5301查询")
    last = last_day(filed.valid_to)
    if last is not None and last != command.end:
        message.warnings.append(f"认定至{last}止，届时须复审后重新备案")
    return Done({"result": {"trt_dcla_detl_sn": filed.filing_id, "exp_content": None}}, psn_no=filed.psn_no)


@deed("2504")
async def cancel_disease(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Take the filing of a chronic disease back."""
    cancelling = _cancelling(message)
    return await cancel_chronic(tx, cancelling) or Done(None, psn_no=cancelling.psn_no)


@deed("2505")
async def choose_institution(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """File the choice of an outpatient institution. Its number stands in ``output`` too: a known client reads it there."""
    data = message.input["data"]
    command = ChoiceCommand(
        psn_no=data["psn_no"], kind=data["biz_appy_type"], ordinal=data["fix_srt_no"],
        fixmedins_code=data["fixmedins_code"], fixmedins_name=data["fixmedins_name"], begin=data["begndate"],
        end=data.get("enddate"), detail={n: str(data[n]) for n in (*CONTACT, *AGENT) if n in data},
    )
    filed = await file_choice(
        tx, command=command, institution=message.institution, operator=_operator(message), shelf=services.policies,
        filing_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(filed, Refusal):
        return filed
    number = {"trt_dcla_detl_sn": filed.filing_id}
    return Done({**number, "result": {**number, "exp_content": None}}, psn_no=filed.psn_no)


@deed("2506")
async def cancel_chosen(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Take a choice back."""
    cancelling = _cancelling(message)
    return await cancel_choice(tx, cancelling) or Done(None, psn_no=cancelling.psn_no)


@deed("2507")
async def file_accident_of(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """File an accident that the hospital has looked into."""
    data = message.input["data"]
    command = InjuryCommand(
        psn_no=data["psn_no"], insutype=data.get("insutype", ""), kind="accident", injured_on=data.get("trum_time"),
        place=data.get("trum_site", ""), cause=data.get("trum_rea", ""), has_undertaking=False,
        approved=data["chk_pay_flag"] == PAYS, begin=data["begndate"], end=data.get("enddate"),
        detail=_detail(data, (*CONTACT, *AGENT, *INJURY_DETAIL)),
    )
    identity = Identity(
        cert_type=data["psn_cert_type"], certno=data["certno"], name=data["psn_name"],
        insured_place=data["insu_admdvs"], source=data["dcla_souc"], fixmedins_code=data.get("fixmedins_code", ""),
    )
    filed = await file_accident(
        tx, command=command, identity=identity, institution=message.institution, operator=_operator(message),
        filing_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(filed, Refusal):
        return filed
    # While a window leaves the decision to hospitals, each one stands in the book that the agency audits.
    await note_decision(
        tx, services.gate, filing_id=filed.filing_id, psn_no=filed.psn_no, name=data["psn_name"], admdvs=filed.admdvs,
        fixmedins_code=message.institution.fixmedins_code, facts={"approved": filed.approved, "place": filed.place},
        actor=Actor(login=filed.opter, channel="gateway", sender=message.key.sender, regions=(filed.admdvs,)),
        now=message.received_at, ids=services.ids,
    )
    return Done({"result": {"trt_dcla_detl_sn": filed.filing_id}}, psn_no=filed.psn_no)


@query("5302")
async def chosen_institutions(message: Message, services: Services) -> Output | Refusal:
    """List the institutions a person has chosen, those that begin later included."""
    data, today = message.input["data"], business_date(message.received_at)
    async with services.database.connection() as tx:
        rows = await queries.list_choices(tx, data["psn_no"], kind=data["biz_appy_type"], on=today)
        relations = await list_relations(tx, data["psn_no"])
    insutype = next((r["insutype"] for r in relations if r["insured_on"] <= today), None)
    return {
        "psnfixmedin": [
            {
                "psn_no": r.psn_no, "insutype": insutype, "fix_srt_no": r.ordinal, "fixmedins_code": r.fixmedins_code,
                "fixmedins_name": r.fixmedins_name, "begndate": r.valid_from, "enddate": last_day(r.valid_to),
                "memo": None,
            }
            for r in rows
        ]
    }


@query("5304")
async def referrals(message: Message, services: Services) -> Output | Refusal:
    """List a person's referrals of a period that the asking institution made or that name it."""
    data, sender = message.input["data"], message.institution.fixmedins_code
    begin = business_date(data["begntime"])
    end = business_date(data["endtime"]) if "endtime" in data else date.max
    async with services.database.connection() as tx:
        rows = await queries.list_referrals(tx, data["psn_no"], begin=begin, end=end)
    return {"refmedin": [_referral(r) for r in rows if sender in (r["from_code"], r["to_code"])]}


def _referral(r: Any) -> dict[str, object]:
    detail = msgspec.json.decode(r["detail"])
    return {
        "insutype": r["insutype"], "dcla_souc": BY_INSTITUTION, "psn_no": r["psn_no"], "psn_cert_type": r["cert_type"],
        "certno": r["certno"], "psn_name": r["name"], "gend": r["sex"], "brdy": r["birth_on"],
        "tel": detail.get("tel"), "addr": detail.get("addr"), "insu_optins": r["admdvs"], "emp_name": None,
        "diag_code": r["diagnosis_code"], "diag_name": r["diagnosis_name"],
        "dise_cond_dscr": detail.get("dise_cond_dscr"), "reflin_medins_no": r["to_code"],
        "reflin_medins_name": r["to_name"], "out_flag": "0" if r["kind"] == IN_CITY else "1",
        "refl_date": r["referred_on"], "refl_rea": detail.get("refl_rea", ""), "begndate": r["valid_from"],
        "enddate": last_day(r["valid_to"]), "hosp_agre_refl_flag": AGREED, "opter_id": r["opter"],
        "opter_name": r["opter_name"], "opt_time": to_wire(r["filed_at"]),
    }


def _operator(message: Message) -> Operator:
    return Operator(
        message.institution.fixmedins_code, message.envelope.get("opter", ""), message.envelope.get("opter_name", "")
    )


def _cancelling(message: Message) -> Cancelling:
    data = message.input["data"]
    return Cancelling(
        data["psn_no"], data["trt_dcla_detl_sn"], message.institution.fixmedins_code, data.get("memo", ""),
        message.received_at,
    )


def _detail(data: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return what is kept but decides nothing, as JSON text."""
    return msgspec.json.encode({name: str(data[name]) for name in names if name in data}).decode()


def last_day(end: date | None) -> date | None:
    """Return the last day of a period that ends before ``end``."""
    return None if end is None else end - timedelta(days=1)
