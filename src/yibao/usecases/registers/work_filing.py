"""Papers of a filing that came in while filings stood still: kept with the day of receipt, filed from that day later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.institutions.queries import find_institution
from yibao.domains.registers.model import COUNTER, DONE, PAPER_PROOF, Entry, NewEntry, Paper
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
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.registers.receive_entry import own_papers
from yibao.usecases.settlement.shelf import PolicyShelf

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
    tx: Connection, command: KeepFiling, *, plan: str, actor: Actor, now: datetime, ids: Ids
) -> Entry | Refusal:
    """Keep papers of a filing under a number; the filing holds from the day of receipt, or its own earlier day on paper.

    A referral is a paper that stands in for the electronic one: it keeps the day that is written on it.
    """
    form = FORMS.get(command.filing)
    if form is None:
        return refuse("FILING_UNKNOWN", "没有这种备案", field="filing", received=command.filing[:40],
                      remedy=f"请填写{'、'.join(FORMS)}")
    content = {**command.content, "psn_no": command.psn_no}
    try:
        msgspec.convert(content, form, strict=False)
    except msgspec.ValidationError as error:
        return refuse("FILING_INVALID", "备案内容不完整或格式不对", field="content", received=str(error)[:120],
                      remedy="请按备案的内容格式填写")
    is_proof = command.filing == "referral"
    return await add_entry(tx, NewEntry(
        admdvs=command.admdvs, kind=PAPER_PROOF if is_proof else COUNTER, plan=plan, business=_BUSINESS[command.filing],
        psn_no=command.psn_no, applicant_name=command.applicant_name, phone=command.phone,
        fixmedins_code=command.fixmedins_code, effective_on=None if is_proof else business_date(now),
        body={FILING: command.filing, "content": content}, papers=own_papers(command.papers),
    ), actor=actor, now=now, ids=ids)


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
    # The law's periods run from the day the paper was handed in: what was filed then is only entered now.
    at = entry.received_at
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
