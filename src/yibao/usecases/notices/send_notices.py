"""Tell everybody whom a published plan concerns: reminders, changes and openings, each once; safe to run any time again.

A run works out what is to be said now and says what was not said before, in the order of addressees; a run that was killed
is simply run again. Nothing is told of a plan that is only proposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.notices.model import VIEWS, Message
from yibao.domains.notices.operations import keep_text
from yibao.domains.notices.queries import told_before, told_of_plan
from yibao.domains.notices.rules import message_id_of
from yibao.domains.windows.model import Plan
from yibao.infra.database import Connection, Database
from yibao.infra.failpoints import reached
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.notices.amending import amendments, withdrawals
from yibao.usecases.notices.commands import SendNotices
from yibao.usecases.notices.concerns import find_concerns
from yibao.usecases.notices.opening import openings
from yibao.usecases.notices.published import find_before, find_published, list_withdrawn, published_at
from yibao.usecases.notices.reminding import reminders
from yibao.usecases.notices.tell import tell_all
from yibao.usecases.notices.writing import long_text, phone_text
from yibao.usecases.trail import write_trail


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a run told.

    Attributes:
        kinds: new messages by kind.
        left: messages that are still to be sent: run it again.
    """

    plan: str
    version: int
    sent: int
    kinds: dict[str, int]
    left: int


async def send_notices(
    tx: Connection, command: SendNotices, *, actor: Actor, now: datetime, ids: Ids
) -> Sent | Refusal:
    """Keep the texts of a plan's version and send what is to be said now and was not said before."""
    found = await _find_pending(tx, command, actor=actor, now=now)
    if isinstance(found, Refusal):
        return found
    plan, pending = found
    chosen = pending[: command.most]
    new = await _tell_some(tx, plan, chosen, actor=actor, now=now, ids=ids)
    return Sent(plan=plan.name, version=plan.version, sent=new, kinds=_kinds(chosen), left=len(pending) - len(chosen))


async def send_all(
    database: Database, command: SendNotices, *, actor: Actor, now: datetime, ids: Ids
) -> Sent | Refusal:
    """Send everything, worked out once and written in transactions of ``command.most`` messages each.

    Killed between two of them and run again, it sends the rest.
    """
    async with database.transaction() as tx:
        found = await _find_pending(tx, command, actor=actor, now=now)
    if isinstance(found, Refusal):
        return found
    plan, pending = found
    sent = 0
    for begin in range(0, len(pending), command.most):
        async with database.transaction() as tx:
            sent += await _tell_some(tx, plan, pending[begin : begin + command.most], actor=actor, now=now, ids=ids)
        reached("chunk_written")
    return Sent(plan=plan.name, version=plan.version, sent=sent, kinds=_kinds(pending), left=0)


async def pending_messages(tx: Connection, plan: Plan, *, at: datetime) -> list[Message]:
    """Return what is to be said of a plan at an instant and was not said before."""
    before = {
        (row["psn_no"], row["emp_no"], row["fixmedins_code"], rule)
        for row in await told_before(tx, plan.admdvs, plan.name, plan.version) for rule in row["rules"]
    }
    # Who was reminded by an earlier version is told what the new one changes, and not reminded of the same again.
    found = [
        m for m in reminders(plan, await find_concerns(tx, plan, at=at))
        if (m.psn_no, m.emp_no, m.fixmedins_code, m.rule) not in before
    ]
    old = await find_before(tx, plan)
    if old is not None:
        found += await amendments(tx, old, plan, published_at=await published_at(tx, plan))
    found += await withdrawals(tx, plan, await list_withdrawn(tx, plan))
    found += await openings(tx, plan, at=at)
    told = await told_of_plan(tx, plan.admdvs, plan.name)
    return [m for m in found if (m.psn_no, message_id_of(m)) not in told]


async def _find_pending(
    tx: Connection, command: SendNotices, *, actor: Actor, now: datetime
) -> tuple[Plan, list[Message]] | Refusal:
    if command.admdvs not in actor.regions:
        return refuse("REGION_NOT_YOURS", "不属于您办理的统筹区", field="admdvs", received=command.admdvs,
                      remedy="请由所属经办机构办理")
    plan = await find_published(tx, command.admdvs, command.plan)
    if isinstance(plan, Refusal):
        return plan
    await _keep_texts(tx, plan, now)
    return plan, await pending_messages(tx, plan, at=now)


async def _tell_some(
    tx: Connection, plan: Plan, chosen: Sequence[Message], *, actor: Actor, now: datetime, ids: Ids
) -> int:
    new = await tell_all(tx, chosen, now=now, ids=ids)
    if new:
        await write_trail(
            tx, actor, verb="send_notices", object_id=f"{plan.admdvs}/{plan.name}/{plan.version}", admdvs=plan.admdvs,
            state=[(m.psn_no, message_id_of(m)) for m in chosen], now=now, ids=ids,
        )
    return new


def _kinds(messages: Sequence[Message]) -> dict[str, int]:
    return dict(sorted(Counter(m.kind for m in messages).items()))


async def _keep_texts(tx: Connection, plan: Plan, now: datetime) -> None:
    for view in VIEWS:
        text = phone_text(plan) if view == "phone" else long_text(plan, view=view)
        await keep_text(tx, admdvs=plan.admdvs, plan=plan.name, version=plan.version, view=view, text=text, at=now)
