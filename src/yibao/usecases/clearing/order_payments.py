"""Order the payment of approved claims: one transfer for each institution, one file for the bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from yibao.domains.clearing.bank_files import Transfer, write_payment_file
from yibao.domains.clearing.claim_operations import mark_ordered, take_region
from yibao.domains.clearing.claim_queries import list_approved
from yibao.domains.clearing.model import Claim, Payee, Payment, PaymentFile
from yibao.domains.clearing.payments import add_payment_file, add_payments, find_payees, find_payment_file
from yibao.domains.clearing.rules import refuse_operator
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.clearing.trail import write_trail

PURPOSE = "医保清算"


class Waiting(msgspec.Struct, frozen=True):
    """An institution whose approved claims cannot be paid now, and why."""

    fixmedins_code: str
    due_fen: int
    reason: str


class Ordered(msgspec.Struct, frozen=True):
    """What was ordered: the file (None where claims only cancel out), its payments, and who has to wait."""

    file: PaymentFile | None
    payments: tuple[Payment, ...]
    waiting: tuple[Waiting, ...]


async def order_payments(
    tx: Connection, *, admdvs: str, operator: str, now: datetime, ids: Ids
) -> Ordered | Refusal:
    """Make the payment file of all of a region's approved claims.

    The claims of one institution are paid together. Together below zero they wait for the next ones; together zero they
    are closed without the bank. Nothing moves in the ledger before the bank has paid.
    """
    refusal = refuse_operator(operator)
    if refusal is not None:
        return refusal
    await take_region(tx, admdvs)
    by_institution = {
        code: list(claims) for code, claims in groupby(await list_approved(tx, admdvs), lambda c: c.fixmedins_code)
    }
    payees = await find_payees(tx, by_institution)
    waiting = tuple(w for code, claims in by_institution.items() if (w := _waiting(code, claims, payees)) is not None)
    held = {w.fixmedins_code for w in waiting}
    due = {code: claims for code, claims in by_institution.items() if code not in held}
    if not due:
        said = "；".join(f"{w.fixmedins_code}：{w.reason}" for w in waiting) or "没有已复核待支付的申报"
        return refuse("NOTHING_TO_PAY", said, field="admdvs", received=admdvs, remedy="请先复核申报，或登记收款账户")
    return await _order(tx, admdvs, due, payees, waiting, operator=operator, now=now, ids=ids)


def _waiting(code: str, claims: Sequence[Claim], payees: Mapping[str, Payee]) -> Waiting | None:
    due = sum(c.due_fen for c in claims)
    if due < 0:
        return Waiting(code, due, f"应付合计为负（{yuan_text(due)}元），留待以后申报抵扣")
    if due > 0 and code not in payees:
        return Waiting(code, due, "未登记收款账户")
    return None


async def _order(
    tx: Connection, admdvs: str, due: Mapping[str, Sequence[Claim]], payees: Mapping[str, Payee],
    waiting: tuple[Waiting, ...], *, operator: str, now: datetime, ids: Ids,
) -> Ordered:
    file_no = ids.new(now)
    payments, transfers = [], []
    for code, claims in due.items():
        amount = sum(c.due_fen for c in claims)
        payee = payees.get(code)
        payment = Payment(
            ids.new(now), admdvs, code, file_no if amount else None, amount, payee.account_no if payee and amount else "",
            "ordered" if amount else "offset", "", "", now, None if amount else now,
        )
        payments.append(payment)
        if amount and payee is not None:
            transfers.append(Transfer(
                payment.payment_id, payee.account_name, payee.account_no, payee.bank_name, amount,
                f"{PURPOSE} {'、'.join(sorted({c.period for c in claims}))}",
            ))
    file = _file(file_no, admdvs, transfers, operator=operator, now=now) if transfers else None
    if file is not None:
        await add_payment_file(tx, file)
    await add_payments(tx, payments)
    for payment in payments:
        ids_of = [c.claim_id for c in due[payment.fixmedins_code]]
        await mark_ordered(tx, ids_of, payment_id=payment.payment_id, state="ordered" if payment.amount_fen else "paid")
    ordered = Ordered(file, tuple(payments), waiting)
    await write_trail(tx, verb="order_payments", object_id=file_no, admdvs=admdvs, operator=operator, state=ordered, now=now,
                      ids=ids)
    return ordered


def _file(
    file_no: str, admdvs: str, transfers: Sequence[Transfer], *, operator: str, now: datetime
) -> PaymentFile:
    content = write_payment_file(file_no=file_no, admdvs=admdvs, on=business_date(now), transfers=transfers)
    total = sum(t.amount_fen for t in transfers)
    return PaymentFile(file_no, admdvs, len(transfers), total, sm3(content), content, operator, now)


async def fetch_payment_file(tx: Connection, file_no: str) -> PaymentFile | Refusal:
    """Return a payment file again, byte for byte."""
    file = await find_payment_file(tx, file_no)
    return file or refuse("PAYMENT_FILE_UNKNOWN", "没有这个支付文件", field="file_no", received=file_no, remedy="请核对文件号")
