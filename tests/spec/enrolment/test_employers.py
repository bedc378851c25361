"""Employers: registered once, changed with history, merged, split, ended; their people go with them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.registry import ZIBO, Office, card, credit_code
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.change_employer import (
    cancel_employer,
    change_employer,
    merge_employers,
    split_employer,
)
from yibao.usecases.enrolment.commands import (
    AddMember,
    CancelEmployer,
    ChangeEmployer,
    MergeEmployers,
    RegisterEmployer,
    RemoveMember,
    SplitEmployer,
)
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.enrolment.remove_member import remove_member

GOOD = credit_code(700)
BAD_CODES = (GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), GOOD[:-1], "I" + GOOD[1:], "")


def form(**more: object) -> RegisterEmployer:
    """Return the form of an employer."""
    return RegisterEmployer(**{"admdvs": ZIBO, "uscc": GOOD, "name": "淄博示例厂", "division": "370303", **more})  # type: ignore[arg-type]


async def staff(office: Office, emp_no: str, count: int) -> list[str]:
    """Enrol some employees and return their numbers."""
    people = []
    for n in range(count):
        begun = await office.done(add_member, AddMember(
            emp_no=emp_no, name="员工" + "甲乙丙丁戊"[n], certno=card(f"198{n}-04-04", 2 * n + 1), insured_on=date(2025, 3, 1)))
        people.append(str(begun.psn_no))
    return people


@pytest.mark.parametrize("code", BAD_CODES)
async def test_a_wrong_credit_code_is_refused(office: Office, code: str) -> None:
    """A wrong check character, a short one, a letter that does not exist, none."""
    assert await office.refused(register_employer, form(uscc=code)) == ["USCC_INVALID"]


async def test_one_credit_code_is_registered_once_in_a_region(office: Office) -> None:
    """Lower case is the same code; the other region has its own registration."""
    first = await office.done(register_employer, form())
    assert await office.refused(register_employer, form(uscc=GOOD.lower())) == ["EMPLOYER_ENROLLED"]
    other = await office.done(register_employer, form(admdvs="441300", division="441302"))
    assert other.emp_no != first.emp_no
    assert sorted(await office.refused(register_employer, form(name=" ", kind="club", insurances=("999",)))) == [
        "EMPLOYER_KIND_UNKNOWN", "INSURANCE_UNKNOWN", "NAME_MISSING"]


async def test_changes_keep_the_old_value(office: Office) -> None:
    """Key fields need evidence; what was, stays written; the code's last state wins."""
    emp_no = await office.employer()
    change = {"emp_no": emp_no, "changes": {"bank_account": "6222000011112222", "address": "张店区1号"}}
    assert await office.refused(change_employer, ChangeEmployer(**change)) == ["EVIDENCE_MISSING"]
    await office.done(change_employer, ChangeEmployer(**change, evidence="开户许可证"))
    assert await office.rows("select field, old_value, new_value, evidence from enrolment.employer_change order by field") == [
        ("address", "", "张店区1号", "开户许可证"), ("bank_account", "", "6222000011112222", "开户许可证")]
    assert await office.rows("select bank_account, address from enrolment.employer") == [("6222000011112222", "张店区1号")]
    assert await office.refused(change_employer, ChangeEmployer(emp_no=emp_no, changes={"state": "active"})) == ["FIELD_UNKNOWN"]


async def test_merged_employer_hands_over_all_its_people(office: Office) -> None:
    """From the first of the month everybody is enrolled through the other one; the ended one takes nobody any more."""
    kept, merged = await office.employer("甲厂"), await office.employer("乙厂")
    people = await staff(office, merged, 3)
    done = await office.done(merge_employers, MergeEmployers(kept_no=kept, merged_no=merged, on=date(2025, 4, 1),
                                                                evidence="批文"))
    assert (done.state, done.members) == ("merged", 3)
    for psn_no in people:
        assert await office.relations(psn_no) == [
            ("310", "1101", "employed", "4", "2025-03-01", "2025-04-01", "employer_merged"),
            ("310", "1101", "employed", "1", "2025-04-01", None, "")]
    assert await office.rows("select distinct emp_no from enrolment.relation where paused_on is null") == [(kept,)]
    late = AddMember(emp_no=merged, name="来晚", certno=card("1990-09-09"), insured_on=date(2025, 3, 1))
    assert await office.refused(add_member, late) == ["EMPLOYER_ENDED"]


async def test_split_takes_the_named_people_only(office: Office) -> None:
    """Two of three go to the new employer; a stranger in the list refuses it whole."""
    emp_no = await office.employer()
    people = await staff(office, emp_no, 3)
    split = {"emp_no": emp_no, "new": form(), "on": date(2025, 4, 1)}
    assert await office.refused(split_employer, SplitEmployer(**split, psn_nos=(people[0], "370300000"))) == ["NOT_A_MEMBER"]
    made = await office.done(split_employer, SplitEmployer(**split, psn_nos=tuple(people[:2])))
    assert made.members == 2
    assert await office.rows("select psn_no, emp_no from enrolment.relation where paused_on is null order by psn_no") == sorted(
        [(people[0], made.emp_no), (people[1], made.emp_no), (people[2], emp_no)])


async def test_an_employer_ends_when_nobody_is_left(office: Office) -> None:
    """Refused while somebody is enrolled through it."""
    emp_no = await office.employer()
    (psn_no,) = await staff(office, emp_no, 1)
    cancel = CancelEmployer(emp_no=emp_no, on=date(2025, 3, 10), reason="注销登记")
    assert await office.refused(cancel_employer, cancel) == ["EMPLOYER_HAS_MEMBERS"]
    await office.done(remove_member, RemoveMember(emp_no=emp_no, psn_no=psn_no, left_on=date(2025, 3, 9)))
    done = await office.done(cancel_employer, cancel)
    assert (done.state, done.ended_on) == ("cancelled", date(2025, 3, 10))
