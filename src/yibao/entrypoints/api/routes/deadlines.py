"""Moved deadlines, and dues that are on their way: what is promised, what moved, who waits for it, what is held."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.deadlines.model import CLOCKS, SOURCES, TRANSIT_STATES, Move, Term, Transit
from yibao.domains.deadlines.queries import list_moves, list_transits, moves_of_region, terms_of
from yibao.domains.deadlines.rules import say_day
from yibao.entrypoints.api.fields import Id, Limit, PsnNo, Region, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.deadline import OPEN
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines import in_transit as transits
from yibao.usecases.deadlines.held import HeldLine, list_held
from yibao.usecases.deadlines.ways_open import OpenWay, ways_open

MaybePsnNo = Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$", description="人员编号，空为全部")]
MaybeCode = Annotated[str, Meta(max_length=60, pattern=r"^[0-9A-Za-z_-]*$", description="空为全部")]
ObjectKind = Annotated[str, Meta(max_length=20, pattern=r"^[a-z_]+$", description="application、transfer、bill、claim 等")]
Month = Annotated[date, Meta(description="月份的第一天；居民为年度的首月")]


class PromiseView(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a published plan about time; which fields count depends on ``kind``."""

    plan: str
    version: int
    rule: str
    kind: str
    what: str
    what_text: str
    way: str
    begin_on: date | None
    end_on: date | None
    until_on: date | None
    first_month: date | None
    until_month: date | None
    says: str


class Promises(msgspec.Struct, frozen=True):
    """What published plans promise about time now."""

    rows: list[PromiseView]


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a last day; ``due_on`` null: until further notice."""

    object_kind: str
    object_id: str
    psn_no: str
    clock: str
    clock_text: str
    plan: str
    rule: str
    was_on: date
    due_on: date | None
    due_text: str
    says: str
    moved_at: datetime | None


class Moves(msgspec.Struct, frozen=True):
    """Steps of last days."""

    rows: list[MoveView]


class TransitView(msgspec.Struct, frozen=True, kw_only=True):
    """Dues of a person and month that are on their way, or were."""

    psn_no: str
    insutype: str
    month: date
    admdvs: str
    due_id: str
    source: str
    source_text: str
    reference: str
    paid_on: date | None
    rule: str
    until_on: date
    state: str
    state_text: str
    noted_at: datetime
    ended_at: datetime | None


class Transits(msgspec.Struct, frozen=True):
    """Dues on their way."""

    rows: list[TransitView]


class HeldCases(msgspec.Struct, frozen=True):
    """Everything that waits for dues, and what was released."""

    rows: list[HeldLine]


class Ways(msgspec.Struct, frozen=True):
    """What to do meanwhile, by business."""

    rows: list[OpenWay]


class NoteTransit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dues that were paid and have not been told; ``paid_on`` and ``reference`` as the receipt or the list says."""

    psn_no: PsnNo
    insutype: Literal["310", "390"]
    month: Month
    paid_on: date
    source: Literal["tax", "receipt"]
    reference: Annotated[str, Meta(min_length=1, max_length=80)]


class RefuteTransit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dues that were never paid, as the tax bureau says."""

    psn_no: PsnNo
    insutype: Literal["310", "390"]
    month: Month
    reason: Words


@read("/deadlines/promises", verb="show_deadlines")
async def list_deadline_promises(call: Call, region: Region) -> Promises | Refusal:
    """List what published plans promise about time: extensions, months that cost nothing, what is done earlier."""
    refusal = _outside(call, region)
    return refusal or Promises([_promise(t) for t in await terms_of(call.tx, [region])])


@read("/deadlines/moves", verb="show_deadlines")
async def list_deadline_moves(
    call: Call, psn_no: MaybePsnNo = "", clock: MaybeCode = "", plan: MaybeCode = "", limit: Limit = 50
) -> Moves:
    """List last days that moved, the newest first: from when to when, by which rule, and why."""
    rows = await moves_of_region(call.tx, call.actor.regions, psn_no=psn_no, clock=clock, plan=plan, most=limit)
    return Moves([
        _move(Move(**{f: row[f] for f in Move.__struct_fields__}), row["object_kind"], row["object_id"], row["psn_no"],
              row["moved_at"]) for row in rows
    ])


@read("/deadlines/of/{object_kind}/{object_id}", verb="show_deadlines")
async def show_deadline(call: Call, object_kind: ObjectKind, object_id: Id) -> Moves:
    """Show how the last day of one thing moved, step by step; empty where it never did."""
    return Moves([_move(m, object_kind, object_id, "", None) for m in await list_moves(call.tx, object_kind, object_id)])


@read("/transits", verb="list_transits")
async def list_dues_in_transit(
    call: Call, psn_no: MaybePsnNo = "", state: MaybeCode = "in_transit", limit: Limit = 50
) -> Transits:
    """List dues that are on their way, by month and person; with another ``state`` what became of them."""
    rows = await list_transits(call.tx, call.actor.regions, state=state, psn_no=psn_no, most=limit)
    return Transits([_transit(t) for t in rows])


@read("/transits/held", verb="list_transits")
async def list_held_for_dues(call: Call, psn_no: MaybePsnNo = "", limit: Limit = 100) -> HeldCases:
    """List what is held because dues are on their way, with money given and the day it was released."""
    return HeldCases(await list_held(call.tx, call.actor.regions, psn_no=psn_no, most=limit))


@read("/transits/ways", verb="show_deadlines")
async def list_ways_open(call: Call, region: Region) -> Ways | Refusal:
    """Say for each business what somebody does whose dues are on their way."""
    return _outside(call, region) or Ways(ways_open(call.gate, region, call.now))


@deed("/transits", verb="note_transit", status=201)
async def note_dues_in_transit(call: Call, data: NoteTransit) -> TransitView | Refusal:
    """Note that somebody's dues are on their way, by the tax bureau's list or the person's receipt."""
    command = transits.NoteTransit(**msgspec.structs.asdict(data))
    return _answer(await transits.note_transit(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/transits/refute", verb="refute_transit")
async def refute_dues_in_transit(call: Call, data: RefuteTransit) -> TransitView | Refusal:
    """Take back that dues are on their way: the tax bureau says that they were never paid."""
    command = transits.RefuteTransit(**msgspec.structs.asdict(data))
    return _answer(await transits.refute_transit(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


def _outside(call: Call, region: str) -> Refusal | None:
    if region in call.actor.regions:
        return None
    return refuse("REGION_NOT_YOURS", "不是您经办的统筹区", field="region", received=region, remedy="请核对区划")


def _answer(found: Transit | Refusal) -> TransitView | Refusal:
    return found if isinstance(found, Refusal) else _transit(found)


def _transit(t: Transit) -> TransitView:
    return TransitView(
        psn_no=t.psn_no, insutype=t.insutype, month=t.month, admdvs=t.admdvs, due_id=t.due_id, source=t.source,
        source_text=SOURCES[t.source], reference=t.reference, paid_on=t.paid_on, rule=t.rule, until_on=t.until_on,
        state=t.state, state_text=TRANSIT_STATES[t.state], noted_at=t.noted_at, ended_at=t.ended_at,
    )


def _promise(t: Term) -> PromiseView:
    return PromiseView(
        plan=t.plan, version=t.version, rule=t.rule, kind=t.kind, what=t.what, what_text=CLOCKS.get(t.what, ""), way=t.way,
        begin_on=t.begin_on, end_on=t.end_on, until_on=t.until_on, first_month=t.first_month, until_month=t.until_month,
        says=t.says,
    )


def _move(m: Move, object_kind: str, object_id: str, psn_no: str, moved_at: datetime | None) -> MoveView:
    return MoveView(
        object_kind=object_kind, object_id=object_id, psn_no=psn_no, clock=m.clock, clock_text=CLOCKS.get(m.clock, m.clock),
        plan=m.plan, rule=m.rule, was_on=m.was_on, due_on=None if m.due_on == OPEN else m.due_on, due_text=say_day(m.due_on),
        says=m.says, moved_at=moved_at,
    )


ROUTES = (
    list_deadline_promises, list_deadline_moves, show_deadline, list_dues_in_transit, list_held_for_dues, list_ways_open,
    note_dues_in_transit, refute_dues_in_transit,
)
