"""Money paid after collection has stopped goes back at once: kept apart, listed, and the tax bureau is told to return it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.contributions.model import Bill, PaymentRow
from yibao.domains.registers.model import DONE, PAYMENT_RETURNED, NewEntry
from yibao.domains.registers.queries import find_by_origin
from yibao.domains.windows.model import Asked, Rule
from yibao.domains.windows.tables import channels
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.asking import plan_name
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.windows.pass_gate import Gate

REFUND_AT_ONCE = "refund_at_once"
_BUSINESS = {"person": "flexible_contribution", "household": "resident_contribution"}
_TAX = "tax"
RESIDENTS = "390"
INSUTYPE = "select insutype from contributions.due where bill_id = $1 limit 1"
NAME = """
select name from (
    select 1 as rank, psn_no, name from people.person where psn_no = $1
    union all select 2, psn_no, name from people.person where household_no = $1
    union all select 3, '', name from enrolment.employer where emp_no = $1
) found order by rank, psn_no limit 1
"""


async def sends_back(
    tx: Connection, gate: Gate | None, bill: Bill | None, *, admdvs: str, channel: str, payer_kind: str, paid_at: datetime
) -> Rule | None:
    """Return the rule by which money paid at an instant goes back, None where it is taken in as always.

    What was paid before the stop and is only told after it is no payment after the stop.
    """
    if gate is None or gate.plan_for(admdvs, paid_at) is None:
        return None
    insutype = await tx.fetchval(INSUTYPE, bill.bill_id) if bill is not None else ""
    if bill is not None and bill.kind == "lump":
        business = "back_payment"
    elif insutype == RESIDENTS:
        business = "resident_contribution"
    else:
        business = _BUSINESS.get(payer_kind, "contribution")
    known = channel if channel in channels() else _TAX
    judged = gate.ask(Asked(business=business, admdvs=admdvs, channel=known, payer=payer_kind), paid_at)
    return next((hit.rule for hit in judged.hits if hit.rule.disposition == REFUND_AT_ONCE), None)


async def send_back(
    tx: Connection, payment: PaymentRow, rule: Rule, *, gate: Gate, actor: Actor, now: datetime, ids: Ids
) -> str:
    """List a payment in the book of returns and tell the tax bureau to give it back; return the number of its row."""
    name = await tx.fetchval(NAME, payment.payer_no)
    is_person = bool(await tx.fetchval("select exists (select from people.person where psn_no = $1)", payment.payer_no))
    entry = await add_entry(tx, NewEntry(
        admdvs=payment.admdvs, kind=PAYMENT_RETURNED, plan=plan_name(gate, payment.admdvs, payment.paid_at),
        business="contribution", applicant_name=name or payment.payer_no or "缴费人不明",
        psn_no=payment.payer_no if is_person else "", emp_no="" if is_person else payment.payer_no,
        channel=payment.channel, amount_fen=payment.amount_fen, paid_fen=payment.amount_fen,
        origin=f"payment/{payment.payment_id}", body={"rule": rule.id, "bill_id": payment.bill_id},
    ), actor=actor, now=now, ids=ids)
    assert not isinstance(entry, Refusal), "a row of returns asks for no paper"
    await put_out(tx, party=_TAX, kind="payment_return", key=payment.payment_id, admdvs=payment.admdvs, now=now, ids=ids, body={
        "payment_id": payment.payment_id, "amount_fen": payment.amount_fen, "reason": rule.says,
        "register_no": entry.register_no, "admdvs": payment.admdvs,
    })
    return entry.register_no


async def note_sent_back(
    tx: Connection, payment: PaymentRow, *, result: str, actor: Actor, now: datetime, ids: Ids
) -> None:
    """End the row of a payment that is back with its payer; nothing where it was never listed."""
    entry = await find_by_origin(tx, payment.admdvs, PAYMENT_RETURNED, f"payment/{payment.payment_id}")
    if entry is None or not entry.is_open:
        return
    ended = await close_entry(
        tx, entry.register_no, state=DONE, result=result, due_fen=0, back_fen=entry.paid_fen, now=now, actor=actor, ids=ids)
    assert not isinstance(ended, Refusal), "all of the money went back"
