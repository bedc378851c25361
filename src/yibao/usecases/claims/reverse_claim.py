"""Undo a claim that was paid wrongly: its settlements are cancelled, and what the person got is owed back."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.claims.model import CALCULATED, ENTERED, REVERSED, SETTLED, Claim, Recovery
from yibao.domains.claims.operations import add_repayment, change_claim, open_recovery, set_live
from yibao.domains.claims.queries import find_appeal, find_recovery, list_bills, lock_claim
from yibao.domains.clearing.rules import same_person
from yibao.domains.exchange.payouts import find_payout
from yibao.domains.settlements.rules import refuse_dependents
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.operations import post
from yibao.ledger.posting import Posting, bank, owed_back, payout
from yibao.usecases.claims.commands import ReverseClaim, TakeRepayment
from yibao.usecases.claims.desk import open_for, refuse_claim_state
from yibao.usecases.claims.write_bills import REVERSAL, BillWriter
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def reverse_claim(
    tx: Connection, command: ReverseClaim, *, maker: str, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Claim | Refusal:
    """Undo a paid claim: two people. Counters go back, the receipts may be claimed or settled again.

    What the bank has not paid yet must be paid or corrected first: a payment on its way cannot be called back.

    Args:
        maker: who proposed it; ``actor`` approves.
    """
    claim = await open_for(tx, command.claim_id, actor=actor)
    if isinstance(claim, Refusal):
        return claim
    refusal = refuse_claim_state(claim, SETTLED)
    if refusal is None and not command.reason.strip():
        refusal = refuse("REASON_MISSING", "撤销须写明理由", field="reason", remedy="请填写理由")
    if refusal is None and (not maker or same_person(maker, actor.login)):
        refusal = refuse("FOUR_EYES", "撤销已支付的报销须由两人办理", field="actor", received=actor.login,
                         remedy="请由另一名人员复核")
    refusal = refusal or await _refuse_payout(tx, claim) or await _refuse_later(tx, claim, shelf=shelf)
    if refusal is not None:
        return refusal
    writer = await BillWriter.open(tx, claim, actor=actor, now=now, ids=ids)
    await writer.undo(await list_bills(tx, psn_no=claim.psn_no, claim_id=claim.claim_id))
    await set_live(tx, psn_no=claim.psn_no, claim_id=claim.claim_id, is_live=False)
    if claim.fund_fen:
        # The refunds took it from what is owed to people; it was paid, so the person owes it.
        await post(tx, Posting(
            claim.psn_no, f"cl-{claim.claim_id}-owed", claim.admdvs, "correction", now, None, None,
            [owed_back(claim.admdvs), payout(claim.admdvs)], [-claim.fund_fen, claim.fund_fen], 0))
        await open_recovery(tx, claim, owed_fen=claim.fund_fen, now=now)
    done = await change_claim(tx, claim, state=REVERSED, ended_by=actor.login, ended_at=now, reason=command.reason.strip())
    await write_trail(tx, actor, verb="reverse_claim", object_id=claim.claim_id, admdvs=claim.admdvs, state=(done, maker),
                      now=now, ids=ids)
    return done


async def take_repayment(
    tx: Connection, command: TakeRepayment, *, actor: Actor, now: datetime, ids: Ids
) -> Recovery | Refusal:
    """Book what somebody paid back; the same bank reference again has no effect, more than is owed is refused."""
    claim = await open_for(tx, command.claim_id, actor=actor)
    if isinstance(claim, Refusal):
        return claim
    recovery = await find_recovery(tx, psn_no=claim.psn_no, claim_id=claim.claim_id)
    if recovery is None:
        return refuse("NOTHING_OWED", "该报销申请没有应追回的款项", field="claim_id", received=claim.claim_id,
                      remedy="请核对报销编号")
    known = await tx.fetchrow(REPAID, claim.admdvs, command.bank_ref)
    if known is not None:
        is_same = (known["claim_id"], known["amount_fen"]) == (claim.claim_id, command.amount_fen)
        return recovery if is_same else refuse(
            "REPAYMENT_DIFFERS", "该银行流水号已登记为另一笔退款", field="bank_ref", received=command.bank_ref,
            remedy="请核对流水号")
    left = recovery.owed_fen - recovery.received_fen
    if not 0 < command.amount_fen <= left:
        return refuse("REPAYMENT_TOO_MUCH", f"尚欠{yuan_text(left)}元", field="amount_fen",
                      received=yuan_text(command.amount_fen),
                      remedy="多退的款项请原路退回")
    await add_repayment(tx, claim, bank_ref=command.bank_ref, amount_fen=command.amount_fen, now=now, by=actor.login)
    await post(tx, Posting(
        claim.psn_no, f"cl-{claim.claim_id}-back-{command.bank_ref}", claim.admdvs, "correction", now, None, None,
        [bank(claim.admdvs), owed_back(claim.admdvs)], [-command.amount_fen, command.amount_fen], 0))
    await write_trail(tx, actor, verb="take_repayment", object_id=claim.claim_id, admdvs=claim.admdvs, state=command, now=now,
                      ids=ids)
    done = await find_recovery(tx, psn_no=claim.psn_no, claim_id=claim.claim_id)
    assert done is not None
    return done


REPAID = "select claim_id, amount_fen from claims.repayment where admdvs = $1 and bank_ref = $2"


async def _refuse_payout(tx: Connection, claim: Claim) -> Refusal | None:
    appeal = await find_appeal(tx, psn_no=claim.psn_no, claim_id=claim.claim_id)
    if appeal is not None and appeal[1] in (ENTERED, CALCULATED):
        return refuse("APPEAL_OPEN", "该报销申请正在复核", field="claim_id", received=claim.claim_id, remedy="请待复核办结")
    first = await lock_claim(tx, psn_no=claim.psn_no, claim_id=claim.appeal_of) if claim.appeal_of else None
    ordered = [p for p in (claim.payout_id, first.payout_id if first else "") if p]
    rows = [await find_payout(tx, payout_id) for payout_id in ordered]
    if all(row is None or row.state == "paid" for row in rows):
        return None
    return refuse("PAYOUT_UNDER_WAY", "款项尚未由银行支付完毕，不能撤销", field="claim_id", received=claim.payout_id,
                  remedy="请待银行回盘；支付失败的，更正账户重新支付后再撤销追回")


async def _refuse_later(tx: Connection, claim: Claim, *, shelf: PolicyShelf) -> Refusal | None:
    """Refuse where later settlements of the year rest on the counters, if the region's rule says so."""
    policy = shelf.of(claim.admdvs)
    if isinstance(policy, Refusal):
        return policy
    bills = await list_bills(tx, psn_no=claim.psn_no, claim_id=claim.claim_id)
    own = {bill.setl_id for bill in bills}
    for bill in bills:
        found = await tx.fetchrow(REVERSAL, bill.psn_no, bill.setl_id)
        assert found is not None
        rule = policy.setting("reversal.later_settlements", found["settlement"]["service_on"])
        refusal = refuse_dependents(
            [d for d in found["dependents"] or () if d not in own], later=rule.word if rule else "refuse",
            basis=f"{rule.used.rule} {rule.used.source}" if rule else "", field="claim_id", received=claim.claim_id)
        if refusal is not None:
            return refusal
    return None
