"""Somebody leaves the region for good: every relation ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from yibao.domains.enrolment.causes import GOING
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.commands import LeaveRegion
from yibao.usecases.enrolment.ending import Ended, end_for
from yibao.usecases.enrolment.finding import find_member
from yibao.usecases.enrolment.remove_member import refuse_cause
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def leave_region(
    tx: Connection, command: LeaveRegion, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Ended | Refusal:
    """End all relations of a person who goes; ``left_on`` is the last day insured here.

    Who has been removed already and only transfers the record gets an empty answer: the relation stays as it ended.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no, certno=command.certno, cert_type=command.cert_type)
    if isinstance(member, Refusal):
        return member
    refusal = refuse_cause(command.cause, GOING)
    if refusal is not None:
        return refusal
    if command.left_on > business_date(now):
        return refuse("LEAVES_TOO_LATE", "离开日期不能晚于今天", field="left_on", received=command.left_on.isoformat(),
                      remedy="请届时办理")
    after, living = command.left_on + timedelta(days=1), member.open_relations
    ended = Ended(member.person.psn_no, (), after) if not living else await end_for(
        tx, living, on=after, cause=command.cause, is_ended=True, actor=actor, now=now, ids=ids, shelf=shelf
    )
    if not isinstance(ended, Refusal):
        await write_trail(tx, actor, verb="leave_region", object_id=member.person.psn_no, admdvs=member.person.admdvs,
                          state=(ended, command.to_admdvs), now=now, ids=ids)
    return ended
