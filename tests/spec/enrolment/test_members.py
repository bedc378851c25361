"""Joiners and leavers: one basic insurance at a time, no month twice, and nobody overwritten."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from tests.spec.enrolment.test_persons import DUE
from tests.support.registry import ZIBO, Office, at, card
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import (
    AddMember,
    EnrolFlexible,
    EnrolResident,
    LeaveRegion,
    MoveMember,
    RemoveMember,
)
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.joining import Begun, Held
from yibao.usecases.enrolment.leave_region import leave_region
from yibao.usecases.enrolment.move_member import move_member
from yibao.usecases.enrolment.remove_member import remove_member

LI = card("1988-05-17")


def joiner(emp_no: str, **more: Any) -> AddMember:
    """Return the joiner that most tests begin with."""
    return AddMember(**{"emp_no": emp_no, "name": "李一", "certno": LI, "insured_on": date(2025, 3, 1), **more})


async def test_joiner_is_written_with_history_and_without_benefit_before_paying(office: Office) -> None:
    """Sex and birth come from the number; the relation is known from now on; nothing is paid, so nothing is due."""
    emp_no = await office.employer()
    begun = await office.done(add_member, joiner(emp_no, wage_fen=650_000))
    assert begun.is_new_person
    assert begun.insured_on == date(2025, 3, 1)
    assert await office.rows("select name, sex, birth_on::text, admdvs, division, recorded_at from people.person") == [
        ("李一", "1", "1988-05-17", ZIBO, "370303", office.now)]
    assert await office.relations(begun.psn_no) == [("310", "1101", "employed", "1", "2025-03-01", None, "")]
    assert await office.rows(
        "select emp_no, account_kind, wage_fen, cause, recorded_at from enrolment.relation") == [
        (emp_no, "with_account", 650_000, "joined", office.now)]
    due = await office.rows("select 1 from entitlement.spell where is_due")
    assert due == [], "who has not paid has no benefit"
    assert await office.rows("select verb, object, actor from platform.audit_entry where verb = 'add_member'") == [
        ("add_member", begun.psn_no, "王登记")]


BAD_NUMBERS = {
    "wrong check digit": (LI[:-1] + ("0" if LI[-1] != "0" else "1"), "CERTNO_INVALID"),
    "15 digits": ("370303880517001", "CERTNO_OLD"),
    "30 February": ("370303198802300013", "CERTNO_INVALID"),
    "empty": ("", "CERTNO_MISSING"),
    "letters": ("37030319880517A01X", "CERTNO_INVALID"),
}


@pytest.mark.parametrize("number", BAD_NUMBERS)
async def test_bad_identity_numbers_are_refused(office: Office, number: str) -> None:
    """A wrong number is named as what it is, and nothing is written."""
    emp_no = await office.employer()
    certno, code = BAD_NUMBERS[number]
    assert await office.refused(add_member, joiner(emp_no, certno=certno)) == [code]


async def test_all_faults_are_told_at_once(office: Office) -> None:
    """Name, number and day are wrong: three faults."""
    emp_no = await office.employer()
    codes = await office.refused(
        add_member, joiner(emp_no, certno=LI[:-1] + "?", name="李1", insured_on=date(2025, 6, 1)))
    assert sorted(codes) == ["BEGINS_TOO_LATE", "CERTNO_INVALID", "NAME_MALFORMED"]


async def test_sex_and_birth_must_agree_with_the_number(office: Office) -> None:
    """What is said beside an identity card must be what the card says."""
    emp_no = await office.employer()
    codes = await office.refused(add_member, joiner(emp_no, sex="2", birth_on=date(1988, 5, 18)))
    assert sorted(codes) == ["BIRTH_DIFFERS", "SEX_DIFFERS"]


async def test_lower_case_check_letter_spaces_and_full_width_are_the_same_number(office: Office) -> None:
    """A number typed otherwise is still the same number: the second joiner is known."""
    emp_no = await office.employer()
    number = next(n for s in range(1, 40, 2) if (n := card("1990-01-01", s)).endswith("X"))
    await office.done(add_member, joiner(emp_no, certno=number))
    assert await office.refused(add_member, joiner(emp_no, certno=f" {number[:6]} {number[6:].lower()} ")) == ["ALREADY_MEMBER"]


async def test_two_people_with_one_number_are_a_case_and_never_an_overwrite(office: Office) -> None:
    """The number is known under another name: nobody is enrolled, nothing is changed, a case is open, once."""
    emp_no, other = await office.employer(), await office.employer()
    await office.done(add_member, joiner(emp_no))
    person = await office.rows("select * from people.person")
    held = await office.done(add_member, joiner(other, name="王二"))
    again = await office.done(add_member, joiner(other, name="王二"))
    assert isinstance(held, Held)
    assert isinstance(again, Held)
    assert held.faults[0].code == "CERTIFICATE_OF_ANOTHER"
    assert "李一" not in held.faults[0].sentence(), "another one's name is masked"
    assert held.doubt_id == again.doubt_id
    assert await office.rows("select * from people.person") == person
    assert await office.rows("select kind, state, name from people.doubt") == [("one_number_two_names", "open", "王二")]
    assert len(await office.rows("select 1 from enrolment.relation")) == 1


async def test_same_name_in_another_spelling_is_no_contradiction(office: Office) -> None:
    """Layout spaces and the kind of the middle dot do not make another person."""
    emp_no, other = await office.employer(), await office.employer()
    first = await office.done(add_member, joiner(emp_no, name="买买提·艾力"))
    await office.done(remove_member, RemoveMember(emp_no=emp_no, psn_no=first.psn_no, left_on=date(2025, 3, 20)))
    office.now = at("2025-04-02")
    again = await office.done(add_member, joiner(other, name=" 买买提•艾 力 ", insured_on=date(2025, 4, 1)))
    assert isinstance(again, Begun)
    assert again.psn_no == first.psn_no


async def test_one_person_at_two_employers_is_refused(office: Office) -> None:
    """The second employer is told where the person is enrolled; after the first one lets go, it works."""
    emp_no, other = await office.employer(), await office.employer()
    first = await office.done(add_member, joiner(emp_no))
    assert await office.refused(add_member, joiner(other)) == ["ENROLLED_ALREADY"]
    ended = await office.done(remove_member, RemoveMember(emp_no=emp_no, certno=LI, left_on=date(2025, 3, 18), cause="resigned"))
    assert ended.paused_on == date(2025, 4, 1), "the month of the last day is still owed"
    second = await office.done(add_member, joiner(other, insured_on=date(2025, 3, 20)))
    # March was insured through the first employer: the second one begins with April.
    assert second.insured_on == date(2025, 4, 1)
    assert second.notes
    assert await office.relations(first.psn_no) == [
        ("310", "1101", "employed", "2", "2025-03-01", "2025-04-01", "resigned"),
        ("310", "1101", "employed", "1", "2025-04-01", None, ""),
    ]


async def test_months_that_were_insured_are_not_insured_again(office: Office) -> None:
    """A joiner reported back into months of another relation is refused with the first free day."""
    emp_no, other = await office.employer(), await office.employer()
    await office.done(add_member, joiner(emp_no, insured_on=date(2025, 1, 1), evidence="劳动合同"))
    await office.done(remove_member, RemoveMember(emp_no=emp_no, certno=LI, left_on=date(2025, 3, 10)))
    answer = await office.do(add_member, joiner(other, insured_on=date(2025, 2, 1), evidence="劳动合同"))
    assert [f.code for f in answer.faults] == ["MONTHS_OVERLAP"]
    assert "2025-04-01" in answer.sentence()


async def test_past_months_need_evidence(office: Office) -> None:
    """A beginning or an end in an earlier month is taken only with a paper that proves it."""
    emp_no = await office.employer()
    early = joiner(emp_no, insured_on=date(2025, 2, 1))
    assert await office.refused(add_member, early) == ["BEGINS_IN_THE_PAST"]
    await office.done(add_member, joiner(emp_no, insured_on=date(2025, 1, 1), evidence="劳动合同"))
    gone = {"emp_no": emp_no, "certno": LI, "left_on": date(2025, 2, 20)}
    assert await office.refused(remove_member, RemoveMember(**gone)) == ["LEAVES_IN_THE_PAST"]
    await office.done(remove_member, RemoveMember(**gone, evidence="离职证明"))


async def test_resident_goes_over_by_joining_and_not_back_by_itself(office: Office) -> None:
    """The resident relation ends with the first day of the job; the other way round the job must end first."""
    emp_no = await office.employer()
    resident = EnrolResident(admdvs=ZIBO, name="李一", certno=LI, division="370303")
    first = await office.done(enrol_resident, resident)
    begun = await office.done(add_member, joiner(emp_no, insured_on=date(2025, 3, 17)))
    assert begun.psn_no == first.psn_no
    assert begun.ended == (first.relation_id,)
    assert await office.relations(begun.psn_no) == [
        ("390", "1501", "resident", "4", "2025-03-10", "2025-03-17", "to_employee"),
        ("310", "1101", "employed", "1", "2025-03-17", None, ""),
    ]
    assert await office.refused(enrol_resident, resident) == ["ENROLLED_AS_EMPLOYEE"]


async def test_flexible_worker_finds_an_employer(office: Office) -> None:
    """Who paid alone goes over with the month of the job; the other way round the employer must let go first."""
    alone = EnrolFlexible(admdvs=ZIBO, name="李一", certno=LI, insured_on=date(2025, 3, 1), division="370303")
    first = await office.done(enrol_flexible, alone)
    emp_no = await office.employer()
    office.now = at("2025-05-08")
    await office.done(add_member, joiner(emp_no, insured_on=date(2025, 5, 6)))
    assert await office.relations(first.psn_no) == [
        ("310", "1101", "flexible", "4", "2025-03-01", "2025-05-01", "category_changed"),
        ("310", "1101", "employed", "1", "2025-05-06", None, ""),
    ]
    again = EnrolFlexible(admdvs=ZIBO, name="李一", certno=LI, insured_on=date(2025, 6, 1))
    assert await office.refused(enrol_flexible, again) == ["ENROLLED_ALREADY"]


async def test_move_between_employers_leaves_no_gap(office: Office) -> None:
    """The relation goes to the other employer on the first of a month."""
    emp_no, other = await office.employer(), await office.employer()
    first = await office.done(add_member, joiner(emp_no))
    move = {"from_no": emp_no, "to_no": other, "certno": LI}
    assert await office.refused(move_member, MoveMember(**move, on=date(2025, 4, 2))) == ["NOT_FIRST_OF_MONTH"]
    await office.done(move_member, MoveMember(**move, on=date(2025, 4, 1)))
    assert await office.relations(first.psn_no) == [
        ("310", "1101", "employed", "4", "2025-03-01", "2025-04-01", "moved"),
        ("310", "1101", "employed", "1", "2025-04-01", None, ""),
    ]
    assert await office.refused(move_member, MoveMember(**move, on=date(2025, 4, 1))) == ["NOT_A_MEMBER"]


async def test_leaver_twice_stranger_and_unknown_cause_are_refused(office: Office) -> None:
    """A leaver who is not there, and a cause that is no cause."""
    emp_no, other = await office.employer(), await office.employer()
    await office.done(add_member, joiner(emp_no))
    gone = {"certno": LI, "left_on": date(2025, 3, 18)}
    assert await office.refused(remove_member, RemoveMember(emp_no=other, **gone)) == ["NOT_A_MEMBER"]
    assert await office.refused(remove_member, RemoveMember(emp_no=emp_no, cause="bored", **gone)) == ["CAUSE_UNKNOWN"]
    await office.done(remove_member, RemoveMember(emp_no=emp_no, **gone))
    assert await office.refused(remove_member, RemoveMember(emp_no=emp_no, **gone)) == ["NOT_A_MEMBER"]
    assert await office.refused(remove_member, RemoveMember(certno=card("1970-01-01"), left_on=date(2025, 3, 18))) == [
        "PERSON_NOT_FOUND"]


async def test_who_is_enrolled_in_another_region_is_refused_until_gone(office: Office) -> None:
    """The other region's code is told and nothing else; after leaving it the person is enrolled here under a new number."""
    there = await office.done(enrol_resident, EnrolResident(admdvs="441300", name="李一", certno=LI, division="441302"))
    emp_no = await office.employer()
    answer = await office.do(add_member, joiner(emp_no))
    assert [f.code for f in answer.faults] == ["ENROLLED_IN_OTHER_REGION"]
    assert "441300" in answer.sentence()
    await office.done(leave_region, LeaveRegion(psn_no=there.psn_no, left_on=date(2025, 3, 9), cause="transfer"))
    here = await office.done(add_member, joiner(emp_no))
    assert here.psn_no != there.psn_no
    assert here.is_new_person


async def test_a_county_clerk_touches_the_own_county_only(office: Office) -> None:
    """Neither an employer nor a person of another county."""
    emp_no = await office.employer(division="370304")
    clerk = Actor(login="张县", channel="api", regions=(ZIBO,), division="370303")
    assert await office.refused(add_member, joiner(emp_no), actor=clerk) == ["OTHER_DIVISION"]
    begun = await office.done(add_member, joiner(emp_no))
    gone = RemoveMember(emp_no=emp_no, psn_no=begun.psn_no, left_on=date(2025, 3, 18))
    assert await office.refused(remove_member, gone, actor=clerk) == ["OTHER_DIVISION"]
    huizhou = Actor(login="李惠", channel="api", regions=("441300",))
    assert await office.refused(remove_member, gone, actor=huizhou) == ["OTHER_REGION"]


async def test_the_database_holds_one_open_basic_relation(office: Office) -> None:
    """Whatever the code does, a second open relation cannot be written."""
    emp_no = await office.employer()
    await office.done(add_member, joiner(emp_no))
    with pytest.raises(Exception, match="relation_one_open"):
        await office.rows(
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, account_kind, insured_on,"
            " benefit_from) select psn_no, 'another', admdvs, '390', '1501', '1', 'none', insured_on, insured_on"
            " from enrolment.relation")


async def test_ten_counters_enrol_one_new_person_once(office: Office, fresh_database_url: str) -> None:
    """Ten employers report the same new person at the same instant: one is told it is done, nine where the person is."""
    employers = [await office.employer(f"第{n}厂") for n in range(10)]
    database = await Database.open(fresh_database_url, role=None, size=10, acquire_timeout_s=30)
    counters = [Office(database, office.shelf) for _ in employers]
    answers = await asyncio.gather(*[
        counter.do(add_member, joiner(emp_no)) for counter, emp_no in zip(counters, employers, strict=True)])
    await database.close()
    assert sorted(type(a).__name__ for a in answers) == ["Begun", *["Refusal"] * 9]
    assert {f.code for a in answers if isinstance(a, Refusal) for f in a.faults} == {"ENROLLED_ALREADY"}
    assert len(await office.rows("select 1 from people.person")) == 1


async def test_paid_dues_of_the_relation_that_gave_way_are_told(office: Office) -> None:
    """May was paid alone before the job of May was reported: the clerk is told what can be refunded."""
    first = await office.done(
        enrol_flexible, EnrolFlexible(admdvs=ZIBO, name="李一", certno=LI, insured_on=date(2025, 3, 1), division="370303"))
    for month in (4, 5):
        await office.rows(DUE, first.psn_no, f"310-20250{month}-regular", first.relation_id, "310", date(2025, month, 1), 1)
    emp_no = await office.employer()
    office.now = at("2025-05-08")
    begun = await office.done(add_member, joiner(emp_no, insured_on=date(2025, 5, 6)))
    assert begun.notes[-1] == "原关系已缴、可申请退费：310-202505-regular"
