"""Confirm which region bears the benefit of somebody who retires after having paid in more than one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.services.rules import refuse_checker
from yibao.domains.transfers.operations import confirm_place
from yibao.domains.transfers.queries import find_person, find_retirement_place, months_counted
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.trail import write_trail
from yibao.usecases.transfers.commands import ConfirmRetirementPlace


class PlaceConfirmed(msgspec.Struct, frozen=True):
    """Who bears the benefit, and the months that were looked at: paid here, and counted in all."""

    psn_no: str
    bearing_admdvs: str
    is_here: bool
    months_here: int
    months_total: int
    basis: str


async def confirm_retirement_place(
    tx: Connection, command: ConfirmRetirementPlace, *, actor: Actor, maker: str, now: datetime, ids: Ids
) -> PlaceConfirmed | Refusal:
    """Confirm the region that bears somebody's retired benefit; ``maker`` asked for it, ``actor`` confirms: four eyes.

    Cities ask that the place be confirmed with the agency at retirement (rule HZ-904, from December 2022). Which rule decides
    is theirs: the months are shown and the basis is kept; a region where nothing was paid cannot bear it.
    """
    person = await find_person(tx, command.psn_no)
    if person is None or person["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field="psn_no", received=command.psn_no, remedy="请核对人员编号")
    refusal = refuse_checker([maker], actor.login)
    if refusal is None and not command.basis.strip():
        refusal = refuse("BASIS_MISSING", "须写明确认的依据", field="basis", remedy="请填写文件或协议名称")
    if refusal is not None:
        return refusal
    admdvs, today = person["admdvs"], business_date(now)
    counted = await months_counted(tx, command.psn_no, admdvs=admdvs, insutype=command.insutype)
    years = await count_years(tx, command.psn_no, command.insutype, until=today)
    is_here = command.bearing_admdvs == admdvs
    if is_here and not years.actual_months:
        return refuse("NOTHING_PAID_HERE", "在本统筹区没有缴费，不能由本地承担退休待遇", field="bearing_admdvs",
                      received=admdvs, remedy="请确认由缴费地承担")
    done = PlaceConfirmed(command.psn_no, command.bearing_admdvs, is_here, years.actual_months,
                          max(years.total_months, len(counted)), command.basis.strip())
    earlier = await find_retirement_place(tx, command.psn_no, command.insutype)
    if earlier is not None and earlier["bearing_admdvs"] == command.bearing_admdvs:
        return done
    await confirm_place(
        tx, psn_no=command.psn_no, confirmation_id=ids.new(now), admdvs=admdvs, bearing_admdvs=command.bearing_admdvs,
        insutype=command.insutype, on=today, months_here=done.months_here, months_total=done.months_total, basis=done.basis,
        asked_by=maker, confirmed_by=actor.login, now=now,
    )
    await write_trail(tx, actor, verb="confirm_retirement_place", object_id=command.psn_no, admdvs=admdvs, state=done, now=now,
                      ids=ids)
    return done
