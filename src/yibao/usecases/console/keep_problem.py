"""Tell everybody what is known to be wrong: how many it concerns, what to do meanwhile, until when it will be mended."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.console.model import Problem
from yibao.domains.console.operations import add_problem, change_problem
from yibao.domains.console.queries import find_problem
from yibao.domains.windows.tables import books, businesses
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.trail import write_trail


class TellProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as people are to read it; with ``book`` its people are the open rows of that register."""

    admdvs: str
    business: str
    title: str
    says: str
    workaround: str
    close_by: date
    people: int = 0
    book: str = ""


class ChangeProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is new about a problem; None leaves a thing as it is. ``outcome`` ends it."""

    admdvs: str
    problem_id: str
    says: str | None = None
    workaround: str | None = None
    people: int | None = None
    close_by: date | None = None
    outcome: str | None = None


async def tell_problem(tx: Connection, command: TellProblem, *, actor: Actor, now: datetime, ids: Ids) -> Problem | Refusal:
    """Put a problem on the public list, or say everything that is wrong with it."""
    faults = [
        Fault("TEXT_MISSING", f"须填写{title}", name, remedy="请填写后再发布")
        for name, title in (("title", "标题"), ("says", "问题说明"), ("workaround", "目前的办法"))
        if not getattr(command, name).strip()
    ]
    if command.admdvs not in actor.regions:
        faults.append(Fault("OTHER_REGION", "不能发布其他统筹区的问题", "admdvs", command.admdvs, "请由当地经办机构发布"))
    if command.business not in businesses():
        faults.append(Fault("BUSINESS_UNKNOWN", "没有这项业务", "business", command.business[:40], "请核对业务代码"))
    if command.book and command.book not in books():
        faults.append(Fault("REGISTER_UNKNOWN", "没有这种登记簿", "book", command.book[:40], "请核对登记簿代码"))
    faults += _number_faults(command.people) + _day_faults(command.close_by, now)
    if faults:
        return Refusal(tuple(faults))
    problem = Problem(
        admdvs=command.admdvs, problem_id=ids.new(now), business=command.business, title=command.title.strip(),
        says=command.says.strip(), workaround=command.workaround.strip(), people=command.people, book=command.book,
        opened_at=now, opened_by=actor.login, close_by=command.close_by,
    )
    await add_problem(tx, problem)
    await _trail(tx, problem, "tell_problem", actor=actor, now=now, ids=ids)
    return problem


async def keep_problem(tx: Connection, command: ChangeProblem, *, actor: Actor, now: datetime, ids: Ids) -> Problem | Refusal:
    """Change what is said of a problem, put its day off, or end it with what came of it."""
    problem = await find_problem(tx, command.admdvs, command.problem_id) if command.admdvs in actor.regions else None
    if problem is None:
        return refuse("PROBLEM_NOT_FOUND", "没有这个问题", field="problem_id", received=command.problem_id[:40],
                      remedy="请核对编号")
    if problem.closed_at is not None:
        return refuse("PROBLEM_CLOSED", "该问题已关闭", field="problem_id", received=command.problem_id,
                      remedy="再次出现的请新发布一个")
    faults = [] if command.people is None else _number_faults(command.people)
    moves = command.close_by is not None and command.close_by != problem.close_by
    if command.close_by is not None and moves:
        faults += _day_faults(command.close_by, now)
    if command.outcome is not None and not command.outcome.strip():
        faults.append(Fault("OUTCOME_MISSING", "关闭须写明结果", "outcome", remedy="请填写结果"))
    if faults:
        return Refusal(tuple(faults))
    changed = msgspec.structs.replace(
        problem, says=(command.says or problem.says).strip(), workaround=(command.workaround or problem.workaround).strip(),
        people=problem.people if command.people is None else command.people,
        close_by=command.close_by or problem.close_by, moved=problem.moved + moves,
    )
    if command.outcome is not None:
        changed = msgspec.structs.replace(changed, closed_at=now, closed_by=actor.login, outcome=command.outcome.strip())
    await change_problem(tx, changed)
    await _trail(tx, changed, "keep_problem", actor=actor, now=now, ids=ids)
    return changed


def _number_faults(people: int) -> list[Fault]:
    return [Fault("PEOPLE_NEGATIVE", "涉及人数不能为负", "people", str(people), "请核对人数")] if people < 0 else []


def _day_faults(close_by: date, now: datetime) -> list[Fault]:
    if close_by >= business_date(now):
        return []
    return [Fault("DAY_PASSED", "预计解决日期已过", "close_by", close_by.isoformat(), "请填写今天或以后的日期")]


async def _trail(tx: Connection, problem: Problem, verb: str, *, actor: Actor, now: datetime, ids: Ids) -> None:
    await write_trail(tx, actor, verb=verb, object_id=problem.problem_id, admdvs=problem.admdvs, state=problem, now=now, ids=ids)
