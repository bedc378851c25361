"""Read the bank's return file: what was paid is booked, what failed waits for the next payment file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from yibao.domains.clearing.bank_files import PAID, Outcome, ReturnFile, read_return_file
from yibao.domains.clearing.claim_operations import mark_ordered, take_region
from yibao.domains.clearing.claim_queries import list_of_payments
from yibao.domains.clearing.model import Payment, PaymentFile
from yibao.domains.clearing.payments import (
    end_payment,
    find_payment_file,
    keep_return,
    list_payments,
    was_return_read,
)
from yibao.domains.clearing.rules import refuse_operator
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.ledger.operations import post
from yibao.ledger.posting import agency_posting, bank
from yibao.usecases.clearing.trail import write_trail


class Returned(msgspec.Struct, frozen=True):
    """What a return file did: payments that are now paid or failed; nothing when it was read before."""

    file_no: str
    paid: tuple[str, ...]
    failed: tuple[str, ...]
    paid_fen: int
    again: bool


async def take_return(
    tx: Connection, *, content: bytes, operator: str, now: datetime, ids: Ids
) -> Returned | Refusal:
    """Book what the bank did. The same file again, or the same outcome in another file, has no effect.

    Refused as a whole, with every fault: a wrong digest, count or sum, a payment that was never ordered with that file,
    another amount, or another outcome than the bank told before.
    """
    told = refuse_operator(operator) or read_return_file(content)
    if isinstance(told, Refusal):
        return told
    await take_region(tx, told.admdvs)
    file = await find_payment_file(tx, told.file_no)
    if file is None or file.admdvs != told.admdvs:
        return refuse("PAYMENT_FILE_UNKNOWN", "回盘所指的支付文件不存在", field="file[1]", received=told.file_no[:40],
                      remedy="请向银行核对文件号，未知的支付不能入账")
    payments = {p.payment_id: p for p in await list_payments(tx, file.file_no)}
    refusal = _refuse_lines(told, payments)
    if refusal is not None:
        return refusal
    fresh = [o for o in told.outcomes if payments[o.payment_id].state == "ordered"]
    digest = sm3(content)
    again = await was_return_read(tx, digest)
    returned = Returned(
        file.file_no, tuple(o.payment_id for o in fresh if o.state == PAID),
        tuple(o.payment_id for o in fresh if o.state != PAID), sum(o.amount_fen for o in fresh if o.state == PAID), again,
    )
    if not again:
        await _book(tx, file, fresh, payments, now=now)
        await keep_return(tx, digest=digest, file=file, content=content, paid=len(returned.paid), failed=len(returned.failed),
                          by=operator, now=now)
        await write_trail(tx, verb="take_return", object_id=file.file_no, admdvs=file.admdvs, operator=operator,
                          state=returned, now=now, ids=ids)
    return returned


def _refuse_lines(told: ReturnFile, payments: Mapping[str, Payment]) -> Refusal | None:
    faults = []
    for o in told.outcomes:
        payment, place = payments.get(o.payment_id), f"file[{o.line}]"
        if payment is None:
            faults.append(Fault("PAYMENT_UNKNOWN", f"第{o.line}行的支付单不在支付文件{told.file_no}中", place, o.payment_id[:40],
                                "未知的支付不能入账，请向银行核对"))
        elif payment.amount_fen != o.amount_fen:
            faults.append(Fault("PAYMENT_AMOUNT", f"第{o.line}行金额与支付单不符", place,
                                f"回盘{yuan_text(o.amount_fen)}，支付单{yuan_text(payment.amount_fen)}", "请向银行核对"))
        elif payment.state != "ordered" and (payment.state, payment.bank_ref) != (o.state, o.bank_ref):
            faults.append(Fault("PAYMENT_ENDED", f"第{o.line}行的支付单已有结果，不能改为另一结果", place,
                                f"{o.state} {o.bank_ref}"[:60], f"原结果{payment.state} {payment.bank_ref}，请向银行核对"))
    return Refusal(tuple(faults)) if faults else None


async def _book(
    tx: Connection, file: PaymentFile, fresh: Sequence[Outcome], payments: Mapping[str, Payment], *, now: datetime
) -> None:
    claims: dict[str, list[str]] = {}
    for claim in await list_of_payments(tx, [o.payment_id for o in fresh]):
        claims.setdefault(claim.payment_id or "", []).append(claim.claim_id)
    for o in fresh:
        payment = payments[o.payment_id]
        await end_payment(tx, o.payment_id, state=o.state, bank_ref=o.bank_ref, reason=o.reason, now=now)
        if o.state != PAID:
            await mark_ordered(tx, claims[o.payment_id], payment_id=None, state="approved")
            continue
        await mark_ordered(tx, claims[o.payment_id], payment_id=o.payment_id, state="paid")
        posting = agency_posting(
            "payment", posting_id=o.payment_id, admdvs=file.admdvs, fixmedins_code=payment.fixmedins_code, posted_at=now,
            legs=[(bank(file.admdvs), o.amount_fen)],
        )
        assert posting is not None, "a payment has an amount"
        await post(tx, posting)
