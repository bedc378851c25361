"""Contributions: bases, dues, bills, payments by hand, arrears, credits, refunds, and the cases they leave."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.contributions.model import Bill, Due, Refund, WorkCase
from yibao.domains.contributions.queries import (
    credit_of,
    find_bill,
    list_bills,
    list_cases,
    list_dues,
    list_dues_of_bill,
)
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, PsnNo, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.access.see_object import see_objects
from yibao.usecases.contributions.assess_lump import Lump, assess_lump
from yibao.usecases.contributions.cancel_dues import CancelDues, Cancelled, cancel_dues
from yibao.usecases.contributions.close_case import CloseCase, close_case
from yibao.usecases.contributions.declare_base import DeclareBases, Declared, declare_bases
from yibao.usecases.contributions.make_bill import BillMade, MakeBill, make_bill
from yibao.usecases.contributions.offer_payment import Offer, offer_payment
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_payment import Received
from yibao.usecases.contributions.receive_subsidy import Subsidy, receive_subsidy
from yibao.usecases.contributions.refund_payment import (
    RefundRequest,
    approve_refund,
    reject_refund,
    request_refund,
)
from yibao.usecases.contributions.set_off import SetOff, set_off

Number = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z_-]+$", description="单位、人员或家庭编号")]
Amount = Annotated[int, Meta(ge=1, le=10**13, description="金额，分")]


class Dues(msgspec.Struct, frozen=True):
    """A person's dues, the oldest first; amounts in fen."""

    rows: list[Due]


class Bills(msgspec.Struct, frozen=True):
    """A payer's bills, and money of the payer that pays none of them yet, fen."""

    credit_fen: int
    rows: list[Bill]


class BillSheet(msgspec.Struct, frozen=True):
    """A bill and the dues on it."""

    bill_id: str
    bill: Bill
    dues: list[Due]


class DueCases(msgspec.Struct, frozen=True):
    """Cases of payments, the oldest first."""

    rows: list[WorkCase]


class SetOffForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which payment's credit pays the bill; fen, None for as much as there is and is needed."""

    payment_id: Id
    amount_fen: Amount | None = None


class RefundForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked back of a payment, and the dues (person, due) that it undoes; none for credit only."""

    payment_id: Id
    amount_fen: Amount
    reason: Words
    dues: tuple[tuple[str, str], ...] = ()


class RefundDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a refund is approved."""

    approve: bool


class SubsidyReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The treasury's payment of a bill of the state: number and day of the receipt, and fen, to be the bill's."""

    receipt_no: Id
    received_on: date
    amount_fen: Amount


class CaseOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a case, and whether a payment by somebody else is accepted."""

    outcome: Words
    accept_payer: bool = False


@read("/people/{psn_no}/dues", verb="list_dues")
async def list_person_dues(
    call: Call, psn_no: PsnNo, first: date = date(2000, 1, 1), before: date | None = None, insutype: MaybeWords = ""
) -> Dues:
    """List a person's dues of some months with every date: assessed, sent, paid, arrived, credited."""
    return Dues(await list_dues(call.tx, psn_no, insutype=insutype, first=first, before=before))


@read("/payers/{payer_no}/bills", verb="list_dues")
async def list_payer_bills(
    call: Call, payer_no: Number, state: Literal["", "open", "sent", "paid", "arrived", "cancelled"] = "",
    limit: Limit = 50,
) -> Bills:
    """List the bills of an employer, person or household."""
    rows = await list_bills(call.tx, payer_no=payer_no, state=state, most=limit)
    return Bills(await credit_of(call.tx, payer_no), rows)


@read("/bills/{bill_id}", verb="list_dues")
async def show_bill(call: Call, bill_id: Id) -> BillSheet | Refusal:
    """Show a bill with its dues."""
    bill = await _seen_bill(call, bill_id)
    if isinstance(bill, Refusal):
        return bill
    return BillSheet(bill_id, bill, await list_dues_of_bill(call.tx, bill_id))


@read("/bills/{bill_id}/offer", verb="list_dues")
async def show_offer(
    call: Call, bill_id: Id, channel: Annotated[str, Meta(max_length=20, pattern=r"^[a-z_]*$")] = ""
) -> Offer | Refusal:
    """Say whether a bill may be paid now, through which channels, until when; or all that stands against it."""
    bill = await _seen_bill(call, bill_id)
    if isinstance(bill, Refusal):
        return bill
    return await offer_payment(call.tx, bill_id, channel=channel, now=call.now, gate=call.gate)


@deed("/bases", verb="declare_base")
async def declare_employer_bases(call: Call, data: DeclareBases) -> Declared | Refusal:
    """Declare the wages of an employer's people for a month on; what the law's floor and ceiling change is listed."""
    return await declare_bases(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/arrears", verb="pay_back", status=201)
async def pay_arrears(call: Call, data: PayBack) -> BillMade | Refusal:
    """Make one bill of arrears with the surcharge up to the day of payment."""
    return await pay_back(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/bills", verb="make_bill", status=201)
async def make_one_bill(call: Call, data: MakeBill) -> BillMade | Refusal:
    """Put dues of one person or household on one bill."""
    return await make_bill(call.tx, data, actor=call.actor, now=call.now, ids=call.ids)


@deed("/lump-sums", verb="assess_lump", status=201)
async def assess_lump_sum(call: Call, data: Lump) -> BillMade | Refusal:
    """Assess the months that somebody buys at retirement."""
    return await assess_lump(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/dues/cancellations", verb="cancel_dues")
async def cancel_some_dues(call: Call, data: CancelDues) -> Cancelled | Refusal:
    """Cancel a person's unpaid dues of some months."""
    return await cancel_dues(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/bills/{bill_id}/set-off", verb="set_off")
async def set_off_credit(call: Call, bill_id: Id, data: SetOffForm) -> Received | Refusal:
    """Pay a bill from money that a payer has too much with us."""
    command = SetOff(payment_id=data.payment_id, bill_id=bill_id, amount_fen=data.amount_fen)
    return await set_off(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/bills/{bill_id}/subsidy", verb="receive_subsidy")
async def book_subsidy(call: Call, bill_id: Id, data: SubsidyReceipt) -> Bill | Refusal:
    """Book what the treasury has paid for a bill of the state: in full, once; another amount is refused."""
    command = Subsidy(bill_id=bill_id, receipt_no=data.receipt_no, received_on=data.received_on, amount_fen=data.amount_fen)
    return await receive_subsidy(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@deed("/refunds", verb="refund_payment", status=201)
async def ask_refund(call: Call, data: RefundForm) -> Refund | Refusal:
    """Ask for money back and set it aside until somebody else decides."""
    command = RefundRequest(
        refund_id=call.ids.new(call.now), payment_id=data.payment_id, amount_fen=data.amount_fen, reason=data.reason,
        dues=data.dues,
    )
    return await request_refund(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@deed("/refunds/{refund_id}/decide", verb="decide_refund")
async def decide_refund(call: Call, refund_id: Id, data: RefundDecision) -> Refund | Refusal:
    """Approve or reject a refund that somebody else asked for."""
    if data.approve:
        return await approve_refund(call.tx, refund_id, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)
    return await reject_refund(call.tx, refund_id, actor=call.actor, now=call.now, ids=call.ids)


@read("/due-cases", verb="list_cases")
async def list_due_cases(call: Call, state: Literal["", "open", "closed"] = "open", limit: Limit = 100) -> DueCases:
    """List what does not fit between bills, payments, arrivals and statements, and what to do about it."""
    return DueCases(await list_cases(call.tx, state=state, most=limit))


@deed("/due-cases/{case_id}/close", verb="close_case")
async def close_due_case(call: Call, case_id: Id, data: CaseOutcome) -> WorkCase | Refusal:
    """Close a case with what came of it."""
    command = CloseCase(case_id=case_id, outcome=data.outcome, accept_payer=data.accept_payer)
    return await close_case(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


async def _seen_bill(call: Call, bill_id: str) -> Bill | Refusal:
    """Return a bill whose payer the actor may see: the region's own bills (state money) are closed to a county."""
    bill = await find_bill(call.tx, bill_id)
    hidden = bill is not None and call.actor.division and await see_objects(
        call.tx, {"payer_no": bill.payer_no}, actor=call.actor
    )
    if bill is None or hidden:
        return refuse("BILL_NOT_FOUND", "没有这张缴费单", field="bill_id", received=bill_id, remedy="请核对缴费单号")
    return bill


ROUTES = (
    list_person_dues, list_payer_bills, show_bill, show_offer, declare_employer_bases, pay_arrears, make_one_bill,
    assess_lump_sum, cancel_some_dues, set_off_credit, book_subsidy, ask_refund, decide_refund, list_due_cases, close_due_case,
)
