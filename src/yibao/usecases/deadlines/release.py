"""Release what was held because dues were on their way: cases of care, rows of books, applications. People are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.deadlines.model import Transit
from yibao.domains.deadlines.operations import add_release
from yibao.domains.windows.tables import businesses
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.notices.tell import Message, tell
from yibao.usecases.registers.close_entry import make_ready
from yibao.usecases.services.commands import OnApplication
from yibao.usecases.services.suspend_application import resume_application

CAUSE = "contribution_in_transit"
EPISODE, ENTRY, APPLICATION = "episode", "entry", "application"
# A case that has a row in a book is listed once, as the case.
HELD = """
select psn_no, 'episode' as object_kind, episode_id as object_id, admdvs, business, fixmedins_code, register_no,
       disposition as how, begin_at::date as since_on, paid_fen
from episodes.episode where psn_no = any($1::text[]) and cause = $2 and state in ('held', 'entered')
union all
select e.psn_no, 'entry', e.register_no, e.admdvs, e.business, e.fixmedins_code, e.register_no, e.kind, e.received_at::date,
       e.paid_fen
from registers.entry e where e.psn_no = any($1::text[]) and e.psn_no <> '' and e.body->>'cause' = $2
  and e.state in ('received', 'ready') and e.origin not like 'episode/%'
union all
select a.applicant_no, 'application', a.application_id, a.admdvs, '', '', a.register_no, a.item_code, a.submitted_at::date, 0
from services.application a where a.applicant_no = any($1::text[]) and a.applicant_no <> '' and a.state = 'suspended'
  and a.window_id = $2
order by 1, 9, 2, 3
"""
BOOKS = {"episode": "挂账或垫付", "entry": "登记", "application": "申请"}


class HeldCase(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for dues.

    Attributes:
        object_kind: ``episode``, ``entry`` (of a book) or ``application``.
        how: the disposition of a case, the book of a row, the item of an application.
    """

    psn_no: str
    object_kind: str
    object_id: str
    admdvs: str
    business: str
    fixmedins_code: str
    register_no: str
    how: str
    paid_fen: int


async def held_of(tx: Connection, psn_nos: Sequence[str]) -> list[HeldCase]:
    """Return what is held for persons because of their dues, the oldest first."""
    return [_held(row) for row in await tx.fetch(HELD, list(psn_nos), CAUSE)]


async def release(tx: Connection, arrived: Sequence[Transit], *, now: datetime, ids: Ids) -> list[HeldCase]:
    """Let everything go on that was held for one person whose dues have arrived; return it. Done again it does nothing.

    A case of care stays where it is: its institution settles it now. A row of a book is ready, an application's clock runs.
    """
    first = arrived[0]
    actor = Actor(login="dues-arrival", channel="worker", regions=(first.admdvs,))
    months = [t.month for t in arrived]
    released = []
    for held in await held_of(tx, [first.psn_no]):
        is_new = await add_release(
            tx, psn_no=held.psn_no, object_kind=held.object_kind, object_id=held.object_id, admdvs=held.admdvs,
            business=held.business, months=months, now=now,
        )
        if not is_new:
            continue
        await _let_go(tx, held, actor=actor, now=now, ids=ids)
        released.append(held)
    await _tell(tx, first, released, now=now, ids=ids)
    return released


async def _let_go(tx: Connection, held: HeldCase, *, actor: Actor, now: datetime, ids: Ids) -> None:
    if held.register_no and held.object_kind != APPLICATION:
        done = await make_ready(tx, held.register_no, says="缴费信息已到账，可以办理", now=now, actor=actor, ids=ids)
        assert not isinstance(done, Refusal), "an open row was open a moment ago"
    if held.object_kind == APPLICATION:
        resumed = await resume_application(
            tx, OnApplication(application_id=held.object_id, says="缴费信息已到账"), actor=actor, now=now, ids=ids)
        assert not isinstance(resumed, Refusal), "an application that was suspended a moment ago"


async def _tell(
    tx: Connection, transit: Transit, released: Sequence[HeldCase], *, now: datetime, ids: Ids
) -> None:
    month = f"{transit.month.year}年度" if transit.insutype == "390" else f"{transit.month.year}年{transit.month.month}月"
    lines = "；".join(f"{_title(h)}（编号{h.register_no or h.object_id}）" for h in released)
    more = f"因此暂缓的{len(released)}件业务现在可以补办：{lines}。请带好票据到原机构办理，多退少补。" if released else ""
    await tell(tx, Message(
        admdvs=transit.admdvs, psn_no=transit.psn_no, kind="dues_arrived", plan=transit.plan, rule=transit.rule,
        about=transit.due_id, key=f"{transit.due_id}:arrived",
        text=f"您{month}的医保缴费信息已到账，待遇自始有效。{more}",
    ), now=now, ids=ids)
    for held in released:
        if held.fixmedins_code:
            await tell(tx, Message(
                admdvs=held.admdvs, fixmedins_code=held.fixmedins_code, kind="dues_arrived", plan=transit.plan,
                rule=transit.rule, about=held.object_id, key=f"{held.object_id}:arrived",
                text=f"编号{held.register_no or held.object_id}的{_title(held)}：参保人缴费信息已到账，可以补办结算，多退少补。",
            ), now=now, ids=ids)


def _title(held: HeldCase) -> str:
    business = businesses().get(held.business)
    return business.title if business is not None else BOOKS[held.object_kind]


def _held(row: asyncpg.Record) -> HeldCase:
    return HeldCase(**{name: row[name] for name in HeldCase.__struct_fields__})
