"""The window desk: tracks, registers, backlog, failures, calls and known problems; and a person's own view of a window."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.console.model import Problem
from yibao.domains.console.queries import list_problems
from yibao.entrypoints.api.fields import Division, Id, MaybeWords, PsnNo, Region, Words
from yibao.entrypoints.api.routing import deed, public, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal
from yibao.usecases.console.keep_problem import ChangeProblem, TellProblem, keep_problem, tell_problem
from yibao.usecases.console.note_call import NoteCall, note_call
from yibao.usecases.console.show_desk import Desk, show_desk
from yibao.usecases.console.show_own_window import OwnWindow, show_own_window

Number = Annotated[int, Meta(ge=0, le=100_000_000, description="涉及人数")]
Code = Annotated[str, Meta(max_length=40, pattern=r"^[a-z_]*$", description="代码")]


class Desks(msgspec.Struct, frozen=True):
    """The windows of a region, the last to begin first."""

    rows: list[Desk]


class PublicProblem(msgspec.Struct, frozen=True):
    """A known problem as everybody may read it."""

    problem_id: str
    business: str
    title: str
    says: str
    workaround: str
    people: int
    close_by: date
    moved: int
    outcome: str


class Problems(msgspec.Struct, frozen=True):
    """Known problems, the first to be mended first."""

    rows: list[PublicProblem]


class CallNoted(msgspec.Struct, frozen=True):
    """A call that was written down."""

    call_id: str


class CallAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody called about; nothing of who it was."""

    admdvs: Region
    theme: Code
    business: Code = ""
    county: Division = ""
    says: MaybeWords = ""


class ProblemAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A problem as people are to read it."""

    admdvs: Region
    business: Code
    title: Words
    says: Words
    workaround: Words
    close_by: date
    people: Number = 0
    book: Code = ""


class ProblemChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is new about a problem; what is left out stays."""

    admdvs: Region
    says: Words | None = None
    workaround: Words | None = None
    people: Number | None = None
    close_by: date | None = None
    outcome: Words | None = None


@read("/window-desk", verb="show_window_desk")
async def show_window_desk(call: Call, admdvs: Region) -> Desks:
    """Show each window of a region: tracks, registers with their oldest row, burn-down, failures, calls, problems."""
    return Desks(await show_desk(call.tx, admdvs=admdvs, gate=call.gate, now=call.now))


@deed("/window-desk/calls", verb="note_call", status=201)
async def note_one_call(call: Call, data: CallAsked) -> CallNoted | Refusal:
    """Write down what somebody called the hotline about."""
    noted = await note_call(call.tx, NoteCall(**msgspec.structs.asdict(data)), actor=call.actor, now=call.now, ids=call.ids)
    return noted if isinstance(noted, Refusal) else CallNoted(noted.call_id)


@deed("/window-desk/problems", verb="keep_problem", status=201)
async def tell_one_problem(call: Call, data: ProblemAsked) -> PublicProblem | Refusal:
    """Put a problem on the public list: how many it concerns, what to do meanwhile, until when it will be mended."""
    told = await tell_problem(
        call.tx, TellProblem(**msgspec.structs.asdict(data)), actor=call.actor, now=call.now, ids=call.ids
    )
    return told if isinstance(told, Refusal) else _public(told)


@deed("/window-desk/problems/{problem_id}", verb="keep_problem")
async def change_one_problem(call: Call, problem_id: Id, data: ProblemChange) -> PublicProblem | Refusal:
    """Change what is said of a problem, put its day off, or end it with what came of it."""
    command = ChangeProblem(problem_id=problem_id, **msgspec.structs.asdict(data))
    kept = await keep_problem(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)
    return kept if isinstance(kept, Refusal) else _public(kept)


@public("/known-problems")
async def list_known_problems(call: Call, admdvs: Region) -> Problems:
    """List what is known to be wrong in a region and not mended yet."""
    return Problems([_public(p) for p in await list_problems(call.tx, admdvs)])


@read("/people/{psn_no}/window", verb="show_own_window")
async def show_window_of_person(call: Call, psn_no: PsnNo) -> OwnWindow | Refusal:
    """Show what a window means for one person: held cases with their numbers, next steps and money, moved deadlines."""
    return await show_own_window(call.tx, psn_no, gate=call.gate, now=call.now)


def _public(p: Problem) -> PublicProblem:
    return PublicProblem(p.problem_id, p.business, p.title, p.says, p.workaround, p.people, p.close_by, p.moved, p.outcome)


ROUTES = (
    show_window_desk, note_one_call, tell_one_problem, change_one_problem, list_known_problems, show_window_of_person,
)
