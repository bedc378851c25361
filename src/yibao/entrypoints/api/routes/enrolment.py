"""Joining, moving, leaving, retiring, dying; years that count; lists of assisted persons."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.enrolment.years import Years
from yibao.entrypoints.api.fields import PsnNo
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import (
    AddMember,
    EnrolFlexible,
    EnrolNewborn,
    EnrolResident,
    LeaveRegion,
    MoveMember,
    RecordDeath,
    RemoveMember,
    RetireMember,
    TakeAssistedList,
)
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.enrolment.ending import Ended
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.joining import Begun, Held
from yibao.usecases.enrolment.leave_region import leave_region
from yibao.usecases.enrolment.move_member import move_member
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.enrolment.retire_member import Retired, retire_member
from yibao.usecases.enrolment.take_assisted_list import TakenList, take_assisted_list


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """How a joining ended: ``begun``, or ``held`` when who this is, is in doubt and a case was opened instead."""

    psn_no: str = ""
    begun: Begun | None = None
    held: Held | None = None


def _is_held(answer: Joined) -> bool:
    return answer.held is not None


@read("/people/{psn_no}/years", verb="show_enrolment")
async def show_years(call: Call, psn_no: PsnNo, until: date | None = None) -> Years:
    """Count the months that count towards retirement before the month of ``until``: paid, deemed, transferred, bought."""
    return await count_years(call.tx, psn_no, "310", until=until or business_date(call.now))


@deed("/enrolment/members", verb="add_member", status=201, waits=_is_held)
async def add_one_member(call: Call, data: AddMember) -> Joined | Refusal:
    """Enrol an employee through an employer; 202 and ``held`` where it is in doubt who this is and nobody was enrolled."""
    return _joined(await add_member(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/enrolment/moves", verb="add_member", status=201)
async def move_one_member(call: Call, data: MoveMember) -> Joined | Refusal:
    """Move an employee to another employer of the region without a gap."""
    return _joined(await move_member(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/enrolment/removals", verb="remove_member")
async def remove_one_member(call: Call, data: RemoveMember) -> Ended | Refusal:
    """End an employee's enrolment with the month of the last day."""
    return await remove_member(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/enrolment/flexible-workers", verb="enrol_flexible", status=201, waits=_is_held)
async def enrol_flexible_worker(call: Call, data: EnrolFlexible) -> Joined | Refusal:
    """Enrol somebody without an employer with the employees."""
    return _joined(await enrol_flexible(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/enrolment/residents", verb="enrol_resident", status=201, waits=_is_held)
async def enrol_one_resident(call: Call, data: EnrolResident) -> Joined | Refusal:
    """Enrol a resident, pupil or student."""
    return _joined(await enrol_resident(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/enrolment/newborns", verb="enrol_newborn", status=201, waits=_is_held)
async def enrol_one_newborn(call: Call, data: EnrolNewborn) -> Joined | Refusal:
    """Enrol a newborn: inside the window of the law with benefit from birth."""
    return _joined(await enrol_newborn(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/enrolment/retirements", verb="retire_member", status=201)
async def retire_one_member(call: Call, data: RetireMember) -> Retired | Refusal:
    """Retire somebody: the years are held against the law of the day of approval."""
    return await retire_member(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/enrolment/deaths", verb="record_death", status=201)
async def record_one_death(call: Call, data: RecordDeath) -> Ended | Refusal:
    """Record a death: every relation ends with that day."""
    return await record_death(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/enrolment/departures", verb="leave_region", status=201)
async def leave_one_region(call: Call, data: LeaveRegion) -> Ended | Refusal:
    """End all relations of somebody who leaves the region for good."""
    return await leave_region(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/enrolment/assisted-lists", verb="take_assisted_list", status=201)
async def take_one_assisted_list(call: Call, data: TakeAssistedList) -> TakenList | Refusal:
    """Take the whole list of one identity; who is not on it has it no longer."""
    return await take_assisted_list(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


def _joined(answer: Begun | Held | Refusal) -> Joined | Refusal:
    if isinstance(answer, Refusal):
        return answer
    if isinstance(answer, Held):
        return Joined(held=answer)
    return Joined(psn_no=answer.psn_no, begun=answer)


ROUTES = (
    show_years, add_one_member, move_one_member, remove_one_member, enrol_flexible_worker, enrol_one_resident,
    enrol_one_newborn, retire_one_member, record_one_death, leave_one_region, take_one_assisted_list,
)
