"""End a cash difference: the institution has given back, or taken, what a settlement in its place of the year changed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.registers.model import CASH_DIFFERENCE, DONE, Entry
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.registers.see_entry import see_entry


async def end_difference(
    tx: Connection, register_no: str, *, amount_fen: int, actor: Actor, now: datetime, ids: Ids
) -> Entry | Refusal:
    """End the row by the cash that went over the counter: positive taken from the patient, negative given back, fen.

    Any other amount than what the settlement changed is refused: what is due is not a matter of agreement.
    """
    entry = await see_entry(tx, register_no, actor=actor, lock=True)
    if isinstance(entry, Refusal):
        return entry
    if entry.kind != CASH_DIFFERENCE:
        return refuse("NOT_A_DIFFERENCE", "这一行不是现金差额", field="register_no", received=register_no,
                      remedy="请在对应的登记册办理")
    told = msgspec.json.decode(entry.body)
    change, due = int(told["change_fen"]), int(told["due_fen"])
    if amount_fen != change:
        way = "补收" if change > 0 else "退还"
        return refuse("DIFFERENCE_OTHER", f"应{way}{yuan_text(abs(change))}元", field="amount_fen", received=str(amount_fen),
                      remedy=f"请按应{way}的金额办理")
    return await close_entry(
        tx, register_no, state=DONE, result=f"{'已补收' if change > 0 else '已退还'}{yuan_text(abs(change))}元", now=now,
        actor=actor, ids=ids, due_fen=due, back_fen=max(0, -change), topup_fen=max(0, change),
    )
