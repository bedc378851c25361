"""Ask that the decision about a claim be looked at again: once, by other people, and never to the person's disadvantage."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.claims.kinds import kinds
from yibao.domains.claims.model import RELEASED, SETTLED, Bill, Claim
from yibao.domains.claims.operations import set_live
from yibao.domains.claims.queries import find_appeal, list_bills, list_lines
from yibao.domains.services.model import REJECTED
from yibao.domains.services.queries import find_application, find_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.claims.commands import OpenClaim
from yibao.usecases.claims.desk import open_for, refuse_claim_state
from yibao.usecases.claims.duplicates import duplicate_faults
from yibao.usecases.claims.open_claim import Checked, file_claim
from yibao.usecases.services.commands import PaperGiven
from yibao.usecases.windows.pass_gate import NO_GATE, Gate


class AppealClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Against which claim's decision, why, and with which papers."""

    claim_id: str
    reason: str
    channel: str = "window"
    phone: str = ""
    materials: list[PaperGiven] = []


async def appeal_claim(
    tx: Connection, command: AppealClaim, *, actor: Actor, now: datetime, ids: Ids, gate: Gate = NO_GATE
) -> Claim | Refusal:
    """Open a claim with the same receipts and lines, whose decision replaces the first one.

    Possible once, against a claim that was rejected or paid; what was paid stays paid meanwhile. Lines may be corrected.
    """
    first = await open_for(tx, command.claim_id, actor=actor)
    if isinstance(first, Refusal):
        return first
    refusal = refuse_claim_state(first, RELEASED, SETTLED) or await _refuse_appeal(tx, first, command)
    if refusal is not None:
        return refusal
    claim_id = ids.new(now)
    named = {"psn_no": first.psn_no, "claim_id": first.claim_id}
    bills = [_again(bill, claim_id) for bill in await list_bills(tx, **named)]
    lines = [msgspec.structs.replace(line, claim_id=claim_id) for line in await list_lines(tx, **named)]
    await set_live(tx, **named, is_live=False)
    faults, hints, visits, episodes = await duplicate_faults(
        tx, bills, today=business_date(now), other_than=first.claim_id)
    if faults:
        return Refusal(tuple(faults))
    person = await find_person(tx, first.psn_no)
    assert person is not None
    return await file_claim(
        tx, _as_opened(first, command), kind=kinds()[first.kind], claim_id=claim_id, admdvs=first.admdvs,
        name=person["name"], bills=bills, lines=lines, actor=actor, now=now, ids=ids, appeal_of=first.claim_id,
        gate=gate, checked=Checked([f"复核申请：{command.reason.strip()}", *hints], visits, episodes, first.plan,
                                   first.rule, first.claim_by))


async def _refuse_appeal(tx: Connection, first: Claim, command: AppealClaim) -> Refusal | None:
    if not command.reason.strip():
        return refuse("REASON_MISSING", "申请复核须写明理由", field="reason", remedy="请填写理由")
    if first.appeal_of or await find_appeal(tx, psn_no=first.psn_no, claim_id=first.claim_id):
        return refuse("APPEAL_ONCE", "该报销申请已经复核过，复核只有一次", field="claim_id", received=first.claim_id,
                      remedy="对复核决定不服的，可依法申请行政复议或提起行政诉讼")
    application = await find_application(tx, first.application_id)
    if first.state == RELEASED and (application is None or application.state != REJECTED):
        return refuse("NOTHING_DECIDED", "该报销申请没有作出决定，不能申请复核", field="claim_id", received=first.claim_id,
                      remedy="可重新申请手工报销")
    return None


def _again(bill: Bill, claim_id: str) -> Bill:
    return msgspec.structs.replace(bill, claim_id=claim_id, kept_id="", setl_id="", fund_fen=0, is_live=True)


def _as_opened(first: Claim, command: AppealClaim) -> OpenClaim:
    return OpenClaim(
        psn_no=first.psn_no, kind=first.kind, insutype=first.insutype, cause=first.cause, payee_name=first.payee_name,
        bank_name=first.bank_name, bank_account=first.bank_account, bills=[], channel=command.channel, phone=command.phone,
        division=first.division, materials=command.materials)
