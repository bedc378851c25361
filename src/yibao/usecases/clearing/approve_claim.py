"""The second pair of eyes: approve a claim for payment. Deductions and year-end amounts move in the ledger here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from yibao.domains.clearing.claim_operations import mark_approved
from yibao.domains.clearing.claim_queries import funds_of_claim, funds_of_settlements
from yibao.domains.clearing.model import Claim, Deduction
from yibao.domains.clearing.rules import refuse_approver, refuse_operator, refuse_state, same_person
from yibao.domains.clearing.shares import spread
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.operations import post
from yibao.ledger.posting import agency_posting, fund_account
from yibao.usecases.clearing.review_claim import MANUAL, ClaimSheet, open_claim
from yibao.usecases.clearing.trail import write_trail


async def approve_claim(
    tx: Connection, *, claim_id: str, operator: str, now: datetime, ids: Ids
) -> ClaimSheet | Refusal:
    """Approve a reviewed claim; whoever reviewed it or deducted from it cannot. The same approver again: no effect.

    A deduction goes back to the funds that bore what it is about, in proportion; so the payable falls by it.
    """
    sheet = refuse_operator(operator) or await open_claim(tx, claim_id, lock=True)
    if isinstance(sheet, Refusal):
        return sheet
    claim = sheet.claim
    if claim.state in ("approved", "ordered", "paid") and same_person(claim.approved_by or "", operator):
        return sheet
    first = [claim.reviewed_by or "", *(d.decided_by for d in sheet.deductions if d.source == MANUAL)]
    refusal = refuse_state(claim, wanted=("reviewed",), field="claim_id") or refuse_approver(first, operator)
    if refusal is not None:
        return refusal
    legs = await _legs(tx, claim, sheet.deductions)
    if isinstance(legs, Refusal):
        return legs
    await mark_approved(tx, claim_id, by=operator, now=now)
    posting = agency_posting(
        "year_end" if claim.kind == "year_end" else "deduction", posting_id=claim_id, admdvs=claim.admdvs,
        fixmedins_code=claim.fixmedins_code, posted_at=now, legs=legs,
    )
    if posting is not None:
        await post(tx, posting)
    sheet = await open_claim(tx, claim_id)
    assert isinstance(sheet, ClaimSheet)
    await write_trail(tx, verb="approve_claim", object_id=claim_id, admdvs=claim.admdvs, operator=operator, state=sheet,
                      now=now, ids=ids)
    return sheet


async def _legs(tx: Connection, claim: Claim, deductions: Sequence[Deduction]) -> list[tuple[str, int]] | Refusal:
    """Return what the funds receive: deductions back (+), the year's clearing out of them (-)."""
    legs = []
    if claim.kind == "year_end":
        legs.append((fund_account(claim.admdvs, claim.fund_type), -claim.payable_fen))
    of_settlement = await funds_of_settlements(tx, deductions)
    of_claim: list[asyncpg.Record] = await funds_of_claim(tx, claim.claim_id) if deductions else []
    for deduction in deductions:
        if deduction.setl_id is not None:
            over = of_settlement.get(deduction.setl_id, {})
            accounts = {fund_account(deduction.admdvs, fund): amount for fund, amount in over.items()}
        elif claim.kind == "year_end":
            accounts = {fund_account(claim.admdvs, claim.fund_type): 1}
        else:
            accounts = {fund_account(row["admdvs"], row["fund_type"]): row["amount"] for row in of_claim}
        if sum(accounts.values()) <= 0:
            return refuse("DEDUCTION_WITHOUT_FUND", f"扣款{deduction.deduction_no}所涉结算没有基金支付，无处退回",
                          field="claim_id", received=claim.claim_id, remedy="请退回申报并更正扣款")
        legs += spread(deduction.amount_fen, accounts).items()
    return legs
