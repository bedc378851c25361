"""The notice board of cut-over windows: what is stopped, until when, what to do, what is known to be wrong."""

from __future__ import annotations

import asyncpg
import msgspec
from litestar import Response, get
from markupsafe import Markup

from yibao.domains.console.model import Day, Problem
from yibao.domains.console.queries import list_problems
from yibao.domains.windows.model import Hotline, Plan
from yibao.entrypoints.portals.institution.session import services_of
from yibao.entrypoints.portals.look.forms import AnyRequest
from yibao.entrypoints.portals.look.rendering import page
from yibao.infra.database import Unavailable
from yibao.usecases.console.draw_days import draw_days
from yibao.usecases.console.show_desk import TrackNow, days_of, tracks_now
from yibao.usecases.notices.writing import long_text


class Together(msgspec.Struct, frozen=True):
    """Tracks that stand alike: the same stage, the same times."""

    now: TrackNow
    titles: list[str]


class Board(msgspec.Struct, frozen=True):
    """One window as everybody may see it."""

    plan: Plan
    groups: list[Together]
    text: str
    hotlines: tuple[Hotline, ...]
    problems: list[Problem]
    days: list[Day]
    chart: Markup


@get("/windows")
async def show_windows(request: AnyRequest) -> Response[str]:
    """Show the windows of every region; what the database does not answer is left out, the notice is not."""
    services = services_of(request)
    await services.gate.fresh()
    now = services.clock.now()
    boards = []
    for plan in sorted(services.gate.plans, key=lambda p: min(t.stop for t in p.tracks), reverse=True):
        problems: list[Problem] = []
        days: list[Day] = []
        try:
            async with services.database.transaction(regions=(plan.admdvs,)) as tx:
                problems = await list_problems(tx, plan.admdvs)
                days = await days_of(tx, plan, now=now)
        except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pass
        boards.append(Board(
            plan, _together(tracks_now(plan, now)), long_text(plan, view="person"), plan.hotlines, problems, days,
            Markup(draw_days(days)),  # noqa: S704 - made here, of numbers only
        ))
    return page(request, "windows.html", title="停机公告", active="windows", boards=boards)


def _together(tracks: list[TrackNow]) -> list[Together]:
    groups: dict[tuple[str, str, str], Together] = {}
    for t in tracks:
        groups.setdefault((t.stage, t.stop, t.restart), Together(t, [])).titles.append(t.title)
    return list(groups.values())


HANDLERS = [show_windows]
