"""Dues on their way: noted, taken to be so by a plan, arrived, not true, or believed no longer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.deadlines import operations, queries
from yibao.domains.deadlines.model import ARRIVED, LAPSED, REFUTED, TRANSIT, Term, Transit
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines.release import release
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.notices.tell import Message, tell
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

PAID = ("paid", "arrived", "credited")
UNPAID = ("assessed", "sent")
# A due may be for a year: the month asked for lies inside it.
DUE_OF = """
select psn_no, due_id, admdvs, state, month from contributions.due
where psn_no = $1 and insutype = $2 and kind in ('regular', 'back') and state not in ('cancelled', 'refunded')
  and month <= $3 and month + make_interval(months => months) > $3
order by month desc limit 1
"""
AFFECTED = """
select distinct psn_no from entitlement.spell
where psn_no = any($1::text[]) and reason = 'contribution_in_transit' and known_to is null and begin_on >= $2
"""
PAID_NOW = """
select t.psn_no, t.insutype, t.month from unnest($1::text[], $2::text[], $3::date[]) t(psn_no, insutype, month)
where exists (
    select from contributions.due d where d.psn_no = t.psn_no and d.insutype = t.insutype and d.kind in ('regular', 'back')
      and d.state in ('paid', 'arrived', 'credited')
      and d.month <= t.month and d.month + make_interval(months => d.months) > t.month)
"""


class NoteTransit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's dues of a month were paid and have not been told: by the tax bureau's list or the person's receipt."""

    psn_no: str
    insutype: str
    month: date
    paid_on: date
    source: str
    reference: str


class RefuteTransit(msgspec.Struct, frozen=True, kw_only=True):
    """Dues that were taken to be on their way were never paid, as the tax bureau says."""

    psn_no: str
    insutype: str
    month: date
    reason: str


async def note_transit(
    tx: Connection, command: NoteTransit, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Transit | Refusal:
    """Note that dues are on their way, and let the benefit status say so; refused where nothing is owed or no plan knows it.

    What the tax bureau or a receipt says takes the place of what was only presumed.
    """
    row = await tx.fetchrow(DUE_OF, command.psn_no, command.insutype, command.month)
    if row is None or row["admdvs"] not in actor.regions:
        return refuse("DUE_NOT_FOUND", "没有该参保人这个月份的应缴", field="month", received=f"{command.month:%Y-%m}",
                      remedy="请先核定，或核对险种和月份")
    if row["state"] in PAID:
        return refuse("DUE_PAID", "该月缴费已到账，不是在途", field="month", received=f"{command.month:%Y-%m}", remedy="无需登记")
    if command.source not in ("tax", "receipt") or not command.reference.strip():
        return refuse("RECEIPT_MISSING", "须写明完税证明或税务清单的编号", field="reference", received=command.source,
                      remedy="请填写来源和编号")
    if command.paid_on > business_date(now):
        return refuse("PAID_LATER", "缴费日期晚于今天", field="paid_on", received=command.paid_on.isoformat(), remedy="请核对")
    term = _term_of(await queries.terms_of(tx, [row["admdvs"]]), command.insutype, command.month)
    if term is None:
        return refuse("NO_TRANSIT_RULE", "本统筹区没有公告该月缴费在途的处理办法", field="month",
                      received=f"{command.month:%Y-%m}", remedy="请待缴费到账，或按停机公告办理")
    transit = _transit(
        row["psn_no"], command.insutype, row["month"] if command.insutype == "390" else command.month, row["admdvs"],
        row["due_id"], term, actor=actor, now=now, source=command.source, reference=command.reference.strip(),
        paid_on=command.paid_on,
    )
    await operations.note_transits(tx, [transit])
    await refresh_entitlement(tx, [transit.psn_no], now=now, shelf=shelf)
    await tell(tx, _told(transit, term), now=now, ids=ids)
    await write_trail(tx, actor, verb="note_transit", object_id=f"{transit.psn_no}/{transit.due_id}", admdvs=transit.admdvs,
                      state=transit, now=now, ids=ids, rule=term.rule)
    return transit


async def presume(
    tx: Connection, rows: Sequence[tuple[str, str, str, date]], term: Term, *, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> int:
    """Take the dues of persons to be on their way, as a plan says; return how many. Rows: person, due, region, first month.

    Told is only who has no benefits because of it; whose arrears are kept by law anyway is not alarmed.
    """
    transits = [
        _transit(psn_no, term.what, month, admdvs, due_id, term, actor=actor, now=now) for psn_no, due_id, admdvs, month in rows
    ]
    await operations.note_transits(tx, transits)
    await refresh_entitlement(tx, [t.psn_no for t in transits], now=now, shelf=shelf)
    affected = {row["psn_no"] for row in await tx.fetch(AFFECTED, [t.psn_no for t in transits], transits[0].month)}
    for transit in transits:
        if transit.psn_no in affected:
            await tell(tx, _told(transit, term), now=now, ids=ids)
    return len(transits)


async def refute_transit(
    tx: Connection, command: RefuteTransit, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Transit | Refusal:
    """Take back that dues are on their way: the month is unpaid, with everything that follows from it."""
    transit = await queries.find_transit(tx, command.psn_no, insutype=command.insutype, month=command.month)
    if transit is None or transit.admdvs not in actor.regions or transit.ended_at is not None:
        return refuse("TRANSIT_NOT_FOUND", "没有在途的这笔缴费", field="month", received=f"{command.month:%Y-%m}",
                      remedy="请核对人员、险种和月份")
    if not command.reason.strip():
        return refuse("REASON_MISSING", "须写明核实情况", field="reason", remedy="请填写税务部门的答复")
    ended = await _end(tx, [transit], state=REFUTED, says=command.reason.strip(), now=now, ids=ids, shelf=shelf)
    await write_trail(tx, actor, verb="refute_transit", object_id=f"{transit.psn_no}/{transit.due_id}", admdvs=transit.admdvs,
                      state=ended[0], now=now, ids=ids, rule=transit.rule)
    return ended[0]


async def lapse(
    tx: Connection, transits: Sequence[Transit], *, now: datetime, ids: Ids, shelf: PolicyShelf
) -> list[Transit]:
    """Believe no longer that dues are on their way; the persons are told what they can do."""
    return await _end(tx, transits, state=LAPSED, says="公告规定的期限已过，缴费仍未到账", now=now, ids=ids, shelf=shelf)


async def release_arrived(tx: Connection, psn_nos: Sequence[str], *, now: datetime, ids: Ids) -> int:
    """End what was on its way and has arrived, and release what was held because of it; return how many persons.

    Called in the transaction in which dues become paid. Nobody in transit: one statement.
    """
    transits = await queries.transits_of(tx, psn_nos)
    if not transits:
        return 0
    paid = {tuple(row) for row in await tx.fetch(
        PAID_NOW, [t.psn_no for t in transits], [t.insutype for t in transits], [t.month for t in transits])}
    arrived = [t for t in transits if (t.psn_no, t.insutype, t.month) in paid]
    for transit in arrived:
        await operations.end_transit(tx, transit, state=ARRIVED, now=now)
    waiting = {t.psn_no for t in transits if t not in arrived}
    done = sorted({t.psn_no for t in arrived} - waiting)
    for psn_no in done:
        await release(tx, [t for t in arrived if t.psn_no == psn_no], now=now, ids=ids)
    return len(done)


def _term_of(terms: Iterable[Term], insutype: str, month: date) -> Term | None:
    return next((
        t for t in terms if t.kind == TRANSIT and t.what == insutype and t.first_month is not None and t.until_month is not None
        and (t.first_month <= month < t.until_month or (insutype == "390" and month.year == t.first_month.year))
    ), None)


def _transit(
    psn_no: str, insutype: str, month: date, admdvs: str, due_id: str, term: Term, *, actor: Actor, now: datetime,
    source: str = "plan", reference: str = "", paid_on: date | None = None,
) -> Transit:
    return Transit(
        psn_no=psn_no, insutype=insutype, month=month, admdvs=admdvs, due_id=due_id, source=source, reference=reference,
        paid_on=paid_on, plan=term.plan, rule=term.rule, until_on=term.until_on or date(month.year + 1, 12, 31), noted_at=now,
        noted_by=actor.login,
    )


def _told(transit: Transit, term: Term) -> Message:
    return Message(
        admdvs=transit.admdvs, psn_no=transit.psn_no, kind="dues_in_transit", plan=transit.plan, version=term.version,
        rule=transit.rule, about=transit.due_id, key=f"{transit.due_id}:in_transit",
        text=f"您{month_text(transit)}的医保缴费信息尚未传到医保平台，待遇暂不能核定，不作停保处理。{term.says}。"
             "就医购药请先按停机公告办理并保留票据，缴费信息到达后我们会通知您补办。",
    )


def month_text(transit: Transit) -> str:
    """Return the period of dues in transit in words: a resident's is a year."""
    return f"{transit.month.year}年度" if transit.insutype == "390" else f"{transit.month.year}年{transit.month.month}月"


async def _end(
    tx: Connection, transits: Sequence[Transit], *, state: str, says: str, now: datetime, ids: Ids, shelf: PolicyShelf
) -> list[Transit]:
    for t in transits:
        await operations.end_transit(tx, t, state=state, now=now)
    await refresh_entitlement(tx, [t.psn_no for t in transits], now=now, shelf=shelf)
    for t in transits:
        await tell(tx, Message(
            admdvs=t.admdvs, psn_no=t.psn_no, kind="dues_in_transit", plan=t.plan, rule=t.rule, about=t.due_id,
            key=f"{t.due_id}:{state}",
            text=f"您{month_text(t)}的医保缴费未能确认：{says}。请联系用人单位或税务部门核实；已缴费的请带完税证明到经办窗口，"
                 "未缴费的请尽快补缴，补缴后原机构的挂账和垫付仍可按规定补办。",
        ), now=now, ids=ids)
    return [msgspec.structs.replace(t, state=state, ended_at=now) for t in transits]
