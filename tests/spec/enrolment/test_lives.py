"""What happens to people: born, school, retired, dead, gone; what the law asks is held against what was paid."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.registry import HUIZHOU, ZIBO, Office, at, card
from yibao.domains.enrolment.months import each_month
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import (
    AddMember,
    EnrolNewborn,
    EnrolResident,
    RecordDeath,
    RecordYears,
    RetireMember,
)
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.record_years import record_years
from yibao.usecases.enrolment.retire_member import retire_member

MOTHER = card("1995-06-01", 2)
DUE = """
insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, payer_no, base_fen,
    parts, amounts, funds, total_fen, state, assessed_at, paid_on, paid_at, arrived_on, arrived_at, policy_version, bill_id)
values ($1, '310-' || to_char($2::date, 'YYYYMM') || '-regular', '370300', 'r', '310', $2, 1, 'regular', 'unit', 'e', 1,
    '{unit.basic}', '{1}', '{310100}', 1, $3, now(), $2, now(), $2, now(), '', 'b')
"""


def newborn(**more: Any) -> EnrolNewborn:
    """Return a child born on 15 January 2025 to a mother of the region."""
    said = {"admdvs": ZIBO, "name": "李宝", "sex": "1", "born_on": date(2025, 1, 15), "certno": "U370000001",
            "mother_certno": MOTHER}
    return EnrolNewborn(**{**said, **more})


# The law of both regions (ZB-818, HZ-812): 90 days. 2025-01-15 + 90 days = 2025-04-15, counted.
WINDOW = {"2025-01-15": True, "2025-04-15": True, "2025-04-16": False}


@pytest.mark.parametrize("day", WINDOW)
async def test_newborn_is_insured_from_birth_inside_the_window(office: Office, day: str) -> None:
    """The last day of the window counts; the day after it the child is a resident like any other."""
    office.now = at(day)
    await office.done(enrol_resident, EnrolResident(
        admdvs=ZIBO, name="李母", certno=MOTHER, division="370303", household_no="H1", insured_on=date.fromisoformat(day)))
    begun = await office.done(enrol_newborn, newborn())
    in_time = WINDOW[day]
    assert await office.relations(begun.psn_no) == [
        ("390", "1401", "newborn" if in_time else "resident", "1", "2025-01-15" if in_time else day, None, "")]
    assert await office.rows("select cert_type, division, household_no from people.person where psn_no = $1", begun.psn_no) == [
        ("990201", "370303", "H1")], "the mother's county and household"


async def test_newborn_faults(office: Office) -> None:
    """A birth after today, and no sex."""
    assert await office.refused(enrol_newborn, newborn(born_on=date(2025, 4, 1))) == ["BIRTH_LATER"]
    assert await office.refused(enrol_newborn, newborn(sex="")) == ["SEX_MISSING"]


async def test_residents_by_age_school_and_season(office: Office) -> None:
    """The category follows the age; students need a school; inside the season the next year is enrolled for."""
    school = await office.employer("淄博示例大学", kind="school", insurances=("390",))
    firm = await office.employer()
    ages = {"2021-06-01": "1402", "2015-06-01": "1405", "1990-06-01": "1501", "1955-06-01": "1601"}
    for n, (born, psn_type) in enumerate(ages.items()):
        begun = await office.done(enrol_resident, EnrolResident(
            admdvs=ZIBO, name="居民" + "甲乙丙丁"[n], certno=card(born, 2 * n)))
        assert (await office.relations(begun.psn_no))[0][1] == psn_type
    student = {"admdvs": ZIBO, "name": "王生", "certno": card("2005-09-01"), "category": "student"}
    assert await office.refused(enrol_resident, EnrolResident(**student)) == ["SCHOOL_NOT_SAID"]
    assert await office.refused(enrol_resident, EnrolResident(**student, school_no=firm)) == ["NOT_A_SCHOOL"]
    old = {**student, "certno": card("2012-09-01")}
    assert await office.refused(enrol_resident, EnrolResident(**old, school_no=school)) == ["CATEGORY_NOT_OF_AGE"]
    # Season for 2026: 2025-09-01 to 12-31 (ZB-812).
    office.now = at("2025-09-01")
    begun = await office.done(enrol_resident, EnrolResident(**student, school_no=school, group_name="2025级1班"))
    assert await office.relations(begun.psn_no) == [("390", "1404", "student", "1", "2026-01-01", None, "")]


async def employee(office: Office, born: str, serial: int, *, paid: tuple[date, date] | None = None) -> str:
    """Enrol an employee and write arrived dues for some months, half-open."""
    emp_no = await office.employer()
    begun = await office.done(add_member, AddMember(
        emp_no=emp_no, name="赵退", certno=card(born, serial), insured_on=date(2010, 1, 1), evidence="档案"))
    if paid:
        for month in each_month(*paid):
            await office.rows(DUE, begun.psn_no, month, "arrived")
    return str(begun.psn_no)


async def test_years_are_counted_once(office: Office) -> None:
    """Fifteen years paid, ten deemed of which one overlaps, and what is assessed but not paid does not count."""
    psn_no = await employee(office, "1964-12-01", 1, paid=(date(2010, 1, 1), date(2025, 1, 1)))
    await office.rows(DUE, psn_no, date(2025, 1, 1), "assessed")
    deemed = {"psn_no": psn_no, "kind": "deemed", "evidence": "档案"}
    span = RecordYears(**deemed, first_month=date(2001, 1, 1), until_month=date(2011, 1, 1))
    await office.done(record_years, span)
    again = await office.done(record_years, span)
    assert again.months == 120, "the same months again are the same credit"
    assert await office.refused(record_years, RecordYears(**{**deemed, "evidence": ""}, months=3)) == ["EVIDENCE_MISSING"]
    async with office.database.transaction() as tx:
        years = await count_years(tx, psn_no, "310", until=date(2025, 3, 1))
    # Paid 180 months; deemed 2001-01 to 2010-12 is 120 months, of which 2010 (12) was paid here: 108.
    assert (years.actual_months, years.deemed_months, years.total_months) == (180, 108, 288)


# Zibo, transition to the end of 2025 (ZB-X41, assumed): men 25 years, 300 months; from 2026 on (ZB-819) 30 years, 360 months.
async def test_retirement_with_enough_years(office: Office) -> None:
    """300 months counted: the retired class begins with the month after the approval."""
    psn_no = await employee(office, "1964-12-01", 1, paid=(date(2010, 1, 1), date(2025, 1, 1)))
    await office.done(record_years, RecordYears(psn_no=psn_no, kind="deemed", evidence="档案", months=120))
    retired = await office.done(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2025, 3, 5)))
    assert (retired.total_months, retired.needed_total, retired.short_months, retired.completion) == (300, 300, 0, "none")
    assert await office.relations(psn_no) == [
        ("310", "1101", "employed", "4", "2010-01-01", "2025-04-01", "to_retired"),
        ("310", "1201", "", "1", "2025-04-01", None, ""),
    ]
    again = await office.done(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2025, 3, 5)))
    assert again == retired
    assert await office.refused(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2025, 3, 6))) == ["RETIRED_ALREADY"]


async def test_retirement_with_years_short(office: Office) -> None:
    """One month short: refused until a way is chosen; each way does what it says."""
    ways = {}
    for serial, way in ((1, "lump"), (3, "monthly")):
        psn_no = await employee(office, "1964-12-01", serial, paid=(date(2010, 1, 1), date(2025, 1, 1)))
        await office.done(record_years, RecordYears(psn_no=psn_no, kind="deemed", evidence="档案", months=119))
        answer = await office.do(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2025, 3, 5)))
        assert [f.code for f in answer.faults] == ["RETIRE_YEARS_SHORT"]
        assert "299个月（需300个月），差1个月" in answer.sentence()
        assert answer.faults[0].basis == "ZB-X41"
        done = await office.done(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2025, 3, 5), completion=way))
        assert (done.short_months, done.completion) == (1, way)
        ways[way] = (await office.relations(psn_no))[-1]
    assert ways["lump"] == ("310", "1201", "past_retirement_once", "1", "2025-04-01", None, "")
    assert ways["monthly"] == ("310", "1101", "past_retirement", "1", "2025-04-01", None, "")


async def test_the_law_of_the_day_of_approval_decides(office: Office) -> None:
    """From 2026 a man needs 360 months and a woman 300; Huizhou asks for 10 years paid there besides."""
    office.now = at("2026-01-20")
    psn_no = await employee(office, "1965-12-01", 1, paid=(date(2010, 1, 1), date(2025, 1, 1)))
    answer = await office.do(retire_member, RetireMember(psn_no=psn_no, approved_on=date(2026, 1, 6)))
    assert "需360个月" in answer.sentence()
    assert answer.faults[0].basis == "ZB-819"
    woman = await employee(office, "1970-12-01", 2)
    answer = await office.do(retire_member, RetireMember(psn_no=woman, approved_on=date(2026, 1, 6)))
    assert "需300个月" in answer.sentence()
    emp_no = await office.employer(admdvs=HUIZHOU, division="441302")
    begun = await office.done(add_member, AddMember(
        emp_no=emp_no, name="陈惠", certno=card("1965-03-01", 5), insured_on=date(2026, 1, 1)))
    await office.done(record_years, RecordYears(psn_no=begun.psn_no, kind="transferred", evidence="转移单", months=300,
                                                elsewhere="440100"))
    answer = await office.do(retire_member, RetireMember(psn_no=begun.psn_no, approved_on=date(2026, 1, 6)))
    # HZ-901: 24 years in 2026; HZ-903: 10 years paid here, of which there are none.
    assert "累计300个月（需288个月），本地实际0个月（需120个月），差120个月" in answer.sentence()


async def test_death_ends_everything_with_its_day(office: Office) -> None:
    """Relations end the day after, identities too; the account stays for the heirs; the same message again is nothing new."""
    psn_no = await employee(office, "1970-01-01", 1)
    await office.rows("insert into enrolment.special_identity (psn_no, identity_type, admdvs, valid_from)"
                      " values ($1, '2303', '370300', '2024-01-01')", psn_no)
    death = RecordDeath(psn_no=psn_no, died_on=date(2025, 3, 8))
    ended = await office.done(record_death, death)
    assert ended.paused_on == date(2025, 3, 9)
    assert await office.relations(psn_no) == [("310", "1101", "employed", "4", "2010-01-01", "2025-03-09", "death")]
    assert await office.rows("select valid_to::text from enrolment.special_identity") == [("2025-03-09",)]
    assert await office.rows("select field, new_value, cause from people.change") == [("died_on", "2025-03-08", "death")]
    before = await office.everything()
    again = await office.done(record_death, death)
    assert again.relation_ids == ()
    assert await office.everything() == before
    assert await office.refused(record_death, RecordDeath(psn_no=psn_no, died_on=date(2025, 3, 7))) == ["DEATH_RECORDED"]
    emp_no = await office.employer()
    joiner = AddMember(emp_no=emp_no, name="赵退", certno=card("1970-01-01"), insured_on=date(2025, 3, 1))
    assert "PERSON_DEAD" in await office.refused(add_member, joiner)
    other = await employee(office, "1971-01-01", 1)
    assert await office.refused(record_death, RecordDeath(psn_no=other, died_on=date(2025, 3, 11))) == ["DEATH_DAY_WRONG"]
