"""Work a book off in the order of its numbers; what cannot be done stays, with the reason."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import DONE, ONLINE, Entry
from yibao.domains.registers.queries import find_entry, list_open
from yibao.domains.services.items import service_book
from yibao.domains.services.model import ACCEPTED, NONE, REGISTERED, REVIEWING, SUBMITTED, Application
from yibao.domains.services.queries import find_application
from yibao.domains.windows.model import Asked
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.registers.close_entry import close_entry, move_entry
from yibao.usecases.registers.work_filing import FILING, file_paper
from yibao.usecases.services.accept_application import accept_application
from yibao.usecases.services.commands import OnApplication
from yibao.usecases.services.decide_application import approve_application, review_application
from yibao.usecases.services.desk import move
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import Gate

_APPLICATION = "application/"
WAITING, WORKED, KEPT, BY_HAND = "waiting", "done", "kept", "by_hand"


class WorkRows(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows to work: of a book and window, after a number, at most so many."""

    admdvs: str
    kind: str
    plan: str
    after: str = ""
    limit: int = 50


class WorkedRow(msgspec.Struct, frozen=True):
    """What came of a row: ``done``, ``waiting`` (still stopped), ``kept`` (refused, with why), ``by_hand``."""

    register_no: str
    outcome: str
    says: str


class Worked(msgspec.Struct, frozen=True):
    """What came of some rows; ``last`` is where to go on, ``""`` when nothing was left."""

    rows: tuple[WorkedRow, ...]
    last: str


async def work_rows(
    tx: Connection, command: WorkRows, *, actor: Actor, checker: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    gate: Gate | None = None,
) -> Worked | Refusal:
    """Do what the rows of a book ask for, each for itself, in the order of numbers.

    An application is accepted, reviewed by ``actor`` and approved by ``checker``; one that was stored online is handed to
    the desk undecided; a paper of a filing is filed from the day of its receipt. A row whose business still stands waits.
    A row that is refused stays open with the reason. Run again after any end it goes on where it stood: a row that is done
    is not open any more.
    """
    if command.kind not in books().kinds:
        return refuse("REGISTER_UNKNOWN", "没有这种登记册", field="kind", received=command.kind[:40],
                      remedy="请从登记册清单中选择")
    if command.admdvs not in actor.regions:
        return refuse("OTHER_REGION", "不能办理其他统筹区的登记", field="admdvs", received=command.admdvs, remedy="请核对统筹区")
    numbers = await list_open(
        tx, command.admdvs, kind=command.kind, plan=command.plan, after=command.after, limit=command.limit)
    rows = []
    for number in numbers:
        entry = await find_entry(tx, number, lock=True)
        if entry is not None and entry.is_open:
            rows.append(await _work(tx, entry, actor=actor, checker=checker, now=now, ids=ids, shelf=shelf, gate=gate))
    return Worked(tuple(rows), numbers[-1] if numbers else "")


async def _work(
    tx: Connection, entry: Entry, *, actor: Actor, checker: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    gate: Gate | None,
) -> WorkedRow:
    stopped = None
    if gate is not None and entry.business:
        judged = gate.ask(Asked(business=entry.business, admdvs=entry.admdvs, channel="batch"), now)
        stopped = judged.refusal
    if stopped is not None:
        return WorkedRow(entry.register_no, WAITING, stopped.sentence())
    await tx.execute("SAVEPOINT register_row")
    says = await _do(tx, entry, actor=actor, checker=checker, now=now, ids=ids, shelf=shelf)
    if isinstance(says, Refusal):
        # What the row had begun is undone; that it was tried, and why it could not be done, stays.
        await tx.execute("ROLLBACK TO SAVEPOINT register_row")
        reason = says.sentence()
        await move_entry(tx, entry, what="keep", says=reason, actor=actor, now=now, ids=ids, reason=reason, tried_at=now)
    await tx.execute("RELEASE SAVEPOINT register_row")
    if isinstance(says, Refusal):
        return WorkedRow(entry.register_no, KEPT, says.sentence())
    return WorkedRow(entry.register_no, WORKED if says else BY_HAND, says or "须由经办人逐件办理")


async def _do(
    tx: Connection, entry: Entry, *, actor: Actor, checker: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> str | Refusal:
    """Do what a row asks for and return what came of it; ``""`` where somebody has to do it by hand."""
    if entry.origin.startswith(_APPLICATION):
        return await _application(tx, entry, actor=actor, checker=checker, now=now, ids=ids, shelf=shelf) or "已办"
    if FILING in msgspec.json.decode(entry.body):
        return await file_paper(tx, entry, actor=actor, now=now, ids=ids, shelf=shelf)
    return ""


async def _application(
    tx: Connection, entry: Entry, *, actor: Actor, checker: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> str | Refusal:
    """Bring a registered application to its end, or to the desk where nothing was decided about it yet."""
    application_id = entry.origin.removeprefix(_APPLICATION)
    application = await find_application(tx, application_id, lock=True)
    if application is None:
        return refuse("APPLICATION_NOT_FOUND", "没有登记所指的申请", field="register_no", received=entry.register_no)
    if entry.kind == ONLINE:
        return await _hand_over(tx, entry, application, actor=actor, now=now, ids=ids)
    step = OnApplication(application_id=application_id, says=f"登记号{entry.register_no}，集中办理")
    answer: Application | Refusal = application
    if application.state == REGISTERED:
        answer = await accept_application(tx, step, actor=actor, now=now, ids=ids, shelf=shelf)
    if not isinstance(answer, Refusal) and answer.state == ACCEPTED:
        answer = await review_application(tx, step, actor=actor, now=now, ids=ids)
    if not isinstance(answer, Refusal) and answer.state == REVIEWING and _is_reviewed(answer):
        answer = await approve_application(tx, step, actor=checker, now=now, ids=ids, shelf=shelf)
    if isinstance(answer, Refusal):
        return answer
    after = await find_entry(tx, entry.register_no)
    return after.result if after is not None and not after.is_open else f"申请{answer.state}"


def _is_reviewed(application: Application) -> bool:
    return service_book().items[application.item_code].review != NONE


async def _hand_over(
    tx: Connection, entry: Entry, application: Application, *, actor: Actor, now: datetime, ids: Ids
) -> str | Refusal:
    """Let an application that was stored undecided go to the desk, in the order of its number."""
    says = "已恢复办理，转经办受理"
    if application.state == REGISTERED:
        await move(tx, application, what="release", state=SUBMITTED, says=says, actor=actor, now=now, ids=ids)
    ended = await close_entry(
        tx, entry.register_no, state=DONE, result=says, now=now, actor=actor, ids=ids)
    return ended if isinstance(ended, Refusal) else says
