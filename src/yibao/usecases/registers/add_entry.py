"""Put a row into a book: it has a number, a time and a telephone from then on."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import RECEIVED, Entry, KeptPaper, NewEntry, Step
from yibao.domains.registers.operations import add_step, draw_number, insert_entry, keep_papers
from yibao.domains.registers.queries import find_by_origin
from yibao.domains.registers.rules import number_of, refuse_entry
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.tell_applicant import tell_received
from yibao.usecases.trail import write_trail


async def add_entry(tx: Connection, new: NewEntry, *, actor: Actor, now: datetime, ids: Ids) -> Entry | Refusal:
    """Put a row into its book, or return the row that stands there already for the same origin.

    Refused: a kind that is no book, no name, a missing paper (each by its title), impossible money. Whether the actor may
    work for the region is judged by the deed that calls this.

    A transaction that writes into several books does so in the order of their kinds: their counters are held.
    """
    known = books()
    refusal = refuse_entry(new, known.kinds.get(new.kind), known.papers.get(new.kind, ()))
    if refusal is not None:
        return refusal
    if new.origin:
        earlier = await find_by_origin(tx, new.admdvs, new.kind, new.origin)
        if earlier is not None:
            return earlier
    register_no = number_of(new.admdvs, new.kind, await draw_number(tx, new.admdvs, new.kind))
    entry = Entry(
        admdvs=new.admdvs, register_no=register_no, kind=new.kind, plan=new.plan, business=new.business, psn_no=new.psn_no,
        emp_no=new.emp_no, applicant_name=new.applicant_name.strip(), phone=new.phone, fixmedins_code=new.fixmedins_code,
        division=actor.division, received_at=now, received_by=actor.login, channel=new.channel or actor.channel,
        effective_on=new.effective_on, due_on=new.due_on, moved_from=new.moved_from, state=RECEIVED,
        amount_fen=new.amount_fen, paid_fen=new.paid_fen, origin=new.origin,
        body=msgspec.json.encode(new.body, order="deterministic").decode(),
    )
    await insert_entry(tx, entry)
    await keep_papers(tx, entry, [
        KeptPaper(p.code, p.title, p.file_name, p.content, p.digest or sm3(p.content)) for p in new.papers
    ], by=actor.login, now=now)
    await add_step(tx, entry, Step("receive", RECEIVED, now, actor.login, actor.channel, "、".join(p.title for p in new.papers)))
    await write_trail(tx, actor, verb="register_receive", object_id=register_no, admdvs=entry.admdvs, state=entry, now=now,
                      ids=ids, rule=new.plan)
    await tell_received(tx, entry, now=now, ids=ids)
    return entry
