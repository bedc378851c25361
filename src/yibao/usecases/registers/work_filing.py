"""Papers of a filing that came in while filings stood still: kept with the day of receipt, filed from that day later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.institutions.queries import find_institution
from yibao.domains.registers.model import COUNTER, DONE, PAPER_PROOF, Entry, NewEntry, Paper
from yibao.domains.windows.model import Asked, Rule
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.filings.decide_filing import write_audit
from yibao.usecases.filings.file_injury import InjuryCommand, file_injury
from yibao.usecases.filings.file_maternity import MaternityCommand, file_maternity
from yibao.usecases.filings.file_referral import ReferralCommand, file_referral
from yibao.usecases.filings.insured import Operator
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.asking import plan_name
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.registers.receive_entry import own_papers
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import Gate

PROOF, ON_RECEIPT = "paper_proof", "accept_effective_on_receipt"
FILING = "filing"
"""Key of a row's body that says which filing its papers are for."""
FORMS: Mapping[str, type[Any]] = {
    "maternity": MaternityCommand, "injury": InjuryCommand, "referral": ReferralCommand,
}
_BUSINESS: Mapping[str, str] = {"maternity": "maternity_filing", "injury": "injury_review", "referral": "referral"}
_TITLES: Mapping[str, str] = {"maternity": "生育登记", "injury": "意外伤害登记", "referral": "转诊备案"}


class KeepFiling(msgspec.Struct, frozen=True, kw_only=True):
    """Papers of a filing as they come in.

    Attributes:
        filing: ``maternity``, ``injury`` or ``referral``; content: the filing itself, in the fields of its command.
        fixmedins_code: of the institution that signed, for a referral.
    """

    admdvs: str
    filing: str
    psn_no: str
    applicant_name: str
    content: Mapping[str, Any]
    phone: str = ""
    fixmedins_code: str = ""
    papers: tuple[Paper, ...] = ()


async def keep_filing(
    tx: Connection, command: KeepFiling, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Entry | Refusal:
    """Keep papers of a filing under a number, as the plan's rule has it.

    ``accept_effective_on_receipt``: it holds from the day of receipt. ``accept_register``: from the day it asks for.
    ``paper_proof``: the paper stands in for the electronic act, the filing keeps the day that is written on it.
    Refused where filings are open, and where the plan lets nobody hand a paper in.
    """
    form = FORMS.get(command.filing)
    if form is None:
        return refuse("FILING_UNKNOWN", "没有这种备案", field="filing", received=command.filing[:40],
                      remedy=f"请填写{'、'.join(FORMS)}")
    if command.admdvs not in actor.regions:
        return refuse("OTHER_REGION", "不能代其他统筹区收件", field="admdvs", received=command.admdvs, remedy="请到参保地办理")
    content = {**command.content, "psn_no": command.psn_no}
    try:
        msgspec.convert(content, form, strict=False)
    except msgspec.ValidationError as error:
        return refuse("FILING_INVALID", "备案内容不完整或格式不对", field="content", received=str(error)[:120],
                      remedy="请按备案的内容格式填写")
    rule = _rule_of(gate, command, now)
    if isinstance(rule, Refusal):
        return rule
    is_proof = rule.disposition == PROOF
    named = str(rule.terms.get("register", "")) or (PAPER_PROOF if is_proof else COUNTER)
    return await add_entry(tx, NewEntry(
        admdvs=command.admdvs, kind=named, plan=plan_name(gate, command.admdvs, now), business=_BUSINESS[command.filing],
        psn_no=command.psn_no, applicant_name=command.applicant_name, phone=command.phone,
        fixmedins_code=command.fixmedins_code, effective_on=business_date(now) if rule.disposition == ON_RECEIPT else None,
        body={FILING: command.filing, "content": content, "rule": rule.id, "disposition": rule.disposition},
        papers=own_papers(command.papers),
    ), actor=actor, now=now, ids=ids)


def _rule_of(gate: Gate, command: KeepFiling, now: datetime) -> Rule | Refusal:
    """Return the rule by which a paper is kept now."""
    judged = gate.ask(Asked(business=_BUSINESS[command.filing], admdvs=command.admdvs, channel="window"), now)
    # A paper that proves the act is worth more than its place in a list: it is looked for first.
    for disposition in (PROOF, ON_RECEIPT, "accept_register"):
        found = next((hit.rule for hit in judged.hits if hit.rule.disposition == disposition), None)
        if found is not None:
            return found
    return judged.refusal or refuse(
        "FILING_OPEN", f"{_TITLES[command.filing]}正常办理，不需要登记纸质材料", field="filing", received=command.filing,
        remedy="请直接备案")


async def file_paper(
    tx: Connection, entry: Entry, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> str | Refusal:
    """File what the papers of a row are about, as of the instant they came in, and end the row with the filing's number."""
    body = msgspec.json.decode(entry.body)
    filing, content = body[FILING], dict(body["content"])
    if entry.effective_on is not None:
        content["begin"] = entry.effective_on.isoformat()
    command = msgspec.convert(content, FORMS[filing], strict=False)
    operator, filing_id = Operator("", actor.login, actor.login), ids.new(now)
    # What holds from its receipt, or stood in for the act, was filed when it was handed in: it is only entered now.
    at = entry.received_at if body["disposition"] in (ON_RECEIPT, PROOF) else now
    if filing == "maternity":
        filed: Any = await file_maternity(tx, command=command, operator=operator, shelf=shelf, filing_id=filing_id, now=at)
    elif filing == "injury":
        filed = await file_injury(tx, command=command, operator=operator, filing_id=filing_id, now=at)
    else:
        institution = await find_institution(tx, entry.fixmedins_code)
        if institution is None:
            return refuse("INSTITUTION_NOT_FOUND", "没有这家定点医药机构", field="fixmedins_code", received=entry.fixmedins_code,
                          remedy="请核对出具证明的医院")
        filed = await file_referral(
            tx, command=command, institution=institution, shelf=shelf, filing_id=filing_id, now=at,
            operator=Operator(institution.fixmedins_code, actor.login, actor.login))
    if isinstance(filed, Refusal):
        return filed
    await write_audit(
        tx, verb=f"file_{filing}", filing_id=filing_id, admdvs=entry.admdvs, operator=actor.login, content=filed, ids=ids,
        now=now, channel=actor.channel)
    ended = await close_entry(tx, entry.register_no, state=DONE, now=now, actor=actor, ids=ids,
                              result=f"{_TITLES[filing]}{filing_id}，自{filed.valid_from}起有效")
    return ended if isinstance(ended, Refusal) else ended.result
