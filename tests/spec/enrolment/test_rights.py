"""The agency's role does every deed in its own regions, and sees nothing of another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import msgspec
import pytest

from tests.spec.enrolment.test_assisted_lists import assisted, listed
from tests.spec.enrolment.test_persons import breaches
from tests.support.member_sheets import joiners
from tests.support.registry import ZIBO, Office, card
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.change_person import change_person
from yibao.usecases.enrolment.commands import (
    AddMember,
    ChangePerson,
    EnrolNewborn,
    EnrolResident,
    ImportMembers,
    MergePersons,
    RecordDeath,
    RecordYears,
    RemoveMember,
    RetireMember,
    SplitPerson,
)
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.import_members import Imported, import_members
from yibao.usecases.enrolment.merge_persons import merge_persons
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.record_years import record_years
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.enrolment.retire_member import retire_member
from yibao.usecases.enrolment.split_person import split_person
from yibao.usecases.enrolment.take_assisted_list import take_assisted_list
from yibao.usecases.settlement.shelf import PolicyShelf

ROLE = "yibao_agency"


class Regional(Database):
    """A database whose transactions see one region."""

    regions: tuple[str, ...] = (ZIBO,)

    def transaction(self, *, regions: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
        """Open a transaction for the office's region where none is named."""
        return super().transaction(regions=regions or self.regions)


@pytest.fixture
async def counter(fresh_database_url: str, office: Office, shelf: PolicyShelf) -> AsyncIterator[Office]:
    """Open the same office as the agency's role."""
    database = await Regional.open(fresh_database_url, role=ROLE, size=2)
    opened = Office(database, shelf)
    opened.actor = Actor(login="钱窗口", channel="api", regions=(ZIBO,))
    yield opened
    await database.close()


async def test_every_deed_works_with_the_agencys_rights(office: Office, counter: Office) -> None:
    """From registration to a merge and back: the role has what it needs, and the books stay sound."""
    emp_no = await counter.employer()
    begun = await counter.done(add_member, AddMember(
        emp_no=emp_no, name="周岗", certno=card("1964-12-01"), insured_on=date(2025, 3, 1)))
    await counter.done(record_years, RecordYears(psn_no=begun.psn_no, kind="deemed", evidence="档案", months=400))
    await counter.done(change_person, ChangePerson(psn_no=begun.psn_no, changes={"phone": "13800000000"}))
    await counter.done(retire_member, RetireMember(psn_no=begun.psn_no, approved_on=date(2025, 3, 9)))
    await counter.done(enrol_newborn, EnrolNewborn(
        admdvs=ZIBO, name="周宝", sex="2", born_on=date(2025, 3, 1), certno="U1"))
    first = await counter.done(enrol_resident, EnrolResident(admdvs=ZIBO, name="吴居", certno=card("1970-01-01", 2)))
    second = await counter.done(enrol_resident, EnrolResident(admdvs=ZIBO, name="吴居", certno=card("1970-01-01", 4)))
    merged = await counter.done(merge_persons, MergePersons(kept_no=first.psn_no, merged_no=second.psn_no, reason="重复登记"))
    await counter.done(split_person, SplitPerson(merge_id=merged.merge_id, reason="实为两人"))
    await counter.done(take_assisted_list, assisted(listed(0)))
    await counter.done(remove_member, RemoveMember(psn_no=second.psn_no, left_on=date(2025, 3, 10), cause="stopped"))
    await counter.done(record_death, RecordDeath(psn_no=first.psn_no, died_on=date(2025, 3, 10)))
    file = ImportMembers(emp_no=emp_no, content=joiners([("郑表", card("1985-05-05"), date(2025, 3, 1), 5000)]))
    done = await import_members(counter.database, file, actor=counter.actor, now=counter.now, ids=counter.ids,
                                shelf=counter.shelf)
    assert isinstance(done, Imported)
    assert done.applied == 1
    assert await breaches(office) == []


async def test_another_region_is_not_there(office: Office, counter: Office) -> None:
    """Neither person nor employer of another region exist for the role; its document can only be seen to be taken."""
    there = await office.employer(admdvs="441300", division="441302")
    begun = await office.done(add_member, AddMember(
        emp_no=there, name="林惠", certno=card("1980-08-08"), insured_on=date(2025, 3, 1)))
    anywhere = msgspec.structs.replace(counter.actor, regions=())
    gone = RemoveMember(emp_no=there, psn_no=begun.psn_no, left_on=date(2025, 3, 9))
    assert await counter.refused(remove_member, gone, actor=anywhere) == ["PERSON_NOT_FOUND"]
    async with counter.database.transaction() as tx:
        assert await tx.fetch("select 1 from people.person") == []
        assert len(await tx.fetch("select 1 from enrolment.employer")) == 0
    here = await counter.employer()
    joiner = AddMember(emp_no=here, name="林惠", certno=card("1980-08-08"), insured_on=date(2025, 3, 1))
    assert await counter.refused(add_member, joiner) == ["ENROLLED_IN_OTHER_REGION"]
