"""Persons with history: what was true when and known since when; two numbers of one person; and back again."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.support.registry import ZIBO, Office, at, card
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.change_person import change_person
from yibao.usecases.enrolment.commands import (
    AddMember,
    ChangePerson,
    EnrolResident,
    MergePersons,
    SplitPerson,
)
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.merge_persons import merge_persons
from yibao.usecases.enrolment.split_person import split_person
from yibao.usecases.people.settle_doubt import SettleDoubt, settle_doubt
from yibao.usecases.people.show_person import show_person
from yibao.usecases.verification.verify_books import verify_books

OLD = card("1980-02-02", 11)
NEW = card("1980-02-02", 13)
DUE = """
insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, payer_no, base_fen,
    parts, amounts, funds, total_fen, state, assessed_at, policy_version, bill_id, paid_on, arrived_on)
values ($1, $2, '370300', $3, $4, $5, $6, 'regular', 'person', $1, 1,
    '{person.basic}', '{1}', '{310100}', 1, 'arrived', now(), '', 'b', $5, $5)
"""
ACCOUNT = "insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on) values ($1, '370300', $2, '2024-01-01')"
OPENING = """
insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts)
values ($1, 'opening', '370300', 'opening', now(), array['opening:370300', 'account:' || $1], array[-$2::bigint, $2::bigint])
"""


async def resident(office: Office, certno: str = OLD, name: str = "孙同", **more: Any) -> str:
    """Enrol a resident and return the number."""
    begun = await office.done(enrol_resident, EnrolResident(admdvs=ZIBO, name=name, certno=certno, **more))
    return str(begun.psn_no)


async def test_a_person_as_of_a_day_and_as_known_then(office: Office) -> None:
    """A name changed in June and learnt of in August; a correction says what was always so."""
    psn_no = await resident(office)
    office.now = at("2025-08-20")
    await office.done(change_person, ChangePerson(
        psn_no=psn_no, changes={"name": "孙童"}, effective_on=date(2025, 6, 15), evidence="户口簿"))
    office.now = at("2025-09-01")
    await office.done(change_person, ChangePerson(psn_no=psn_no, changes={"nation": "02"}, cause="correction"))

    async def fields(day: str, known: str | None = None) -> tuple[Any, Any]:
        async with office.database.transaction() as tx:
            shown = await show_person(tx, actor=office.actor, psn_no=psn_no, on=date.fromisoformat(day),
                                      known_at=at(known, 23) if known else None)
        return shown.fields["name"], shown.fields["nation"]

    assert await fields("2025-06-14") == ("孙同", "02")
    assert await fields("2025-06-15") == ("孙童", "02")
    assert await fields("2025-06-15", known="2025-08-19") == ("孙同", "01"), "in July nobody knew of the new name"
    assert await fields("2025-06-15", known="2025-08-20") == ("孙童", "01")


async def test_changes_that_are_refused(office: Office) -> None:
    """Without evidence, a wrong number, another one's number, a field that cannot change."""
    psn_no, other = await resident(office), await resident(office, certno=card("1981-01-01"), name="钱他")
    proof = {"psn_no": psn_no, "evidence": "身份证"}
    assert await office.refused(change_person, ChangePerson(psn_no=psn_no, changes={"name": "孙童"})) == ["EVIDENCE_MISSING"]
    wrong = NEW[:-1] + ("1" if NEW[-1] != "1" else "2")
    assert await office.refused(change_person, ChangePerson(**proof, changes={"certno": wrong})) == ["CERTNO_INVALID"]
    taken = card("1981-01-01")
    assert await office.refused(change_person, ChangePerson(**proof, changes={"certno": taken})) == ["CERTIFICATE_TAKEN"]
    assert await office.refused(change_person, ChangePerson(**proof, changes={"died_on": "2025-01-01"})) == ["FIELD_UNKNOWN"]
    assert await office.refused(change_person, ChangePerson(**proof, changes={"sex": "2"})) == ["SEX_DIFFERS"]
    assert other


async def test_a_new_identity_card_brings_birth_and_sex(office: Office) -> None:
    """A card that tells another day of birth changes it, and the change is written for every field."""
    psn_no = await resident(office)
    certno = card("1980-03-03", 12)
    await office.done(change_person, ChangePerson(psn_no=psn_no, changes={"certno": certno.lower()}, evidence="身份证"))
    assert await office.rows("select certno, sex, birth_on::text from people.person") == [(certno, "2", "1980-03-03")]
    assert await office.rows("select field, old_value, new_value from people.change order by field") == [
        ("birth_on", "1980-02-02", "1980-03-03"), ("certno", OLD, certno), ("sex", "1", "2")]


async def two_numbers(office: Office) -> tuple[str, str]:
    """Enrol one person twice: as a resident under an old number, as an employee under the right one, with money and dues."""
    office.now = at("2024-01-05")
    old = await resident(office, insured_on=date(2024, 1, 1))
    office.now = at("2025-03-10")
    emp_no = await office.employer()
    begun = await office.done(add_member, AddMember(emp_no=emp_no, name="孙同", certno=NEW, insured_on=date(2025, 3, 1)))
    kept = str(begun.psn_no)
    await office.rows(DUE, old, "390-2024-regular", "390-20240101", "390", date(2024, 1, 1), 12)
    await office.rows(DUE, kept, "310-202503-regular", begun.relation_id, "310", date(2025, 3, 1), 1)
    await office.rows("insert into enrolment.special_identity (psn_no, identity_type, admdvs, valid_from)"
                      " values ($1, '2303', '370300', '2024-01-01')", old)
    await office.rows("insert into applications.chronic_recognition (psn_no, disease_code, valid_from, admdvs, disease_name)"
                      " values ($1, 'M03900', '2024-01-01', '370300', '高血压')", old)
    for number, fen in ((old, 12_345), (kept, 500)):
        await office.rows(ACCOUNT, number, fen)
        await office.rows(OPENING, number, fen)
    return kept, old


async def breaches(office: Office) -> list[str]:
    """Return what ``verify`` finds of this slice's and the ledger's invariants."""
    async with office.database.transaction() as tx:
        return [f"{f.says}: {f.examples}" for f in await verify_books(tx, replay=0) if f.breaches]


async def test_merge_brings_everything_together_and_split_takes_it_apart(office: Office) -> None:
    """Relations of free months, dues, identity, recognition and money go over; undone, all stands as before."""
    kept, old = await two_numbers(office)

    async def facts() -> dict[str, Any]:
        return {
            "relations": [await office.relations(n) for n in (kept, old)],
            "dues": await office.rows("select psn_no, due_id from contributions.due order by 1, 2"),
            "identities": await office.rows("select psn_no, identity_type from enrolment.special_identity order by 1, 2"),
            "recognised": await office.rows("select psn_no, disease_code from applications.chronic_recognition order by 1, 2"),
            "money": await office.rows("select psn_no, balance_fen from ledger.personal_account order by 1"),
            "merged": await office.rows("select psn_no, merged_into from people.person order by 1"),
        }

    before = await facts()
    merge = MergePersons(kept_no=kept, merged_no=old, reason="身份证号码更正前重复登记")
    wrong_way = MergePersons(kept_no=old, merged_no=kept, reason="重复登记")
    assert await office.refused(merge_persons, wrong_way) == ["KEEP_THE_EMPLOYEE"]
    merged = await office.done(merge_persons, merge)
    assert merged.balance_fen == 12_345
    assert await office.rows("select psn_no, balance_fen from ledger.personal_account where psn_no = any($1)", [kept, old]) in (
        [(kept, 12_845), (old, 0)], [(old, 0), (kept, 12_845)])
    assert {n for n, _ in await office.rows("select psn_no, due_id from contributions.due")} == {kept}
    async with office.database.transaction() as tx:
        by_old = await show_person(tx, actor=office.actor, certno=OLD, on=date(2025, 3, 10))
    assert by_old.psn_no == kept, "the old document answers with the kept person"
    assert await breaches(office) == []
    assert await office.refused(merge_persons, merge) == ["MERGED_ALREADY"]

    split = SplitPerson(merge_id=merged.merge_id, reason="实为两人")
    undone = await office.done(split_person, split)
    assert undone.balance_fen == 12_345
    assert await facts() == before
    assert await breaches(office) == []
    assert await office.refused(split_person, split) == ["MERGE_UNDONE"]


async def test_months_paid_under_both_numbers_are_a_case(office: Office) -> None:
    """The same month paid twice stays where it is and is to be refunded."""
    kept, old = await two_numbers(office)
    await office.rows(DUE, old, "310-202503-regular", "x", "310", date(2025, 3, 1), 1)
    merged = await office.done(merge_persons, MergePersons(kept_no=kept, merged_no=old, reason="重复登记"))
    assert merged.paid_twice == ("310-202503-regular",)
    ((doubt_id, state),) = await office.rows("select doubt_id, state from people.doubt where kind = 'paid_twice'")
    assert state == "open"
    async with office.database.transaction() as tx:
        deed = {"actor": office.actor, "now": office.now, "ids": office.ids}
        settled = await settle_doubt(tx, SettleDoubt(doubt_id=doubt_id, decision="refunded"), **deed)
        again = await settle_doubt(tx, SettleDoubt(doubt_id=doubt_id, decision="refunded"), **deed)
        other = await settle_doubt(tx, SettleDoubt(doubt_id=doubt_id, decision="two_persons"), **deed)
    assert (settled.state, settled.decided_by) == ("settled", "王登记")
    assert again.decided_at == settled.decided_at
    assert other.code == "DOUBT_SETTLED"
