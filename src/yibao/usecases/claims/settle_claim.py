"""Pay a claim: what approval of its application runs. What was reviewed is what is paid, or nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.claims.model import CALCULATED, REVERSED, SETTLED, Bill, Claim
from yibao.domains.claims.operations import change_claim, set_live
from yibao.domains.claims.queries import list_bills, lock_claim
from yibao.domains.services.rules import refuse_checker, same_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.claims.calculate_claim import decide_claim, detail_of
from yibao.usecases.claims.commands import SettleClaim
from yibao.usecases.claims.desk import open_for, refuse_claim_state
from yibao.usecases.claims.write_bills import BillWriter
from yibao.usecases.payouts.order_payout import Payout, order_payout
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

PURPOSE = "reimbursement"


class ClaimPaid(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that is settled; amounts in fen. ``payout_id`` is ``""`` where nothing is due to the person."""

    claim_id: str
    psn_no: str
    total_fen: int
    fund_fen: int
    cash_fen: int
    settlements: tuple[str, ...]
    payout_id: str


async def settle_claim(
    tx: Connection, command: SettleClaim, *, actor: Actor, checker: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    application_id: str = "",
) -> ClaimPaid | Refusal:
    """Settle the receipts of a claim and order its payment in one transaction.

    ``actor`` has reviewed the application and ``checker`` approves it; neither may have entered or calculated the claim in
    the other's stead, and of an appeal neither may have taken part in the first decision. Where the receipts come out
    otherwise than when they were calculated, nothing is paid: somebody has to review the new detail first.
    """
    claim = await open_for(tx, command.claim_id, actor=checker)
    if isinstance(claim, Refusal):
        return claim
    if claim.application_id != application_id:
        return refuse("CLAIM_OF_OTHER_APPLICATION", "该报销申请不属于这个办件", field="claim_id", received=claim.claim_id,
                      remedy="请在受理时生成的办件中审批")
    refusal = refuse_claim_state(claim, CALCULATED) or _refuse_eyes(claim, actor.login, checker.login)
    first = await _first_claim(tx, claim)
    if refusal is None and first is not None:
        refusal = _refuse_same_hands(first, actor.login, checker.login)
    if refusal is not None:
        return refusal
    decided = await decide_claim(tx, claim, shelf=shelf)
    if isinstance(decided, Refusal):
        return decided
    detail = detail_of(decided)
    refusal = _refuse_moved(claim, detail.digest, detail.fund_fen) or _refuse_lower(first, detail.fund_fen)
    if refusal is not None:
        return refusal
    writer = await BillWriter.open(tx, claim, actor=checker, now=now, ids=ids)
    if first is not None:
        await _undo_first(tx, first, claim, writer=writer, by=checker.login, now=now)
    bills = await writer.settle(decided)
    return await _pay(tx, claim, bills, already_fen=_paid(first), actor=actor, checker=checker, now=now, ids=ids)


async def _pay(
    tx: Connection, claim: Claim, bills: Sequence[Bill], *, already_fen: int, actor: Actor, checker: Actor, now: datetime,
    ids: Ids,
) -> ClaimPaid | Refusal:
    fund = sum(bill.fund_fen for bill in bills)
    due = fund - already_fen
    payout_id = f"cl-{claim.claim_id}" if due else ""
    if due:
        ordered = await order_payout(tx, Payout(
            payout_id=payout_id, admdvs=claim.admdvs, purpose=PURPOSE, psn_no=claim.psn_no, payee_name=claim.payee_name,
            bank_name=claim.bank_name, bank_account=claim.bank_account, amount_fen=due, origin=claim.claim_id,
        ), actor=checker, now=now, ids=ids)
        if isinstance(ordered, Refusal):
            return ordered
    done = await change_claim(
        tx, claim, state=SETTLED, fund_fen=fund, cash_fen=claim.total_fen - fund, reviewed_by=actor.login,
        settled_by=checker.login, settled_at=now, payout_id=payout_id)
    await write_trail(tx, checker, verb="settle_claim", object_id=done.claim_id, admdvs=done.admdvs, state=done, now=now, ids=ids)
    return ClaimPaid(
        claim_id=done.claim_id, psn_no=done.psn_no, total_fen=done.total_fen, fund_fen=fund, cash_fen=done.cash_fen,
        settlements=tuple(bill.setl_id for bill in bills), payout_id=payout_id)


def _paid(first: Claim | None) -> int:
    """Return what the first decision paid, fen."""
    return first.fund_fen if first is not None and first.state == SETTLED else 0


async def _first_claim(tx: Connection, claim: Claim) -> Claim | None:
    """Return the paid claim that an appeal asks to replace, None where there is none."""
    if not claim.appeal_of:
        return None
    return await lock_claim(tx, psn_no=claim.psn_no, claim_id=claim.appeal_of)


async def _undo_first(
    tx: Connection, first: Claim, claim: Claim, *, writer: BillWriter, by: str, now: datetime
) -> None:
    """Take back what the first decision settled; what was paid stays paid and counts towards the new sum."""
    if first.state != SETTLED:
        return
    await writer.undo(await list_bills(tx, psn_no=first.psn_no, claim_id=first.claim_id))
    await set_live(tx, psn_no=first.psn_no, claim_id=first.claim_id, is_live=False)
    await change_claim(tx, first, state=REVERSED, ended_by=by, ended_at=now, reason=f"复核改判，见{claim.claim_id}")


def _refuse_eyes(claim: Claim, reviewer: str, decider: str) -> Refusal | None:
    """Refuse a decision by who entered, calculated or reviewed the claim."""
    return refuse_checker([claim.entered_by, claim.calculated_by, reviewer], decider)


def _refuse_same_hands(first: Claim, reviewer: str, decider: str) -> Refusal | None:
    took_part = [who for who in (first.reviewed_by, first.settled_by, first.ended_by) if who]
    own = next((one for one in took_part for who in (reviewer, decider) if same_person(one, who)), None)
    if own is None:
        return None
    return refuse("APPEAL_SAME_HANDS", f"{own}参与过原决定，复核须由其他人员办理", field="actor", received=own,
                  remedy="请退回审核，由未参与原决定的人员审核和审批")


def _refuse_moved(claim: Claim, digest: bytes, fund_fen: int) -> Refusal | None:
    if digest == claim.digest:
        return None
    return refuse(
        "CLAIM_MOVED_ON", "计算之后年度累计、政策或待遇已有变化："
        f"原计算支付{yuan_text(claim.fund_fen)}元，现应支付{yuan_text(fund_fen)}元", field="claim_id",
        received=claim.claim_id, remedy="请退回审核，重新计算后再审批")


def _refuse_lower(first: Claim | None, fund_fen: int) -> Refusal | None:
    if first is None or first.state != SETTLED or fund_fen > first.fund_fen:
        return None
    return refuse("APPEAL_CHANGES_NOTHING", f"复核结果{yuan_text(fund_fen)}元不高于原决定的{yuan_text(first.fund_fen)}元",
                  field="claim_id", received=first.claim_id, remedy="原决定维持：请以未通过办结复核申请，并写明理由")
