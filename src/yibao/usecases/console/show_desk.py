"""What the window desk sees of a region: tracks, stages, registers, burn-down, failures, calls, known problems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.console import queries
from yibao.domains.console.model import Day, Problem, Rate, YearByHand, themes
from yibao.domains.registers.queries import sum_books
from yibao.domains.windows.gate import stage_of
from yibao.domains.windows.model import FROZEN, STAGES, Plan, Track
from yibao.domains.windows.tables import books
from yibao.domains.windows.words import restart_says, stop_says
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.usecases.windows.pass_gate import Gate

RATE_MINUTES = 30
_CALL_DAYS, _CHART_DAYS = 7, 60


class TrackNow(msgspec.Struct, frozen=True):
    """A track as it stands: its stage, and its times as the notice says them."""

    code: str
    title: str
    stage: str
    stage_title: str
    stop: str
    restart: str
    is_stopped: bool


class BookNow(msgspec.Struct, frozen=True):
    """A register as it stands; amounts in fen."""

    kind: str
    title: str
    rows: int
    open: int
    ready: int
    owned: int
    oldest: datetime | None
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int


class EpisodesNow(msgspec.Struct, frozen=True):
    """Episodes in a state; amounts in fen."""

    state: str
    episodes: int
    oldest: datetime | None
    settle_by: date | None
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int


class Theme(msgspec.Struct, frozen=True):
    """What people called about in the last days."""

    theme: str
    title: str
    calls: int


class Desk(msgspec.Struct, frozen=True):
    """A window as its desk sees it; ``days`` is the burn-down of its registers."""

    plan: str
    title: str
    version: int
    tracks: list[TrackNow]
    books: list[BookNow]
    episodes: list[EpisodesNow]
    days: list[Day]
    rates: list[Rate]
    themes: list[Theme]
    problems: list[Problem]
    years_by_hand: list[YearByHand]


async def show_desk(tx: Connection, *, admdvs: str, gate: Gate, now: datetime) -> list[Desk]:
    """Return each window of a region, the last to begin first."""
    plans = sorted(gate.plans_of(admdvs), key=lambda p: min(t.stop for t in p.tracks), reverse=True)
    return [await _desk(tx, plan, now=now) for plan in plans]


def tracks_now(plan: Plan, at: datetime) -> list[TrackNow]:
    """Return the tracks of a plan as they stand at an instant."""
    return [_track(track, at) for track in plan.tracks]


async def days_of(tx: Connection, plan: Plan, *, now: datetime) -> list[Day]:
    """Return the burn-down of a plan's registers from its first stop to today; the first days where they are too many."""
    first, today = business_date(min(t.stop for t in plan.tracks)), business_date(now)
    if today < first:
        return []
    last = min(today, first + timedelta(days=_CHART_DAYS))
    return await queries.count_days(tx, plan.admdvs, plan=plan.name, first=first, last=last)


def _track(track: Track, at: datetime) -> TrackNow:
    stage = stage_of(track, at)
    return TrackNow(track.code, track.title, stage, STAGES[stage], stop_says(track), restart_says(track), stage == FROZEN)


async def _desk(tx: Connection, plan: Plan, *, now: datetime) -> Desk:
    admdvs = plan.admdvs
    return Desk(
        plan=plan.name, title=plan.title, version=plan.version, tracks=tracks_now(plan, now),
        books=await _books(tx, plan), episodes=await _episodes(tx, plan), days=await days_of(tx, plan, now=now),
        rates=await queries.count_failures(tx, admdvs, since=now - timedelta(minutes=RATE_MINUTES)),
        themes=await _themes(tx, admdvs, since=now - timedelta(days=_CALL_DAYS)),
        problems=await queries.list_problems(tx, admdvs),
        years_by_hand=await queries.list_years_by_hand(tx, admdvs),
    )


async def _books(tx: Connection, plan: Plan) -> list[BookNow]:
    titles = {code: book.title for code, book in books().items()}
    return [
        BookNow(r["kind"], titles.get(r["kind"], r["kind"]), r["rows"], r["open"], r["ready"], r["owned"], r["oldest"],
                r["paid_fen"], r["due_fen"], r["back_fen"], r["topup_fen"])
        for r in await sum_books(tx, plan.admdvs, plan=plan.name)
    ]


async def _episodes(tx: Connection, plan: Plan) -> list[EpisodesNow]:
    return [EpisodesNow(*row) for row in await queries.count_episodes(tx, plan.admdvs, plan=plan.name)]


async def _themes(tx: Connection, admdvs: str, *, since: datetime) -> list[Theme]:
    titles = themes()
    rows: Sequence[tuple[str, int]] = [(r["theme"], r["calls"]) for r in await queries.count_themes(tx, admdvs, since=since)]
    return [Theme(code, titles.get(code, code), calls) for code, calls in rows]
