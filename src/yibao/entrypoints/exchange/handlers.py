"""What each message of a party asks for: translated to the command of a use case, which alone decides."""

from __future__ import annotations

import importlib
from typing import Any

import msgspec

from yibao.domains.exchange.model import PayoutReturn
from yibao.domains.exchange.outbox import mark_hall
from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.exchange.record_card import CardChange, record_card
from yibao.usecases.exchange.take_message import Handler, Means
from yibao.usecases.payouts.take_payout_return import (
    FileRefused,
    take_payout_return,
    take_refused_file,
)

Body = dict[str, Any]
BIRTH_CERTIFICATE, IDENTITY_CARD = "990201", "01"
_CASES = "yibao.usecases."


def _asks(module: str, verb: str, command: str, *, of: str = "", with_shelf: bool = True, **more: Any) -> Handler:
    """Return the handler that calls a use case with the body as its command; ``more`` are fields the body does not have."""

    async def handle(tx: Connection, body: Body, means: Means) -> Any:
        try:
            deed = getattr(importlib.import_module(_CASES + module), verb)
            form = getattr(importlib.import_module(_CASES + (of or module)), command)
        except ImportError:
            return refuse("NOT_OFFERED", "该业务尚未开通", field="kind", remedy="请人工办理")
        asked = {"actor": means.actor, "now": means.now, "ids": means.ids}
        if with_shelf:
            asked["shelf"] = means.shelf
        return await deed(tx, msgspec.convert({**body, **more}, type=form), **asked)

    return handle


async def _payment_returned(tx: Connection, body: Body, means: Means) -> Any:
    handler = _asks("contributions.receive_payment", "return_payment", "PaymentReturned")
    return await handler(tx, {**body, "returned_on": str(body.get("returned_at", ""))[:10] or None}, means)


async def _payout_return(tx: Connection, body: Body, means: Means) -> Any:
    told = msgspec.convert(body, type=PayoutReturn)
    return await take_payout_return(tx, told, actor=means.actor, now=means.now, ids=means.ids)


async def _file_refused(tx: Connection, body: Body, means: Means) -> Any:
    told = msgspec.convert(body, type=FileRefused)
    return await take_refused_file(tx, told, actor=means.actor, now=means.now, ids=means.ids)


async def _card(tx: Connection, body: Body, means: Means) -> Any:
    change = msgspec.convert(body, type=CardChange)
    return await record_card(tx, change, actor=means.actor, now=means.now, ids=means.ids)


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
    certno = body.get("certno") or body.get("birth_id", "")
    kind = IDENTITY_CARD if body.get("certno") else BIRTH_CERTIFICATE
    handler = _asks("enrolment.enrol_newborn", "enrol_newborn", "EnrolNewborn", of="enrolment.commands")
    asked = {**body, "certno": certno, "cert_type": kind, "evidence": f"出生医学证明{body.get('birth_id', '')}"}
    return await handler(tx, asked, means)


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


def _by_hand(code: str, says: str, remedy: str) -> Handler:
    """Return the handler of a message that nothing here can do on its own: a case for a clerk, with what was told."""

    async def handle(_tx: Connection, body: Body, _means: Means) -> Refusal:
        return refuse(code, says, field="certno", received=mask(str(body.get("certno", ""))), remedy=remedy)

    return handle


_PAYMENT = "contributions.receive_payment"
_ARRIVAL = _asks("contributions.book_arrival", "book_arrival", "Arrival")
_TRANSFERS = "transfers.commands"
HANDLERS: dict[tuple[str, str], Handler] = {
    ("tax", "payment"): _asks(_PAYMENT, "receive_payment", "Payment", origin="tax"),
    ("tax", "payment_returned"): _payment_returned,
    ("tax", "arrival"): _ARRIVAL,
    ("tax", "statement"): _asks("contributions.reconcile_tax", "reconcile_tax", "Statement", with_shelf=False),
    ("tax", "refund_done"): _asks("contributions.finish_refund", "finish_refund", "RefundDone", with_shelf=False),
    ("bank", "collection"): _asks(_PAYMENT, "receive_payment", "Payment", origin="bank"),
    ("bank", "arrival"): _ARRIVAL,
    ("bank", "payout_return"): _payout_return,
    ("bank", "file_refused"): _file_refused,
    ("bank", "transfer_credit"): _asks("transfers.receive_money", "receive_money", "TransferCredit", of=_TRANSFERS),
    ("hr", "card"): _card,
    ("hr", "retired"): _asks("enrolment.retire_member", "retire_member", "RetireMember", of="enrolment.commands"),
    ("hr", "hall"): _hall,
    ("hr", "work_injury"): _by_hand(
        "WORK_INJURY_TOLD", "人社认定为工伤，基本医保基金不予支付", "请核对外伤备案，并追回已支付的费用"),
    ("civil", "assisted_list"): _asks(
        "enrolment.take_assisted_list", "take_assisted_list", "TakeAssistedList", of="enrolment.commands"),
    ("health", "birth"): _birth,
    ("health", "maternity"): _by_hand("MATERNITY_TOLD", "卫健登记了怀孕信息", "请通知本人到定点医疗机构办理生育登记"),
    ("police", "death"): _asks(
        "enrolment.record_death", "record_death", "RecordDeath", of="enrolment.commands", source="police"),
    ("police", "identity_answer"): _identity_answer,
    ("region", "transfer_request"): _asks("transfers.answer_request", "answer_request", "TransferRequest", of=_TRANSFERS),
    ("region", "transfer_sheet"): _asks("transfers.receive_sheet", "receive_sheet", "TransferSheet", of=_TRANSFERS),
    ("region", "transfer_refused"): _asks("transfers.receive_sheet", "receive_refusal", "TransferRefused", of=_TRANSFERS),
}
"""What is done with each kind of message of each party; any other is a case."""
