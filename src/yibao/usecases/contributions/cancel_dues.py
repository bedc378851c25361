"""Take back dues that nobody owes: a leaver, a death, a move to another employer learnt late."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby

import msgspec

from yibao.domains.contributions import queries
from yibao.domains.contributions.model import PAID, UNPAID, Due
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import take_from_bill
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

CANCEL = "update contributions.due set state = 'cancelled', surcharge_fen = 0 where psn_no = $1 and due_id = $2"


class CancelDues(msgspec.Struct, frozen=True, kw_only=True):
    """Whose dues of which months (``before`` not included; None: all later ones) are not owed, and why."""

    psn_no: str
    first: date
    reason: str
    before: date | None = None
    insutype: str = ""


class Cancelled(msgspec.Struct, frozen=True):
    """Ids of the dues that were cancelled, and of those that are paid and would have to be refunded."""

    psn_no: str
    due_ids: tuple[str, ...]
    to_refund: tuple[str, ...]


async def cancel_dues(
    tx: Connection, command: CancelDues, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Cancelled | Refusal:
    """Cancel a person's unpaid dues of some months; bills that were sent are cancelled and their rest billed anew.

    Paid dues stay and are told: ``request_refund`` gives them back.
    """
    if not command.reason.strip():
        return refuse("REASON_MISSING", "作废应缴须写明原因", field="reason", remedy="请填写原因")
    dues = await queries.list_dues(tx, command.psn_no, insutype=command.insutype, first=command.first, before=command.before)
    unpaid = await take_off(tx, [d for d in dues if d.state in UNPAID], now=now, ids=ids)
    dues = await queries.list_dues(tx, command.psn_no, insutype=command.insutype, first=command.first, before=command.before)
    paid = tuple(d.due_id for d in dues if d.state in PAID and d.total_fen and d.kind != "subsidy")
    if unpaid:
        await refresh_entitlement(tx, [command.psn_no], now=now, shelf=shelf)
        await write_trail(tx, actor, verb="cancel_dues", object_id=command.psn_no, admdvs=unpaid[0].admdvs,
                          state=[d.due_id for d in unpaid], now=now, ids=ids)
    return Cancelled(command.psn_no, tuple(d.due_id for d in unpaid), paid)


async def take_off(tx: Connection, dues: list[Due], *, now: datetime, ids: Ids) -> list[Due]:
    """Cancel unpaid dues and take them off their bills; return those that nobody has paid meanwhile.

    Bills are held before dues, as a payment holds them: what is paid at this moment is either paid or cancelled, never both.
    """
    for bill_id in sorted({d.bill_id for d in dues if d.bill_id}):
        await queries.find_bill(tx, bill_id, lock=True)
    unpaid = [d for d in await queries.take_dues_by_key(tx, [(d.psn_no, d.due_id) for d in dues]) if d.state in UNPAID]
    for bill_id, group in groupby(sorted(unpaid, key=lambda d: d.bill_id), key=lambda d: d.bill_id):
        listed = list(group)
        bill = await queries.find_bill(tx, bill_id, lock=True) if bill_id else None
        for due in listed:
            await tx.execute(CANCEL, due.psn_no, due.due_id)
        if bill is not None and bill.state in ("open", "sent"):
            await take_from_bill(tx, bill, listed, now=now, ids=ids)
    return unpaid
