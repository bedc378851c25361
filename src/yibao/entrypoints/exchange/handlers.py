"""What each message of a party asks for: translated to the command of a use case, which alone decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from yibao.domains.exchange.model import PayoutReturn
from yibao.domains.exchange.outbox import mark_hall
from yibao.domains.people.queries import find_by_certificate
from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.book_arrival import Arrival, book_arrival
from yibao.usecases.contributions.finish_refund import RefundDone, finish_refund
from yibao.usecases.contributions.receive_payment import (
    Payment,
    PaymentReturned,
    receive_payment,
    return_payment,
)
from yibao.usecases.contributions.reconcile_tax import Statement, reconcile_tax
from yibao.usecases.enrolment.commands import (
    BIRTH_CERTIFICATE,
    RESIDENT_CARD,
    EnrolNewborn,
    RecordDeath,
    RetireMember,
    TakeAssistedList,
)
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.retire_member import retire_member
from yibao.usecases.enrolment.take_assisted_list import take_assisted_list
from yibao.usecases.exchange.record_card import CardChange, record_card
from yibao.usecases.exchange.take_message import Handler, Means
from yibao.usecases.payouts.take_payout_return import FileRefused, take_payout_return, take_refused_file
from yibao.usecases.personal_accounts.commands import SetChannel
from yibao.usecases.personal_accounts.set_channel import set_channel
from yibao.usecases.transfers.commands import TransferCredit, TransferRefused, TransferRequest, TransferSheet
from yibao.usecases.transfers.receive_money import receive_money
from yibao.usecases.transfers.receive_sheet import receive_refusal, receive_sheet
from yibao.usecases.transfers.transfer_out import answer_request

Body = dict[str, Any]


def _asks(deed: Callable[..., Awaitable[Any]], command: type[Any], **more: Any) -> Handler:
    """Return the handler that calls a use case with the body as its command; ``more`` are fields the body does not have."""

    async def handle(tx: Connection, body: Body, means: Means) -> Any:
        asked = msgspec.convert({**body, **more}, type=command)
        return await deed(tx, asked, actor=means.actor, now=means.now, ids=means.ids, shelf=means.shelf)

    return handle


def _says(deed: Callable[..., Awaitable[Any]], command: type[Any]) -> Handler:
    """Return the handler that calls a use case for which no law is needed."""

    async def handle(tx: Connection, body: Body, means: Means) -> Any:
        return await deed(tx, msgspec.convert(body, type=command), actor=means.actor, now=means.now, ids=means.ids)

    return handle


def _by_hand(code: str, says: str, remedy: str) -> Handler:
    """Return the handler of a message that nothing here can do on its own: a case for a clerk, with what was told."""

    async def handle(_tx: Connection, body: Body, _means: Means) -> Refusal:
        return refuse(code, says, field="certno", received=mask(str(body.get("certno", ""))), remedy=remedy)

    return handle


async def _payment(tx: Connection, body: Body, means: Means) -> Any:
    told = msgspec.convert({**body, "origin": "tax"}, type=Payment)
    return await receive_payment(
        tx, told, actor=means.actor, now=means.now, ids=means.ids, shelf=means.shelf, gate=means.gate)


async def _payment_returned(tx: Connection, body: Body, means: Means) -> Any:
    asked = {**body, "returned_on": str(body.get("returned_at", ""))[:10] or None}
    return await _asks(return_payment, PaymentReturned)(tx, asked, means)


class HallTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the human-resources bureau says of its own hall: ``open`` or ``closed``."""

    state: str
    says: str = ""


async def _hall(tx: Connection, body: Body, means: Means) -> Refusal | None:
    told = msgspec.convert(body, type=HallTold)
    if told.state not in ("open", "closed"):
        return refuse("HALL_STATE_UNKNOWN", "大厅状态应为 open 或 closed", field="state", received=told.state[:20],
                      remedy="请对方核对")
    await mark_hall(tx, "hr", state=told.state, says=told.says, since=means.now)
    return None


async def _birth(tx: Connection, body: Body, means: Means) -> Any:
    """A child without an identity number is enrolled under the number of the birth certificate."""
    certificate = str(body.get("birth_id", ""))
    asked = {
        **body, "certno": body.get("certno") or certificate,
        "cert_type": RESIDENT_CARD if body.get("certno") else BIRTH_CERTIFICATE, "evidence": f"出生医学证明{certificate}",
    }
    return await _asks(enrol_newborn, EnrolNewborn)(tx, asked, means)


class CardAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank knows of somebody's card or account, so that a credit can be matched there."""

    certno: str
    kind: str = "card"
    card_no: str = ""
    bank_name: str = ""
    bank_account: str = ""
    has_finance: bool = True
    is_active: bool = True


async def _card_account(tx: Connection, body: Body, means: Means) -> Any:
    told = msgspec.convert(body, type=CardAccount)
    person = await find_by_certificate(tx, cert_type=RESIDENT_CARD, certno=told.certno)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该证件的参保人", field="certno", received=mask(told.certno),
                      remedy="请银行核对证件号码")
    fields = {**msgspec.structs.asdict(told), "psn_no": person["psn_no"]}
    del fields["certno"]
    return await _asks(set_channel, SetChannel)(tx, fields, means)


class IdentityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the police say of a number and a name."""

    check_id: str
    certno: str
    name: str
    result: str


_IDENTITY = {"name_differs": "姓名与证件号码不符", "unknown": "户籍中没有该证件号码", "dead": "该人员已登记死亡"}


async def _identity_answer(_tx: Connection, body: Body, _means: Means) -> Refusal | None:
    """An answer that agrees is kept; any other is a case for somebody to look into."""
    told = msgspec.convert(body, type=IdentityAnswer)
    if told.result == "match":
        return None
    return refuse("IDENTITY_" + told.result.upper()[:20], _IDENTITY.get(told.result, "身份核验未通过"), field="certno",
                  received=mask(told.certno), remedy="请核对证件并更正参保人信息")


_ARRIVAL = _asks(book_arrival, Arrival)
HANDLERS: dict[tuple[str, str], Handler] = {
    ("tax", "payment"): _payment,
    ("tax", "payment_returned"): _payment_returned,
    ("tax", "arrival"): _ARRIVAL,
    ("tax", "statement"): _says(reconcile_tax, Statement),
    ("tax", "refund_done"): _says(finish_refund, RefundDone),
    ("bank", "collection"): _asks(receive_payment, Payment, origin="bank"),
    ("bank", "arrival"): _ARRIVAL,
    ("bank", "payout_return"): _says(take_payout_return, PayoutReturn),
    ("bank", "file_refused"): _says(take_refused_file, FileRefused),
    ("bank", "card_account"): _card_account,
    ("bank", "transfer_credit"): _asks(receive_money, TransferCredit),
    ("hr", "card"): _says(record_card, CardChange),
    ("hr", "retired"): _asks(retire_member, RetireMember),
    ("hr", "hall"): _hall,
    ("hr", "work_injury"): _by_hand(
        "WORK_INJURY_TOLD", "人社认定为工伤，基本医保基金不予支付", "请核对外伤备案，并追回已支付的费用"),
    ("civil", "assisted_list"): _asks(take_assisted_list, TakeAssistedList),
    ("health", "birth"): _birth,
    ("health", "maternity"): _by_hand("MATERNITY_TOLD", "卫健登记了怀孕信息", "请通知本人到定点医疗机构办理生育登记"),
    ("police", "death"): _asks(record_death, RecordDeath, source="police"),
    ("police", "identity_answer"): _identity_answer,
    ("region", "transfer_request"): _asks(answer_request, TransferRequest),
    ("region", "transfer_sheet"): _asks(receive_sheet, TransferSheet),
    ("region", "transfer_refused"): _asks(receive_refusal, TransferRefused),
}
"""What is done with each kind of message of each party; any other is a case."""
