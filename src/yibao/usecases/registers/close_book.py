"""Close a book of a window: every row has its end or somebody who answers for it, and its money balances."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import Entry
from yibao.domains.registers.operations import keep_closing
from yibao.domains.registers.queries import list_book
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.trail import write_trail

_SHOWN = 20


class CloseBook(msgspec.Struct, frozen=True, kw_only=True):
    """Which book: of a region, kind and window; an institution's own where one is named."""

    admdvs: str
    kind: str
    plan: str
    fixmedins_code: str = ""


class ClosedBook(msgspec.Struct, frozen=True, kw_only=True):
    """A book as it was closed; amounts in fen, ``digest`` is SM3 over its rows, hexadecimal."""

    admdvs: str
    kind: str
    plan: str
    fixmedins_code: str
    closed_at: datetime
    closed_by: str
    rows: int
    owned: int
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int
    digest: str


async def close_book(
    tx: Connection, command: CloseBook, *, actor: Actor, now: datetime, ids: Ids
) -> ClosedBook | Refusal:
    """Close a book, or refuse with every row that is open and nobody's.

    A row that comes later (a settlement taken back, a case found late) makes the book open again: it is closed anew.
    """
    if command.kind not in books().kinds:
        return refuse("REGISTER_UNKNOWN", "没有这种登记册", field="kind", received=command.kind[:40],
                      remedy="请从登记册清单中选择")
    rows = await list_book(
        tx, command.admdvs, kind=command.kind, plan=command.plan, fixmedins_code=command.fixmedins_code)
    left = [row for row in rows if row.is_open and not _is_owned(row, on=business_date(now))]
    if left:
        return Refusal(tuple(
            Fault("REGISTER_OPEN_ROW", f"{row.register_no}（{row.applicant_name}）尚未办结"
                  + (f"：{row.reason}" if row.reason else ""), "register_no", row.register_no, "请办结，或写明责任人和期限")
            for row in left[:_SHOWN]
        ) + ((Fault("REGISTER_OPEN_ROW", f"另有{len(left) - _SHOWN}件尚未办结"),) if len(left) > _SHOWN else ()))
    closed = ClosedBook(
        admdvs=command.admdvs, kind=command.kind, plan=command.plan, fixmedins_code=command.fixmedins_code, closed_at=now,
        closed_by=actor.login, rows=len(rows), owned=sum(row.is_open for row in rows),
        paid_fen=sum(row.paid_fen for row in rows), due_fen=sum(row.due_fen for row in rows),
        back_fen=sum(row.back_fen for row in rows), topup_fen=sum(row.topup_fen for row in rows),
        digest=digest_of(rows).hex(),
    )
    await keep_closing(tx, *msgspec.structs.astuple(closed)[:-1], bytes.fromhex(closed.digest))
    await write_trail(tx, actor, verb="register_close", object_id=f"{command.kind}/{command.plan}", admdvs=command.admdvs,
                      state=closed, now=now, ids=ids, rule=command.plan)
    return closed


def digest_of(rows: list[Entry]) -> bytes:
    """Return the SM3 of rows as they stand."""
    return sm3(msgspec.json.encode(rows))


def _is_owned(row: Entry, *, on: date) -> bool:
    return row.owner_until is not None and row.owner_until >= on
