"""R20-R24 the patient, R60-R81 the course of care."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from yibao.domains.records.check_diagnoses import western
from yibao.domains.records.model import ListFacts, QualityTables, SettlementList
from yibao.domains.records.rules import (
    Hit,
    age_in_days,
    check,
    is_before,
    said_duration,
    stay_days,
    tells_only_day,
)
from yibao.kernel.business_time import age_on, business_date, to_wire
from yibao.kernel.identity_number import mask, mask_name

_DURATION = re.compile(r"(\d{1,4})/(\d{1,2})/(\d{1,2})", re.ASCII)
REFERRED = ("2", "3")
DIED = "5"


def duration_of(text: str) -> timedelta | None:
    """Return the time that ``days/hours/minutes`` says, None if it says none."""
    parts = _DURATION.fullmatch(text)
    if parts is None or int(parts[2]) > 23 or int(parts[3]) > 59:
        return None
    return timedelta(days=int(parts[1]), hours=int(parts[2]), minutes=int(parts[3]))


def is_newborn(facts: ListFacts, tables: QualityTables) -> bool:
    """Say whether the patient was a newborn when care began."""
    return age_in_days(facts.person.birth_on, facts.began_on) <= tables.newborn_days


@check("R20")
def same_person(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """What the older form retypes of the person is what the platform knows."""
    if x.person is None:
        return
    stated, known = x.person, facts.person
    if stated.name and stated.name != known.name:
        yield Hit(mask_name(stated.name), "姓名")
    if stated.sex and stated.sex != known.sex:
        yield Hit(stated.sex, "性别")
    if stated.birth_on is not None and stated.birth_on != known.birth_on:
        yield Hit(str(stated.birth_on), "出生日期")
    if stated.certno and stated.certno != known.certno:
        yield Hit(mask(stated.certno), "证件号码")


@check("R21")
def age_is_right(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A stated age is that of the first day of care; one day more or less is no fault of a newborn's, 0 is no age."""
    years = age_on(facts.person.birth_on, facts.began_on)
    days = age_in_days(facts.person.birth_on, facts.began_on)
    stated = x.age_days if x.age_days is not None else x.person.age_days if x.person else None
    if stated and abs(stated - days) > 1:
        yield Hit(str(stated), f"天龄应为{days}天" if years < 1 else f"满{years}周岁，不填天龄")
    said_years = x.person.age.split(".")[0] if x.person else ""
    if x.person is not None and said_years.strip("0") and said_years != str(years):
        yield Hit(x.person.age, f"年龄应为{years}岁")


@check("R22")
def newborn_complete(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """A newborn patient's list has the type of admission and both weights."""
    if facts.care != "chronic" and is_newborn(facts, tables):
        n = x.newborn
        if not (n.admission_type and any(n.birth_weights_g) and any(n.admission_weights_g)):
            yield Hit(because=f"患者出生于{facts.person.birth_on}")


@check("R23")
def weights_plausible(x: SettlementList, _facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """A newborn's weight is between the table's bounds, in grams; 0 is how a number is left empty."""
    least, most = tables.weight_grams
    for grams in (*x.newborn.birth_weights_g, *x.newborn.admission_weights_g):
        if grams and not least <= grams <= most:
            yield Hit(f"{grams}克", f"应在{least}至{most}克之间")


@check("R24")
def weights_belong(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """Weights are given for newborns and for mothers."""
    is_mother = any(tables.find("maternity", d.code) for d in western(x))
    if any(x.newborn.birth_weights_g) and not is_newborn(facts, tables) and not is_mother:
        yield Hit(f"{x.newborn.birth_weights_g[0]}克", f"患者出生于{facts.person.birth_on}")


@check("R60")
def admission_fits(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The day of admission is that of the registered stay."""
    if facts.stay is None:
        return
    if x.admitted_at is None:
        yield Hit(because="未填写")
    elif business_date(x.admitted_at) != facts.began_on:
        yield Hit(to_wire(x.admitted_at), f"登记为{to_wire(facts.stay.admitted_at)}")


@check("R61")
def runs_forward(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Nobody is discharged before admission; forms that tell only the day are compared by day."""
    if x.admitted_at is None or x.discharged_at is None:
        return
    if business_date(x.discharged_at) < business_date(x.admitted_at):
        yield Hit(to_wire(x.discharged_at), f"入院{to_wire(x.admitted_at)}")


@check("R62")
def discharge_fits(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The day of discharge is that of the registered stay; none is asked while the stay lasts."""
    left_at = facts.stay.discharged_at if facts.stay else None
    if left_at is None:
        return
    if x.discharged_at is None:
        yield Hit(because="未填写")
    elif business_date(x.discharged_at) != business_date(left_at):
        yield Hit(to_wire(x.discharged_at), f"登记为{to_wire(left_at)}")


@check("R63")
def days_fit(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The stated days are those between admission and discharge; no stay has 0."""
    if x.stated_days and facts.stay is not None:
        days = stay_days(facts.began_on, facts.ended_on)
        if x.stated_days != days:
            yield Hit(str(x.stated_days), f"应为{days}天")


@check("R64")
def discharge_way_fits(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The way of discharge is the registered one."""
    if facts.stay is None or facts.stay.discharged_at is None:
        return
    if not x.discharge_way:
        yield Hit(because="未填写")
    elif facts.stay.discharge_way and x.discharge_way != facts.stay.discharge_way:
        yield Hit(x.discharge_way, f"登记为{facts.stay.discharge_way}")


@check("R65")
def receiver_named(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Who is sent on by order is sent to somebody."""
    if x.discharge_way in REFERRED and not x.receiver:
        yield Hit(x.discharge_way)


@check("R66")
def readmission_plan_fits(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A plan to come back has a purpose, and the dead have none."""
    if x.is_readmission_planned and x.discharge_way == DIED:
        yield Hit(because="离院方式为死亡")
    elif x.is_readmission_planned and not x.readmission_purpose:
        yield Hit(because="没有目的")


@check("R67")
def nursing_days_fit(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Levels of nursing cover no more days than the stay has, both ends counted."""
    total = sum(x.nursing_days)
    days = (facts.ended_on - facts.began_on).days + 1
    if facts.stay is not None and total > days * 10:
        yield Hit(f"{total / 10:g}天", f"住院首尾共{days}天")


@check("R68")
def intensive_care_inside(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Intensive care runs forward inside the stay."""
    for icu in x.intensive_care:
        begin, end = business_date(icu.entered_at), business_date(icu.left_at)
        if is_before(icu.left_at, icu.entered_at) or begin < facts.began_on or end > facts.ended_on:
            yield Hit(f"{to_wire(icu.entered_at)}至{to_wire(icu.left_at)}", f"住院{facts.began_on}至{facts.ended_on}")


@check("R69")
def intensive_care_adds_up(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The stated duration is the time between entry and exit, to the minute; to the day where only days are told."""
    for icu in x.intensive_care:
        if not said_duration(icu.duration):
            continue
        stated = duration_of(icu.duration)
        spent = icu.left_at - icu.entered_at
        is_rough = tells_only_day(icu.entered_at) or tells_only_day(icu.left_at)
        if stated is None or abs(stated - spent) >= (timedelta(days=2) if is_rough else timedelta(minutes=1)):
            yield Hit(icu.duration, "格式为天/小时/分钟" if stated is None else f"进出相差{spent}")


@check("R70")
def intensive_care_apart(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Nobody lies in two units at once."""
    times = sorted((icu.entered_at, icu.left_at) for icu in x.intensive_care)
    for (_, left_at), (entered_at, _) in pairwise(times):
        if is_before(entered_at, left_at):
            yield Hit(to_wire(entered_at), f"前一段到{to_wire(left_at)}")


@check("R71")
def durations_readable(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Ventilator and coma durations can be read; those during the stay are no longer than it."""
    most = timedelta(days=(facts.ended_on - facts.began_on).days + 1)
    for name, text, inside in (
        ("呼吸机使用时长", x.ventilator, True), ("入院前昏迷时长", x.coma_before, False),
        ("入院后昏迷时长", x.coma_after, True),
    ):
        said = duration_of(text)
        if said_duration(text) and (said is None or (inside and said > most)):
            yield Hit(text, name + ("，格式为天/小时/分钟" if said is None else "长于住院时间"))


@check("R72")
def chief_registered(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The chief physician is registered here, and named where somebody was admitted."""
    is_needed = facts.care != "chronic" or x.chief_doctor
    if is_needed and x.chief_doctor not in facts.staff:
        yield Hit(x.chief_doctor)


@check("R73")
def nurse_registered(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A nurse who is named is registered here."""
    if x.nurse and x.nurse not in facts.staff:
        yield Hit(x.nurse)


@check("R74")
def departments_known(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Departments that are named by the institution's own codes are registered."""
    for code in x.departments:
        if code not in facts.departments:
            yield Hit(code)


@check("R75")
def transfusions_complete(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Blood has kind, amount and unit."""
    for blood in x.transfusions:
        if not (blood.category and blood.unit and blood.amount.replace(".", "").strip("0")):
            yield Hit(f"{blood.category} {blood.amount} {blood.unit}".strip())


@check("R76")
def admission_complete(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A stay has a route of admission and a class of treatment."""
    if facts.care != "chronic" and not (x.admission_way and x.treatment):
        yield Hit(because="入院途径" if not x.admission_way else "治疗类别")


@check("R80")
def chronic_complete(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Chronic outpatient care has department and day."""
    if facts.care == "chronic" and not (x.visit_department and x.visited_on):
        yield Hit(because="诊断科别" if not x.visit_department else "就诊日期")


@check("R81")
def chronic_day_fits(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The day of chronic outpatient care is that of the visit."""
    if facts.care != "chronic" or x.visited_on is None:
        return
    if not facts.began_on <= x.visited_on <= facts.ended_on:
        yield Hit(str(x.visited_on), f"就诊日{facts.began_on}")
