"""Answers as of a stop: the questions about one person that the API can keep, taking them, and giving them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from yibao.domains.windows.model import Plan
from yibao.domains.windows.tables import business_of_way
from yibao.entrypoints.api.routing import JSON, Route
from yibao.entrypoints.api.services import ApiServices, Call
from yibao.entrypoints.api.table import routes
from yibao.infra.database import Connection, Database
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.snapshot import (
    Dated,
    dated_businesses,
    find_dated,
    keep_answers,
    list_next,
    refuse_undated,
)

PERSON = "psn_no"
CHUNK = 200


class Taken(msgspec.Struct, frozen=True):
    """What was kept: people and questions."""

    people: int
    questions: tuple[str, ...]


def questions_of(plan: Plan, at: datetime) -> tuple[Route, ...]:
    """Return the questions that are kept: about one person, without further conditions, of a business that is dated."""
    dated = dated_businesses(plan, at)
    return tuple(
        r for r in routes()
        if r.method == "GET" and r.in_path == (PERSON,) and r.produces == JSON
        and business_of_way("operation", r.operation) in dated
        and all(f.default is not msgspec.NODEFAULT for f in msgspec.structs.fields(r.parameters) if f.name != PERSON)
    )


async def dated_answer(route: Route, texts: dict[str, str], *, call: Call) -> Dated | Refusal:
    """Return the kept answer; a question with further conditions has none."""
    if set(texts) != {PERSON}:
        return refuse_undated(call.judged)
    names = tuple(p.name for p in call.gate.plans_of(*call.actor.regions))
    return await find_dated(call.tx, texts[PERSON], names=names, operation=route.operation)


async def take_snapshot(
    database: Database, services: ApiServices, plan: Plan, *, actor: Actor, progress: Callable[[str], None]
) -> Taken:
    """Keep the answers about everybody of the plan's region; what was kept before stays, so that it may be broken off.

    Args:
        services: whose clock says when the answers are true.
    """
    asked = questions_of(plan, services.clock.now())
    after, count = "", 0
    while True:
        async with database.transaction(regions=(plan.admdvs,)) as tx:
            people = await list_next(tx, plan.admdvs, after=after, limit=CHUNK)
            if not people or not asked:
                return Taken(count, tuple(r.operation for r in asked))
            for psn_no in people:
                await _keep(tx, psn_no, asked, plan, services=services, actor=actor)
        after, count = people[-1], count + len(people)
        progress(f"已留存 {count} 人")


async def _keep(
    tx: Connection, psn_no: str, asked: tuple[Route, ...], plan: Plan, *, services: ApiServices, actor: Actor
) -> None:
    now = services.clock.now()
    call = Call(tx=tx, actor=actor, now=now, ids=services.ids, shelf=services.shelf, services=services, do_again=_never)
    answers = {}
    for route in asked:
        result = await route.fn(call, **{**_defaults(route), PERSON: psn_no})
        if not isinstance(result, Refusal):
            answers[route.operation] = msgspec.json.encode(result)
    await keep_answers(tx, psn_no, name=plan.name, admdvs=plan.admdvs, now=now, answers=answers)


def _defaults(route: Route) -> dict[str, object]:
    return {f.name: f.default for f in msgspec.structs.fields(route.parameters) if f.name != PERSON}


async def _never(_call: Call, _proposal: object) -> None:
    raise AssertionError("a question proposes nothing")
