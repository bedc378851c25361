"""Newborns enrol: inside the window of the law they are insured from birth."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.enrolment.model import RESIDENT
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.reckoning.cases import WaitingCase
from yibao.policy.reckoning.waiting import newborn_until as newborn_by_law
from yibao.usecases.deadlines.clocks import newborn_until
from yibao.usecases.enrolment.commands import EnrolNewborn
from yibao.usecases.enrolment.finding import find_member, refuse_outside
from yibao.usecases.enrolment.joining import Answer, begin_one
from yibao.usecases.enrolment.judging import Wish
from yibao.usecases.settlement.shelf import PolicyShelf

PSN_TYPE = "1401"


async def enrol_newborn(
    tx: Connection, command: EnrolNewborn, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Answer:
    """Enrol a newborn with its mother's household and county where none is said.

    Inside the limit (which a standstill moves) the relation begins with the day of birth, later on the day of enrolment as
    any resident's does. A child without a number of its own stands under its birth certificate; the number is changed when
    it has one.
    """
    today = business_date(now)
    enrolled_on = command.enrolled_on or today
    if enrolled_on > today:
        return refuse("ENROLLED_LATER", "登记日期晚于今天", field="enrolled_on", received=enrolled_on.isoformat(),
                      remedy="请更正")
    if enrolled_on < command.born_on:
        return refuse("BIRTH_LATER", "出生日期晚于登记日期", field="born_on", received=command.born_on.isoformat(),
                      remedy="请核对")
    division, household_no = command.division, command.household_no
    if command.mother_psn_no or command.mother_certno:
        mother = await find_member(tx, actor=actor, psn_no=command.mother_psn_no, certno=command.mother_certno)
        # A mother who is not enrolled here does not keep her child from being.
        if not isinstance(mother, Refusal):
            division, household_no = division or mother.person.division, household_no or mother.person.household_no
    division = division or actor.division
    refusal = refuse_outside(actor, admdvs=command.admdvs, division=division, field="admdvs")
    if refusal is not None:
        return refusal
    until = window_of(command.admdvs, born_on=command.born_on, enrolled_on=enrolled_on, shelf=shelf)
    if isinstance(until, Refusal):
        return until
    in_time = enrolled_on <= await newborn_until(tx, until, admdvs=command.admdvs, born_on=command.born_on)
    wish = Wish(
        name=command.name, certno=command.certno, cert_type=command.cert_type, sex=command.sex, birth_on=command.born_on,
        nation=command.nation, division=division, household_no=household_no, insutype=RESIDENT, psn_type=PSN_TYPE,
        enrolment_kind="newborn" if in_time else "resident", account_kind="none",
        insured_on=command.born_on if in_time else enrolled_on, cause="newborn" if in_time else "resident", latest=today,
        may_go_back=True, evidence=command.evidence,
    )
    return await begin_one(tx, wish, admdvs=command.admdvs, verb="enrol_newborn", actor=actor, now=now, ids=ids, shelf=shelf)


def window_of(admdvs: str, *, born_on: date, enrolled_on: date, shelf: PolicyShelf) -> date | Refusal:
    """Return the last day on which a child enrols with benefits from birth, by the law of the day of enrolment."""
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    case = WaitingCase(admdvs=admdvs, on=enrolled_on, insutype=RESIDENT, psn_type=PSN_TYPE, born_on=born_on,
                       enrolled_on=enrolled_on)
    return newborn_by_law(case, policy)
