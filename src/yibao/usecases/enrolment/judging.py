"""Whether somebody may be enrolled as wished: pure, over facts that were read before.

One person has one basic insurance at a time, and no month twice. Who is insured as a resident goes over to the employees by
joining them, a flexible worker by finding an employer; everything else must be ended first by whoever began it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from yibao.domains.enrolment.model import EMPLOYEE, RESIDENT, Relation
from yibao.domains.enrolment.months import covers_from, covers_until, first_of_month, month_after, overlapping
from yibao.domains.people.model import RESIDENT_CARD, Person
from yibao.domains.people.rules import Told, same_name, tell
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Fault


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One relation that somebody wishes to begin, whatever way it came.

    Attributes:
        latest: the last day on which it may begin.
        may_go_back: a beginning in an earlier month needs no evidence (a newborn's birth).
        path: where its fields stand in what was sent, ``""`` or with a dot at its end.
    """

    name: str
    certno: str
    insutype: str
    psn_type: str
    enrolment_kind: str
    account_kind: str
    insured_on: date
    cause: str
    latest: date
    cert_type: str = RESIDENT_CARD
    sex: str = ""
    birth_on: date | None = None
    nation: str = "01"
    phone: str = ""
    division: str = ""
    household_no: str = ""
    emp_no: str | None = None
    civil_servant: bool = False
    flexible: bool = False
    wage_fen: int | None = None
    group_name: str = ""
    evidence: str = ""
    may_go_back: bool = False
    path: str = ""


class Known(msgspec.Struct, frozen=True):
    """What is stored about the document of a wish: the person, the relations, and the region it is enrolled in elsewhere."""

    person: Person | None = None
    relations: Sequence[Relation] = ()
    elsewhere: str = ""


class End(msgspec.Struct, frozen=True):
    """A relation that ends because another one begins."""

    relation: Relation
    paused_on: date
    cause: str


class Plan(msgspec.Struct, frozen=True):
    """What is to be written: who, from when, what ends for it, and what the clerk should know."""

    told: Told
    person: Person | None
    insured_on: date
    ends: tuple[End, ...] = ()
    notes: tuple[str, ...] = ()


class Contradiction(msgspec.Struct, frozen=True):
    """What was said contradicts what is stored: a case to work, never an overwrite."""

    kind: str
    person: Person
    fault: Fault


def judge(wish: Wish, known: Known, *, today: date, division: str = "") -> Plan | Contradiction | tuple[Fault, ...]:
    """Return what is to be written for a wish, a contradiction, or everything that speaks against it.

    Args:
        today: the business day.
        division: the county or town the clerk is limited to, ``""`` for the whole region.
    """
    told = tell(cert_type=wish.cert_type, certno=wish.certno, name=wish.name, sex=wish.sex, birth_on=wish.birth_on, on=today,
                path=wish.path)
    faults = [*(told if isinstance(told, tuple) else ()), *_day_faults(wish, told, today)]
    if isinstance(told, tuple):
        return tuple(faults)
    if known.person is not None and not same_name(known.person.name, told.name):
        return _contradiction(wish, known.person)
    faults += _person_faults(wish, known, division)
    fitted = fit(wish, known.relations)
    if isinstance(fitted, tuple):
        return (*faults, *fitted)
    return tuple(faults) or msgspec.structs.replace(fitted, told=told, person=known.person)


def fit(wish: Wish, relations: Sequence[Relation]) -> Plan | tuple[Fault, ...]:
    """Return from when a relation can begin beside those that exist, and which of them ends for it."""
    open_now = [r for r in relations if r.is_open and r.insutype in (EMPLOYEE, RESIDENT)]
    ends = []
    for relation in open_now:
        cause = _gives_way(wish, relation)
        if isinstance(cause, Fault):
            return (cause,)
        # A resident is insured by the year and to the day; a month of contributions belongs to one relation.
        last = wish.insured_on if relation.insutype == RESIDENT else first_of_month(wish.insured_on)
        ends.append(End(relation, max(last, relation.insured_on), cause))
    ending = {end.relation.relation_id for end in ends}
    others = [r for r in relations if r.relation_id not in ending]
    first = first_of_month(wish.insured_on)
    taken = overlapping(others, first)
    notes = [f"原{_NAMES[e.relation.insutype]}关系至{e.paused_on.isoformat()}止" for e in ends]
    if not taken:
        return Plan(_NOBODY, None, wish.insured_on, tuple(ends), tuple(notes))
    free = max(until for r in taken if (until := covers_until(r)) is not None)
    if free != month_after(first) or any(covers_from(r) > first for r in taken):
        return (_overlap(wish, taken, free),)
    # The month of the change was insured through the relation before: the new one begins with the next month.
    notes.append(f"{first:%Y-%m}已由原参保关系缴费，新关系自{free.isoformat()}起")
    return Plan(_NOBODY, None, free, tuple(ends), tuple(notes))


_NAMES = {EMPLOYEE: "职工医保", RESIDENT: "居民医保"}
_NOBODY = Told("", "", "", date.min)


def _gives_way(wish: Wish, relation: Relation) -> str | Fault:
    """Return why an open relation ends for the wish, or why it does not."""
    where = f"{wish.path}certno"
    if wish.insutype == RESIDENT:
        if relation.insutype == RESIDENT:
            return Fault("ALREADY_RESIDENT", f"自{relation.insured_on.isoformat()}起已参加居民医保", where,
                         remedy="无需重复登记")
        return Fault("ENROLLED_AS_EMPLOYEE", "正在参加职工医保，不能同时参加居民医保", where,
                     remedy="请先由单位减员或本人停保")
    if relation.insutype == RESIDENT:
        return "to_employee"
    if relation.is_retired:
        return Fault("RETIRED_ALREADY", "已按退休人员参加职工医保", where, remedy="退休人员再就业不再参保")
    if wish.enrolment_kind == "employed" and relation.enrolment_kind == "flexible":
        return "category_changed"
    if relation.emp_no is not None and relation.emp_no == wish.emp_no:
        return Fault("ALREADY_MEMBER", f"自{relation.insured_on.isoformat()}起已在本单位参保", where, remedy="无需重复增员")
    through = f"通过单位{relation.emp_no}" if relation.emp_no else "以灵活就业身份"
    return Fault("ENROLLED_ALREADY", f"自{relation.insured_on.isoformat()}起已{through}参加职工医保", where,
                 remedy="请先由原单位减员，或办理单位间转移")


def _day_faults(wish: Wish, told: Told | tuple[Fault, ...], today: date) -> list[Fault]:
    field, said = f"{wish.path}insured_on", wish.insured_on.isoformat()
    if wish.insured_on > wish.latest:
        return [Fault("BEGINS_TOO_LATE", f"参保日期不能晚于{wish.latest.isoformat()}", field, said, "请届时办理")]
    if not isinstance(told, tuple) and wish.insured_on < told.birth_on:
        return [Fault("BEGINS_BEFORE_BIRTH", "参保日期早于出生日期", field, said, "请核对参保日期")]
    if first_of_month(wish.insured_on) < first_of_month(today) and not (wish.evidence or wish.may_go_back):
        return [Fault("BEGINS_IN_THE_PAST", "补办以前月份的参保须提供依据", field, said, "请到窗口提交劳动关系等证明材料")]
    return []


def _person_faults(wish: Wish, known: Known, division: str) -> list[Fault]:
    faults, where, person = [], f"{wish.path}certno", known.person
    if person is not None and person.died_on is not None:
        faults.append(Fault("PERSON_DEAD", f"该参保人已于{person.died_on.isoformat()}死亡", where, mask(person.certno),
                            "请核对证件；登记有误的先更正死亡信息"))
    if person is not None and division and not person.division.startswith(division):
        faults.append(Fault("OTHER_DIVISION", "参保人不属于本经办机构管辖的县（镇）", where, person.division,
                            "请到其所属县（镇）经办机构办理"))
    if known.elsewhere:
        faults.append(Fault("ENROLLED_IN_OTHER_REGION", f"正在统筹区{known.elsewhere}参保", where, mask(wish.certno),
                            "请先在原参保地终止，并办理关系转移"))
    return faults


def _contradiction(wish: Wish, person: Person) -> Contradiction:
    return Contradiction("one_number_two_names", person, Fault(
        "CERTIFICATE_OF_ANOTHER", f"该证件号码已登记为{mask_name(person.name)}，与申报的姓名不一致", f"{wish.path}name",
        mask_name(wish.name), "已转人工核实；更名的请先办理信息变更",
    ))


def _overlap(wish: Wish, taken: Sequence[Relation], free: date) -> Fault:
    said = "、".join(
        f"{covers_from(r):%Y-%m}至{until.isoformat()[:7] if (until := covers_until(r)) else '今'}（不含止月）" for r in taken
    )
    return Fault("MONTHS_OVERLAP", f"与已有参保月份重叠：{said}", f"{wish.path}insured_on", wish.insured_on.isoformat(),
                 f"最早可自{free.isoformat()}起")
