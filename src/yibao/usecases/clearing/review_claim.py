"""The first pair of eyes: review a claim, take in what supervision decided, deduct by hand, or send it back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.clearing.claim_operations import (
    add_deductions,
    close_claim,
    drop_deductions,
    mark_reviewed,
    raise_deducted,
    take_institution,
)
from yibao.domains.clearing.claim_queries import find_claim, find_item, list_decided, list_deductions
from yibao.domains.clearing.model import Claim, Deduction
from yibao.domains.clearing.rules import refuse_deductions, refuse_operator, refuse_state, same_person
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.clearing.trail import write_trail

MANUAL, SUPERVISION = "manual", "supervision"


class ManualDeduction(msgspec.Struct, frozen=True):
    """What a reviewer takes from a claim: number of the decision, fen, reason, and the settlement it is about, if one."""

    number: str
    amount_fen: int
    reason: str
    setl_id: str | None = None


class ClaimSheet(msgspec.Struct, frozen=True):
    """A claim with its deductions."""

    claim: Claim
    deductions: tuple[Deduction, ...]


async def open_claim(tx: Connection, claim_id: str, *, lock: bool = False) -> ClaimSheet | Refusal:
    """Return a claim with its deductions."""
    claim = await find_claim(tx, claim_id, lock=lock)
    if claim is None:
        return refuse("CLAIM_UNKNOWN", "没有这个清算申报", field="claim_id", received=claim_id,
                      remedy="请用 yibao clearing list 查询")
    return ClaimSheet(claim, tuple(await list_deductions(tx, claim_id)))


async def review_claim(
    tx: Connection, *, claim_id: str, operator: str, now: datetime, ids: Ids
) -> ClaimSheet | Refusal:
    """Mark a claim as reviewed, and deduct from it what supervision decided about the institution and nobody took yet.

    The same reviewer again: no effect. What is deducted may exceed the claim: the rest is set against later ones.
    """
    sheet = refuse_operator(operator) or await open_claim(tx, claim_id)
    if isinstance(sheet, Refusal):
        return sheet
    await take_institution(tx, sheet.claim.fixmedins_code)
    sheet = await open_claim(tx, claim_id, lock=True)
    assert isinstance(sheet, ClaimSheet)
    claim = sheet.claim
    if claim.state == "reviewed" and claim.reviewed_by is not None and same_person(claim.reviewed_by, operator):
        return sheet
    refusal = refuse_state(claim, wanted=("claimed",), field="claim_id")
    if refusal is not None:
        return refusal
    decided = [
        msgspec.structs.replace(d, claim_id=claim_id) for d in await list_decided(tx, claim.fixmedins_code, now)
    ]
    await add_deductions(tx, decided)
    await mark_reviewed(tx, claim_id, by=operator, now=now, deducted_fen=sum(d.amount_fen for d in decided))
    return await _told(tx, claim, verb="review_claim", operator=operator, now=now, ids=ids)


async def deduct_from_claim(
    tx: Connection, *, claim_id: str, deduction: ManualDeduction, operator: str, now: datetime, ids: Ids
) -> ClaimSheet | Refusal:
    """Deduct from a reviewed claim by hand, with number and reason; the same number again with the same content: no effect.

    Never more than a settlement's own fund share, and by hand never more in all than the funds pay for the claim.
    """
    sheet = refuse_operator(operator) or _refuse_content(deduction) or await open_claim(tx, claim_id, lock=True)
    if isinstance(sheet, Refusal):
        return sheet
    claim = sheet.claim
    earlier = next((d for d in sheet.deductions if d.deduction_no == deduction.number), None)
    if earlier is not None:
        same = (earlier.amount_fen, earlier.reason, earlier.setl_id) == (
            deduction.amount_fen, deduction.reason, deduction.setl_id)
        return sheet if same else refuse(
            "DEDUCTION_NUMBER_USED", "该决定文号已用于另一笔内容不同的扣款", field="number", received=deduction.number,
            remedy="请使用新的决定文号",
        )
    refusal = refuse_state(claim, wanted=("reviewed",), field="claim_id") or refuse_deductions(
        claim, sum(d.amount_fen for d in sheet.deductions if d.source == MANUAL) + deduction.amount_fen)
    if refusal is not None:
        return refusal
    psn_no, admdvs = None, claim.admdvs
    if deduction.setl_id is not None:
        item = await find_item(tx, claim_id=claim_id, setl_id=deduction.setl_id)
        if item is None or item["kind"] != "settlement" or item["taken"] + deduction.amount_fen > item["fund_fen"]:
            return refuse(
                "DEDUCTION_TOO_LARGE" if item is not None else "SETTLEMENT_NOT_CLAIMED",
                "扣款超过该笔结算的基金支付" if item is not None else "该笔结算不在这个清算申报内", field="setl_id",
                received=deduction.setl_id, remedy="请核对结算ID和扣款金额",
            )
        psn_no, admdvs = item["psn_no"], item["admdvs"]
    await add_deductions(tx, [Deduction(
        claim_id, deduction.number, admdvs, MANUAL, psn_no, deduction.setl_id, deduction.amount_fen, deduction.reason,
        operator, now,
    )])
    await raise_deducted(tx, claim_id, deduction.amount_fen)
    return await _told(tx, claim, verb="deduct_from_claim", operator=operator, now=now, ids=ids)


def _refuse_content(deduction: ManualDeduction) -> Refusal | None:
    if deduction.amount_fen <= 0:
        return refuse("DEDUCTION_WRONG", "扣款金额应大于零", field="amount", received=yuan_text(deduction.amount_fen),
                      remedy="返还由监管申诉办理")
    if not deduction.reason.strip() or not deduction.number.strip():
        return refuse("DEDUCTION_WRONG", "扣款须写明决定文号和理由", field="reason", remedy="请填写文号和理由")
    return None


async def reject_claim(
    tx: Connection, *, claim_id: str, operator: str, reason: str, now: datetime, ids: Ids
) -> ClaimSheet | Refusal:
    """Send a claim back before it is approved: its settlements may be claimed again, its deductions wait for the next."""
    sheet = refuse_operator(operator) or await open_claim(tx, claim_id, lock=True)
    if isinstance(sheet, Refusal):
        return sheet
    if not reason.strip():
        return refuse("REASON_MISSING", "退回须写明理由", field="reason", remedy="请填写理由，机构会看到")
    if sheet.claim.state == "rejected":
        return sheet
    refusal = refuse_state(sheet.claim, wanted=("claimed", "reviewed"), field="claim_id")
    if refusal is not None:
        return refusal
    await close_claim(tx, sheet.claim, state="rejected", by=operator, reason=reason, now=now)
    await drop_deductions(tx, sheet.claim)
    return await _told(tx, sheet.claim, verb="reject_claim", operator=operator, now=now, ids=ids)


async def _told(
    tx: Connection, claim: Claim, *, verb: str, operator: str, now: datetime, ids: Ids
) -> ClaimSheet:
    """Return the claim as it stands now, after writing the audit row."""
    sheet = await open_claim(tx, claim.claim_id)
    assert isinstance(sheet, ClaimSheet)
    await write_trail(tx, verb=verb, object_id=claim.claim_id, admdvs=claim.admdvs, operator=operator, state=sheet, now=now,
                      ids=ids)
    return sheet
