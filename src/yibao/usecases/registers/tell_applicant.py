"""What whoever is registered in a book is told: the number when it is taken in, the answer when it ends."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.registers.books import books
from yibao.domains.registers.model import STATES, Entry
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.ids import Ids
from yibao.usecases.notices.tell import Message, tell

_TOLD_ELSEWHERE = ("episode/", "claim/")
"""Rows that stand for something whose own deeds tell people."""


async def tell_received(tx: Connection, entry: Entry, *, now: datetime, ids: Ids) -> None:
    """Tell number and time of a new row."""
    title = books().kinds[entry.kind].title
    moved = f"，办理时限顺延到{entry.due_on}" if entry.due_on and entry.moved_from else ""
    holds = f"，自{entry.effective_on}起有效" if entry.effective_on else ""
    await _tell(tx, entry, kind="register_received", now=now, ids=ids,
                text=f"{title}：已受理，登记号{entry.register_no}，受理时间{to_wire(entry.received_at)}{holds}{moved}。")


async def tell_answer(tx: Connection, entry: Entry, *, now: datetime, ids: Ids) -> None:
    """Tell what came of a row that has ended."""
    title = books().kinds[entry.kind].title
    said = "；".join(part for part in (entry.result, entry.reason) if part)
    await _tell(tx, entry, kind="register_answer", now=now, ids=ids,
                text=f"{title}（登记号{entry.register_no}）：{STATES[entry.state]}" + (f"，{said}。" if said else "。"))


async def _tell(tx: Connection, entry: Entry, *, kind: str, text: str, now: datetime, ids: Ids) -> None:
    if entry.origin.startswith(_TOLD_ELSEWHERE) or not (entry.psn_no or entry.emp_no):
        return
    await tell(tx, Message(
        admdvs=entry.admdvs, psn_no=entry.psn_no, emp_no="" if entry.psn_no else entry.emp_no, kind=kind, text=text,
        key=f"{entry.register_no}:{kind}:{entry.state}", plan=entry.plan, about=entry.register_no, phone=entry.phone,
    ), now=now, ids=ids)
