"""Residents enrol by category: children, pupils, students through their school, adults, the elderly."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.enrolment.model import RESIDENT
from yibao.domains.people.rules import tell
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import age_on, business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines.clocks import season_now
from yibao.usecases.enrolment.commands import EnrolResident
from yibao.usecases.enrolment.finding import find_active_employer, refuse_outside
from yibao.usecases.enrolment.joining import Answer, begin_one
from yibao.usecases.enrolment.judging import Wish
from yibao.usecases.enrolment.resident_categories import Category, category_of, find_category
from yibao.usecases.settlement.shelf import PolicyShelf


async def enrol_resident(
    tx: Connection, command: EnrolResident, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Answer:
    """Enrol a resident.

    Without a first day the relation begins today, or, inside the law's season, on 1 January of the year that is then paid
    for. It stays open over the years; each year is paid for anew.
    """
    today, division = business_date(now), command.division or actor.division
    refusal = refuse_outside(actor, admdvs=command.admdvs, division=division, field="admdvs")
    if refusal is not None:
        return refusal
    insured_on = command.insured_on or await season_year(tx, shelf, command.admdvs, on=today) or today
    category = _category(command, insured_on=insured_on, today=today)
    if isinstance(category, Refusal):
        return category
    if category.needs_school and not command.school_no:
        return refuse("SCHOOL_NOT_SAID", f"{category.title}须说明学校", field="school_no", remedy="请填写学校的单位编号")
    if command.school_no:
        school = await find_active_employer(tx, command.school_no, actor=actor, field="school_no")
        if isinstance(school, Refusal):
            return school
        if school.kind not in ("school", "village"):
            return refuse("NOT_A_SCHOOL", "该单位不是学校或村（居）委会", field="school_no", received=command.school_no,
                          remedy="请核对学校的单位编号")
        division = division or school.division
    wish = Wish(
        name=command.name, certno=command.certno, cert_type=command.cert_type, sex=command.sex, birth_on=command.birth_on,
        nation=command.nation, phone=command.phone, division=division, household_no=command.household_no, insutype=RESIDENT,
        psn_type=category.psn_type, enrolment_kind=category.enrolment_kind, account_kind="none",
        emp_no=command.school_no or None, insured_on=insured_on, group_name=command.group_name, cause="resident",
        latest=date(today.year + 1, 1, 1), evidence=command.evidence,
    )
    return await begin_one(tx, wish, admdvs=command.admdvs, verb="enrol_resident", actor=actor, now=now, ids=ids, shelf=shelf)


async def season_year(tx: Connection, shelf: PolicyShelf, admdvs: str, *, on: date) -> date | None:
    """Return 1 January of the year that residents pay for on a day, None outside of every season.

    Windows move the end of a season; the season of the year to come goes before one that was moved.
    """
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return None
    for year in (on.year + 1, on.year):
        season = await season_now(tx, policy, year, admdvs=admdvs, insutype=RESIDENT)
        if season is not None and season.first <= on <= season.last:
            return date(year, 1, 1)
    return None


def _category(command: EnrolResident, *, insured_on: date, today: date) -> Category | Refusal:
    """Return the category that was said, or the one of the person's age on the first day."""
    told = tell(cert_type=command.cert_type, certno=command.certno, name=command.name, sex=command.sex,
                birth_on=command.birth_on, on=today)
    if isinstance(told, tuple):
        return Refusal(told)
    age = age_on(told.birth_on, max(insured_on, told.birth_on))
    if not command.category:
        return category_of(age)
    category = find_category(command.category)
    if category is None:
        return refuse("CATEGORY_UNKNOWN", "没有这个居民参保类别", field="category", received=command.category,
                      remedy="请填写adult、elderly、minor、preschool、pupil或student")
    if not category.holds(age):
        return refuse("CATEGORY_NOT_OF_AGE", f"{age}岁不属于{category.title}", field="category", received=command.category,
                      remedy="请核对类别，或留空按年龄确定")
    return category
