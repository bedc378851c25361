"""Random deeds on a few people: whatever order they come in, no month is insured twice, and a plain twin agrees.

The twin keeps for each person nothing but spans of days, by the rules as a clerk would say them; it shares no code with the
platform.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from tests.spec.enrolment.test_persons import breaches
from tests.support.registry import ZIBO, Office, at, card
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import (
    AddMember,
    EnrolFlexible,
    EnrolResident,
    RecordDeath,
    RemoveMember,
)
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.remove_member import remove_member

PEOPLE = [("甲一", card("1980-01-01")), ("乙二", card("1985-02-02", 2)), ("丙三", card("1990-03-03"))]
STEPS = 70


def following(day: date) -> date:
    """Return the first of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


class Twin:
    """One life as spans: [first day, first day no longer or None, insurance, employer or '' or 'alone']."""

    def __init__(self) -> None:
        self.spans: list[list[Any]] = []
        self.is_dead = False

    def months(self, span: list[Any], horizon: date) -> set[date]:
        """Return the months a span covers."""
        found, month = set(), span[0].replace(day=1)
        end = (span[1] or horizon).replace(day=1)
        while month < end:
            found.add(month)
            month = following(month)
        return found

    def begin(self, day: date, insurance: str, where: str, horizon: date) -> bool:
        """Begin a span, or say that it cannot."""
        open_now = [s for s in self.spans if s[1] is None]
        gives_way = None
        if self.is_dead:
            return False
        if open_now:
            (now,) = open_now
            if insurance == "310" and now[2] == "390":
                gives_way = (now, day)
            elif insurance == "310" and now[3] == "alone" and where != "alone":
                gives_way = (now, day.replace(day=1))
            else:
                return False
        others = [s for s in self.spans if gives_way is None or s is not gives_way[0]]
        taken = {month for span in others for month in self.months(span, horizon)}
        first = day.replace(day=1)
        after = {m for m in taken if m >= first}
        if after:
            if after != {first}:
                return False
            day = following(day)
        if gives_way:
            gives_way[0][1] = max(gives_way[1], gives_way[0][0])
        self.spans.append([day, None, insurance, where])
        return True

    def end(self, last: date, where: str) -> bool:
        """End the open span with the month of the last day, or say that there is none."""
        found = [s for s in self.spans if s[1] is None and (s[3] == where or (where == "" and s[3] in ("", "alone")))]
        if not found:
            return False
        span = found[0]
        span[1] = max(following(last), span[0]) if last >= span[0] else span[0]
        return True

    def die(self, day: date) -> None:
        """End everything with the day after."""
        self.is_dead = True
        for span in self.spans:
            if span[1] is None or span[1] > day + timedelta(days=1):
                span[1] = max(day + timedelta(days=1), span[0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
async def test_random_deeds_agree_with_the_twin(office: Office, seed: int) -> None:
    """Months and ends of every relation equal the twin's; the books stay sound."""
    rng, horizon = Random(seed), date(2027, 1, 1)
    employers = [await office.employer("甲厂"), await office.employer("乙厂")]
    twins = [Twin() for _ in PEOPLE]
    office.now = at("2024-01-10")
    for step in range(STEPS):
        office.now += timedelta(days=rng.randrange(1, 25))
        today, n = office.now.date(), rng.randrange(len(PEOPLE))
        (name, certno), twin = PEOPLE[n], twins[n]
        day = today - timedelta(days=rng.randrange(0, 40))
        act, emp_no = rng.choice("jjjfrllld" if step > 55 else "jjjfrlll"), rng.choice(employers)
        who = {"name": name, "certno": certno, "insured_on": day, "evidence": "证明"}
        if act == "j":
            answer, agreed = await office.do(add_member, AddMember(emp_no=emp_no, **who)), twin.begin(day, "310", emp_no, horizon)
        elif act == "f":
            answer, agreed = await office.do(enrol_flexible, EnrolFlexible(admdvs=ZIBO, **who)), twin.begin(
                day, "310", "alone", horizon)
        elif act == "r":
            answer, agreed = await office.do(enrol_resident, EnrolResident(admdvs=ZIBO, **who)), twin.begin(
                day, "390", "", horizon)
        elif act == "l":
            where = rng.choice([*employers, ""])
            gone = RemoveMember(emp_no=where, certno=certno, left_on=day, evidence="证明")
            answer, agreed = await office.do(remove_member, gone), twin.end(day, where)
        else:
            answer = await office.do(record_death, RecordDeath(certno=certno, died_on=day))
            agreed = not twin.is_dead and bool(twin.spans)
            if agreed:
                twin.die(day)
        assert isinstance(answer, Refusal) != agreed, (seed, step, act, today, day, answer, twin.spans)
    assert sum(len(twin.spans) for twin in twins) >= 10, "enough happened to be worth comparing"
    for (_, certno), twin in zip(PEOPLE, twins, strict=True):
        stored = await office.rows(
            "select r.insured_on, r.paused_on, r.insutype from enrolment.relation r join people.person p using (psn_no)"
            " where p.certno = $1 order by 1, 2 nulls last, 3", certno)
        assert stored == sorted(((s[0], s[1], s[2]) for s in twin.spans), key=lambda s: (s[0], s[1] or horizon, s[2]))
    assert await breaches(office) == []
