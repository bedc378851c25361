"""Claims by hand: receipts in, calculated detail, appeal, undoing. Review, approval and payment are the application's."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from yibao.domains.claims import queries
from yibao.domains.claims.model import STATES, Bill, Claim, Line, Recovery
from yibao.domains.services.model import STATES as APPLICATION_STATES
from yibao.domains.services.queries import find_application
from yibao.entrypoints.api.fields import Id, Limit, PsnNo, Region, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Refusal
from yibao.usecases.claims.appeal_claim import AppealClaim, appeal_claim
from yibao.usecases.claims.calculate_claim import calculate_claim
from yibao.usecases.claims.commands import (
    EnterLines,
    LineGiven,
    OnClaim,
    OpenClaim,
    ReverseClaim,
    TakeRepayment,
)
from yibao.usecases.claims.desk import claim_unknown
from yibao.usecases.claims.enter_lines import enter_lines
from yibao.usecases.claims.open_claim import open_claim
from yibao.usecases.claims.reverse_claim import reverse_claim, take_repayment
from yibao.usecases.services.commands import PaperGiven


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """A claim as it stands; payee masked, amounts in fen. ``claim_by`` is the last day on which it could be made."""

    claim_id: str
    psn_no: str
    admdvs: str
    kind: str
    application_id: str
    insutype: str
    cause: str
    plan: str
    rule: str
    payee_name: str
    bank_name: str
    bank_account: str
    claim_by: date | None
    state: str
    state_text: str
    total_fen: int
    fund_fen: int
    cash_fen: int
    warnings: list[str]
    appeal_of: str
    entered_at: datetime
    calculated_at: datetime | None
    settled_at: datetime | None
    payout_id: str
    reason: str


class ClaimRows(msgspec.Struct, frozen=True):
    """Claims, the newest first."""

    rows: list[ClaimRow]


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """A claim with its receipts, their lines and the calculated detail, and where its application stands.

    ``detail`` is null until the claim was calculated: per receipt the amounts, and every step with the rule behind it.
    """

    claim: ClaimRow
    application_state: str
    application_state_text: str
    due_on: date | None
    bills: list[Bill]
    lines: list[Line]
    detail: Any


class ClaimLines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines of one receipt."""

    ordinal: Annotated[int, Meta(ge=1, le=50)]
    lines: Annotated[list[LineGiven], Meta(min_length=1, max_length=1000)]


class Appealing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a decision is to be looked at again."""

    reason: Words
    channel: str = "window"
    phone: str = ""
    materials: list[PaperGiven] = []


class Reversing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a paid claim is undone."""

    reason: Words


class Repaying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bank told of money that came back, fen."""

    bank_ref: Id
    amount_fen: Annotated[int, Meta(ge=1)]


class Recoveries(msgspec.Struct, frozen=True):
    """What people owe back, the oldest first; amounts in fen."""

    rows: list[Recovery]


@deed("/claims", verb="open_claim", status=201)
async def open_manual_claim(call: Call, data: OpenClaim) -> ClaimRow | Refusal:
    """Take in a claim with its receipts; its application is submitted with it. Refused with every fault found."""
    return _answer(await open_claim(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf, gate=call.gate))


@deed("/claims/{claim_id}/lines", verb="enter_claim_lines")
async def enter_claim_lines(call: Call, claim_id: Id, data: ClaimLines) -> ClaimRow | Refusal:
    """Enter the lines of a receipt, or correct them; what was calculated has to be calculated again."""
    command = EnterLines(claim_id=claim_id, ordinal=data.ordinal, lines=data.lines)
    return _answer(await enter_lines(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/claims/{claim_id}/calculate", verb="calculate_claim")
async def calculate_manual_claim(call: Call, claim_id: Id) -> ClaimRow | Refusal:
    """Calculate a claim by the law of its days: the detail that is reviewed and paid."""
    return _answer(await calculate_claim(
        call.tx, OnClaim(claim_id=claim_id), actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/claims/{claim_id}/appeal", verb="appeal_claim", status=201)
async def appeal_manual_claim(call: Call, claim_id: Id, data: Appealing) -> ClaimRow | Refusal:
    """Ask that the decision be looked at again: once, by other people."""
    command = AppealClaim(
        claim_id=claim_id, reason=data.reason, channel=data.channel, phone=data.phone, materials=data.materials)
    return _answer(await appeal_claim(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate))


@deed("/claims/{claim_id}/reverse", verb="reverse_claim")
async def reverse_manual_claim(call: Call, claim_id: Id, data: Reversing) -> ClaimRow | Refusal:
    """Undo a claim that was paid wrongly; what the person got is owed back. Two people."""
    return _answer(await reverse_claim(
        call.tx, ReverseClaim(claim_id=claim_id, reason=data.reason), maker=call.maker, actor=call.actor, now=call.now,
        ids=call.ids, shelf=call.shelf))


@deed("/claims/{claim_id}/repayments", verb="take_repayment")
async def take_claim_repayment(call: Call, claim_id: Id, data: Repaying) -> Recovery | Refusal:
    """Book what somebody paid back, by the bank's reference."""
    command = TakeRepayment(claim_id=claim_id, bank_ref=data.bank_ref, amount_fen=data.amount_fen)
    return await take_repayment(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@read("/regions/{admdvs}/claims", verb="show_claim")
async def list_manual_claims(
    call: Call, admdvs: Region, state: Literal["", "entered", "calculated", "settled", "released", "reversed"] = "",
    limit: Limit = 50,
) -> ClaimRows:
    """List the claims of a region."""
    return ClaimRows([_row(c) for c in await queries.list_claims(call.tx, admdvs=admdvs, state=state, most=limit)])


@read("/people/{psn_no}/claims", verb="show_claim")
async def list_claims_of_person(call: Call, psn_no: PsnNo, limit: Limit = 50) -> ClaimRows:
    """List the claims of a person."""
    rows = [c for region in call.actor.regions
            for c in await queries.list_claims(call.tx, admdvs=region, psn_no=psn_no, most=limit)]
    return ClaimRows([_row(c) for c in rows])


@read("/claims/{claim_id}", verb="show_claim")
async def show_manual_claim(call: Call, claim_id: Id) -> ClaimView | Refusal:
    """Show a claim with receipts, lines, calculated detail and the state of its application."""
    claim = await queries.find_claim(call.tx, claim_id)
    if claim is None:
        return claim_unknown(claim_id)
    application = await find_application(call.tx, claim.application_id)
    state = application.state if application else ""
    named = {"psn_no": claim.psn_no, "claim_id": claim.claim_id}
    return ClaimView(
        claim=_row(claim), application_state=state, application_state_text=APPLICATION_STATES.get(state, ""),
        due_on=application.due_on if application else None, bills=await queries.list_bills(call.tx, **named),
        lines=await queries.list_lines(call.tx, **named), detail=msgspec.json.decode(claim.detail))


@read("/regions/{admdvs}/claim-recoveries", verb="show_claim")
async def list_claim_recoveries(call: Call, admdvs: Region, also_closed: bool = False) -> Recoveries:
    """List what people were paid by claims that were undone, and how much of it came back."""
    return Recoveries(await queries.list_recoveries(call.tx, admdvs=admdvs, also_closed=also_closed))


def _answer(answer: Claim | Refusal) -> ClaimRow | Refusal:
    return answer if isinstance(answer, Refusal) else _row(answer)


def _row(claim: Claim) -> ClaimRow:
    plain = {
        name: getattr(claim, name) for name in ClaimRow.__struct_fields__
        if name not in ("state_text", "payee_name", "bank_account")
    }
    return ClaimRow(
        **plain, state_text=STATES[claim.state], payee_name=mask_name(claim.payee_name), bank_account=mask(claim.bank_account))


ROUTES = (
    open_manual_claim, enter_claim_lines, calculate_manual_claim, appeal_manual_claim, reverse_manual_claim,
    take_claim_repayment, list_manual_claims, list_claims_of_person, show_manual_claim, list_claim_recoveries,
)
