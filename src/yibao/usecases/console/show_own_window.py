"""A person's own view of a window: what is held, under which number, what comes next, which money is expected, what moved."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.deadlines.model import CLOCKS
from yibao.domains.deadlines.queries import moves_of_region
from yibao.domains.episodes.model import CLAIMED, ENTERED, HELD, KINDS, LAPSED, SETTLED, STATES, Episode
from yibao.domains.episodes.queries import list_episodes
from yibao.domains.institutions.queries import find_institution
from yibao.domains.notices.queries import list_told
from yibao.domains.people.queries import find_person
from yibao.domains.registers.model import READY, RECEIVED, Entry
from yibao.domains.registers.model import STATES as ROW_STATES
from yibao.domains.registers.queries import list_of_person
from yibao.domains.windows.model import Plan
from yibao.domains.windows.tables import books
from yibao.domains.windows.words import hotline_of
from yibao.infra.database import Connection
from yibao.kernel.deadline import OPEN
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.console.show_desk import TrackNow, tracks_now
from yibao.usecases.windows.pass_gate import Gate

_MESSAGES = 20
_BY_EPISODE = ("episode/",)


class HeldCase(msgspec.Struct, frozen=True):
    """An episode of care that the window held up, in words; amounts in fen.

    ``back_fen`` and ``topup_fen`` are known once it is settled; until then ``money`` says what decides them.
    """

    register_no: str
    kind: str
    place: str
    begin_at: datetime
    end_at: datetime | None
    state: str
    state_title: str
    paid_fen: int
    back_fen: int | None
    topup_fen: int | None
    money: str
    settle_by: date | None
    next: str


class OwnRow(msgspec.Struct, frozen=True):
    """A row of a register: its number, where it stands, what comes next; ``moved_from`` is its last day before the move."""

    register_no: str
    title: str
    state: str
    state_title: str
    received_at: datetime
    due_on: date | None
    moved_from: date | None
    back_fen: int
    next: str


class OwnMove(msgspec.Struct, frozen=True):
    """A last day that moved; ``due_on`` None stands until further notice."""

    about: str
    was_on: date
    due_on: date | None
    says: str


class OwnMessage(msgspec.Struct, frozen=True):
    """Something the person was told."""

    at: datetime
    text: str


class OwnWindow(msgspec.Struct, frozen=True):
    """All of it."""

    psn_no: str
    tracks: list[TrackNow]
    cases: list[HeldCase]
    rows: list[OwnRow]
    moves: list[OwnMove]
    messages: list[OwnMessage]
    hotline: str


async def show_own_window(tx: Connection, psn_no: str, *, gate: Gate, now: datetime) -> OwnWindow | Refusal:
    """Return what a window means for one person, as known now."""
    person = await find_person(tx, psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
    plans = gate.plans_of(person["admdvs"])
    episodes = await list_episodes(tx, psn_no=psn_no)
    rows = [e for e in await list_of_person(tx, psn_no) if not e.origin.startswith(_BY_EPISODE)]
    hotline = next((h for p in plans if (h := hotline_of(p)) is not None), None)
    return OwnWindow(
        psn_no=psn_no, tracks=[t for plan in plans for t in tracks_now(plan, now)],
        cases=[await _case(tx, e, plans) for e in episodes],
        rows=[_row(e) for e in rows],
        moves=[
            OwnMove(CLOCKS[m["clock"]], m["was_on"], m["due_on"] if m["due_on"] < OPEN else None, m["says"])
            for m in await moves_of_region(tx, [person["admdvs"]], psn_no=psn_no)
        ],
        messages=[OwnMessage(m.told_at, m.text) for m in await list_told(tx, psn_no=psn_no, most=_MESSAGES)],
        hotline=f"{hotline.title} {hotline.phone}" if hotline else "",
    )


async def _case(tx: Connection, e: Episode, plans: tuple[Plan, ...]) -> HeldCase:
    institution = await find_institution(tx, e.fixmedins_code)
    place = e.institution_name or (institution.name if institution is not None else e.fixmedins_code)
    is_settled = e.state == SETTLED
    plan = next((p for p in plans if p.name == e.plan), None)
    rule = plan.rule(e.rule_id) if plan is not None else None
    return HeldCase(
        register_no=e.register_no, kind=KINDS[e.kind], place=place, begin_at=e.begin_at, end_at=e.end_at, state=e.state,
        state_title=STATES[e.state], paid_fen=e.paid_fen, back_fen=e.back_fen if is_settled else None,
        topup_fen=e.topup_fen if is_settled else None, money=_money(e), settle_by=e.settle_by,
        next=_next(e, place, rule.says if rule is not None else ""),
    )


def _money(e: Episode) -> str:
    """Say which money goes which way, as exactly as it is known."""
    if e.state == SETTLED:
        if e.back_fen:
            return f"已付{yuan_text(e.paid_fen)}元，个人应付{yuan_text(e.due_fen)}元，退还{yuan_text(e.back_fen)}元"
        if e.topup_fen:
            return f"已付{yuan_text(e.paid_fen)}元，个人应付{yuan_text(e.due_fen)}元，补交{yuan_text(e.topup_fen)}元"
        return f"个人应付{yuan_text(e.due_fen)}元，已付清"
    if e.paid_fen:
        return f"已付{yuan_text(e.paid_fen)}元；结算时医保应付的部分从中退还，不足的补交"
    return "尚未付费；结算时只付个人应付的部分"


def _next(e: Episode, place: str, says: str) -> str:
    """Say what the person has to do, or has to wait for."""
    if e.state in (HELD, ENTERED):
        until = f"（{e.settle_by:%Y年%m月%d日}前）" if e.settle_by else ""
        return f"由{place}补录结算{until}，请保留凭据{'；' + says if says else ''}"
    if e.state == LAPSED:
        return "补录期限已过，请携带发票、费用清单到参保地经办机构手工报销"
    if e.state == CLAIMED:
        return "已转手工报销，请等待审核和付款"
    return "已办结，无需再办"


def _row(e: Entry) -> OwnRow:
    waits = {RECEIVED: "已登记，恢复办理后按编号顺序集中办理，无需再来", READY: "可以办理，正在处理"}
    return OwnRow(
        register_no=e.register_no, title=books()[e.kind].title, state=e.state, state_title=ROW_STATES[e.state],
        received_at=e.received_at, due_on=e.due_on, moved_from=e.moved_from, back_fen=e.back_fen,
        next=waits.get(e.state) or e.result or e.reason,
    )
