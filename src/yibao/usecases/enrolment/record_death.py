"""A death ends every relation and identity with its day."""

from __future__ import annotations

from datetime import datetime, timedelta

from yibao.domains.enrolment.operations import end_identities
from yibao.domains.people.model import Change
from yibao.domains.people.operations import change_fields
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.commands import RecordDeath
from yibao.usecases.enrolment.ending import Ended, end_for
from yibao.usecases.enrolment.finding import find_member
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def record_death(
    tx: Connection, command: RecordDeath, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Ended | Refusal:
    """Record a death; the same day again changes nothing, another day is refused.

    The personal account stays as it is for the heirs. A relation that holds until later ends earlier; benefits and
    settlements after the day of death are not due.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no, certno=command.certno, cert_type=command.cert_type)
    if isinstance(member, Refusal):
        return member
    person, after = member.person, command.died_on + timedelta(days=1)
    if person.died_on == command.died_on:
        return Ended(person.psn_no, (), after)
    if person.died_on is not None:
        return refuse("DEATH_RECORDED", f"已登记于{person.died_on.isoformat()}死亡", field="died_on",
                      received=command.died_on.isoformat(), remedy="请核对死亡日期，有误的先更正")
    if not person.birth_on <= command.died_on <= business_date(now):
        return refuse("DEATH_DAY_WRONG", "死亡日期早于出生或晚于今天", field="died_on", received=command.died_on.isoformat(),
                      remedy="请核对")
    await change_fields(tx, person.psn_no, {"died_on": command.died_on}, [Change(
        psn_no=person.psn_no, change_id=ids.new(now), admdvs=person.admdvs, field="died_on", old_value=None,
        new_value=command.died_on.isoformat(), effective_on=command.died_on, recorded_at=now,
        evidence=command.evidence or command.source, actor=actor.login, channel=actor.channel, cause="death",
    )])
    await end_identities(tx, [person.psn_no], on=after)
    # Also those that were to end later, and those that had begun after the death without anybody knowing.
    living = [r for r in member.relations if r.is_open or (r.paused_on is not None and r.paused_on > after)]
    if not living:
        await refresh_entitlement(tx, [person.psn_no], now=now, shelf=shelf)
    ended = Ended(person.psn_no, (), after) if not living else await end_for(
        tx, living, on=after, cause="death", is_ended=True, actor=actor, now=now, ids=ids, shelf=shelf
    )
    if not isinstance(ended, Refusal):
        await write_trail(tx, actor, verb="record_death", object_id=person.psn_no, admdvs=person.admdvs, state=ended, now=now,
                          ids=ids)
    return ended
