"""What is assessed: whom, for which month, by which law, on whose bill; run again, killed or worked case by case."""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.contributions.conftest import SHELF, Town, noon
from tests.spec.policy.cities import HUIZHOU
from yibao.infra.database import Database
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.assessing import Assessed, Round
from yibao.usecases.contributions.declare_base import (
    BaseRow,
    DeclareBase,
    DeclareBases,
    Declared,
    declare_base,
    declare_bases,
)
from yibao.usecases.contributions.receive_subsidy import Subsidy, receive_subsidy


async def assess(town: Town, month: date, on: str, **more: int) -> Assessed:
    """Assess a month and return what was written."""
    done = await assess_month(town.database, admdvs=town.admdvs, month=month, now=noon(on), shelf=SHELF, **more)
    assert isinstance(done, Assessed), done
    return done


async def parts(town: Town, psn_no: str, due_id: str) -> dict[str, int]:
    """Return a due's parts in fen."""
    (row,) = await town.run("select parts, amounts from contributions.due where psn_no = $1 and due_id = $2", psn_no, due_id)
    return dict(zip(row["parts"], row["amounts"], strict=True))


async def test_an_employees_month_by_the_law_of_the_month(town: Town) -> None:
    """2024: floor 4242.00, so 3000 counts as 4242: × 8 % = 339.36, × 2 % = 84.84. 2025: floor 4416: 353.28 and 88.32, and

    12.00 large amount; care 35.00 a year from the account, 75.00 by the state.
    """
    await town.employer("E1")
    one = await town.person(emp_no="E1", wage_fen=300_000)
    await assess(town, date(2024, 12, 1), "2024-12-02")
    assert await parts(town, one, "310-202412-regular") == {"unit.basic": 33_936, "person.basic": 8_484}
    await assess(town, date(2025, 1, 1), "2025-01-02")
    assert await parts(town, one, "310-202501-regular") == {
        "unit.basic": 35_328, "person.basic": 8_832, "person.large_amount": 1_200}
    assert await parts(town, one, "410-2025-regular") == {"person.care": 3_500}
    assert await parts(town, one, "410-2025-subsidy") == {"state.care": 7_500}
    assert {d[0]: d[3] for d in await town.dues(one)} == {
        "310-202412-regular": "unit", "310-202501-regular": "unit", "410-2025-regular": "account", "410-2025-subsidy": "state"}
    # Once a year: February adds the month only.
    assert (await assess(town, date(2025, 2, 1), "2025-02-03")).dues == 1
    assert await town.breaches() == []


async def test_flexible_workers_pay_on_the_base_of_their_own(town: Town) -> None:
    """2024: 7069 × 5 % = 353.45 a month, once 218 large amount and 35 care; with an account in 2025 9 % of the declared base."""
    one = await town.person(kind="flexible", account_kind="pool_only")
    two = await town.person(kind="flexible", account_kind="with_account", wage_fen=600_000)
    await assess(town, date(2024, 12, 1), "2024-12-02")
    assert [d[:2] for d in await town.dues(one)] == [
        ("310-202412-regular", 35_345), ("330-2024-regular", 21_800), ("410-2024-regular", 3_500)]
    assert (await town.bill(one))["amount_fen"] == 35_345 + 21_800 + 3_500
    await assess(town, date(2025, 1, 1), "2025-01-02")
    assert await parts(town, two, "310-202501-regular") == {"person.basic": 54_000, "person.large_amount": 1_200}


async def test_what_cannot_be_assessed_is_a_case_that_a_later_run_closes(town: Town) -> None:
    await town.employer("E1")
    one = await town.person(emp_no="E1")
    done = await assess(town, date(2024, 7, 1), "2024-07-02")
    assert (done.dues, done.cases) == (0, {"BASE_MISSING": 1})
    command = DeclareBase(psn_no=one, valid_from=date(2024, 7, 1), wage_fen=1_170_000)
    declared = await town.deed(declare_base, command, on="2024-07-03", shelf=SHELF)
    assert isinstance(declared, Declared)
    assert declared.adjusted == ()
    done = await assess(town, date(2024, 7, 1), "2024-07-04")
    assert (done.dues, done.total_fen, await town.cases()) == (1, 117_000, [])


async def test_a_batch_of_bases_lists_what_floor_and_ceiling_changed_and_takes_all_or_nothing(town: Town) -> None:
    await town.employer("E1")
    low, high, mid = [await town.person(emp_no="E1") for _ in range(3)]
    stranger = await town.person(emp_no=await town.employer("E2"))
    july = date(2024, 7, 1)
    bad = DeclareBases(emp_no="E1", valid_from=july, rows=(
        BaseRow(psn_no=low, wage_fen=300_000), BaseRow(psn_no=low, wage_fen=1), BaseRow(psn_no=stranger, wage_fen=1),
        BaseRow(psn_no=mid, wage_fen=-5)))
    refused = await town.deed(declare_bases, bad, on="2024-07-01", shelf=SHELF)
    assert isinstance(refused, Refusal)
    assert [(f.code, f.field) for f in refused.faults] == [
        ("PERSON_TWICE", "rows[1].psn_no"), ("NOT_A_MEMBER", "rows[2].psn_no"), ("WAGE_WRONG", "rows[3].wage_fen")]
    assert await town.run("select 1 from contributions.base") == []
    good = DeclareBases(emp_no="E1", valid_from=july, rows=(
        BaseRow(psn_no=low, wage_fen=300_000), BaseRow(psn_no=high, wage_fen=3_000_000), BaseRow(psn_no=mid, wage_fen=800_000)))
    declared = await town.deed(declare_bases, good, on="2024-07-01", shelf=SHELF)
    assert [(a.psn_no, a.base_fen, a.adjusted) for a in declared.adjusted] == [
        (low, 424_200, "floor"), (high, 2_120_700, "ceiling")]
    await assess(town, july, "2024-07-02")
    again = await town.deed(declare_bases, good, on="2024-07-03", shelf=SHELF)
    assert isinstance(again, Refusal)
    assert {f.code for f in again.faults} == {"MONTH_ASSESSED"}


async def test_months_are_assessed_in_their_order(town: Town) -> None:
    await assess(town, date(2024, 7, 1), "2024-07-02")
    skipped = await assess_month(
        town.database, admdvs=town.admdvs, month=date(2024, 9, 1), now=noon("2024-09-02"), shelf=SHELF)
    assert isinstance(skipped, Refusal)
    assert skipped.code == "EARLIER_MONTH_OPEN"
    await assess(town, date(2024, 8, 1), "2024-08-02")
    await assess(town, date(2024, 9, 1), "2024-09-02")


async def test_who_owes_which_month(town: Town) -> None:
    """A relation owes from the month it begins in to before the month it ends in."""
    await town.employer("E1")
    joined = await town.person(emp_no="E1", wage_fen=500_000, insured_on=date(2024, 7, 31))
    left = await town.person(emp_no="E1", wage_fen=500_000, paused_on=date(2024, 7, 1))
    leaving = await town.person(emp_no="E1", wage_fen=500_000, paused_on=date(2024, 8, 1))
    later = await town.person(emp_no="E1", wage_fen=500_000, insured_on=date(2024, 8, 1))
    await assess(town, date(2024, 7, 1), "2024-07-02")
    assert [len(await town.dues(p)) for p in (joined, left, leaving, later)] == [1, 0, 1, 0]


async def test_killed_between_chunks_and_run_again_it_gives_the_same_rows(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.employer("E1")
    for n in range(7):
        await town.person(emp_no="E1", wage_fen=500_000 + n * 10_000)
    chunks = 0
    whole = Round._assess

    async def dying(self: Round, tx: object, rows: object) -> None:
        nonlocal chunks
        chunks += 1
        await whole(self, tx, rows)  # type: ignore[arg-type]
        if chunks == 3:
            raise ConnectionAbortedError("the power is gone")

    monkeypatch.setattr(Round, "_assess", dying)
    with pytest.raises(ConnectionAbortedError):
        await assess(town, date(2024, 7, 1), "2024-07-02", chunk=2)
    assert len(await town.dues()) == 4
    monkeypatch.undo()
    assert (await assess(town, date(2024, 7, 1), "2024-07-02", chunk=2)).dues == 3
    bill = await town.bill("E1")
    # 5000 + 5100 + ... + 5600 = 37100, × 10 % = 3710.00
    assert (bill["count"], bill["amount_fen"], bill["ordinal"]) == (7, 371_000, 1)
    assert await town.breaches() == []


async def test_who_joins_after_the_bill_was_sent_gets_another_bill(town: Town) -> None:
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, date(2024, 7, 1), "2024-07-02")
    await town.send("2024-07-03")
    await town.person(emp_no="E1", wage_fen=600_000)
    await assess(town, date(2024, 7, 1), "2024-07-10")
    rows = await town.run("select ordinal, amount_fen, state from contributions.bill order by ordinal")
    assert [tuple(r) for r in rows] == [(1, 50_000, "sent"), (2, 60_000, "open")]


async def test_residents_by_category_with_the_states_share(town: Town) -> None:
    """Zibo 2025: adult 460, child 360, assisted adult 0 and 460 by the state; 670 subsidy for each."""
    adult = await town.person(insutype="390", psn_type="1501", kind="resident")
    child = await town.person(insutype="390", psn_type="1402", kind="student", birth_on=date(2015, 1, 1))
    poor = await town.person(insutype="390", psn_type="1501", kind="resident", identities=("2303",))
    early = await assess_residents(town.database, admdvs="370300", year=2025, now=noon("2024-08-31"), shelf=SHELF)
    assert isinstance(early, Refusal)
    assert early.code == "SEASON_NOT_OPEN"
    done = await assess_residents(town.database, admdvs="370300", year=2025, now=noon("2024-09-02"), shelf=SHELF)
    assert isinstance(done, Assessed)
    assert done.dues == 6
    assert [d[:4] for d in await town.dues(adult)] == [
        ("390-2025-regular", 46_000, "assessed", "person"), ("390-2025-subsidy", 67_000, "assessed", "state")]
    assert (await town.dues(child))[0][1] == 36_000
    assert [d[:4] for d in await town.dues(poor)] == [
        ("390-2025-regular", 0, "arrived", "person"), ("390-2025-subsidy", 113_000, "assessed", "state")]
    state = await town.bill("treasury")
    assert (state["amount_fen"], state["count"]) == (67_000 + 67_000 + 113_000, 3)
    sent = await town.send("2024-09-03")
    assert (sent.bills, sent.state_bills) == (2, 1)
    wrong = Subsidy(bill_id=state["bill_id"], receipt_no="C1", received_on=date(2024, 10, 1), amount_fen=1)
    assert isinstance(await town.deed(receive_subsidy, wrong, on="2024-10-01"), Refusal)
    right = Subsidy(bill_id=state["bill_id"], receipt_no="C1", received_on=date(2024, 10, 1))
    for _ in range(2):
        assert (await town.deed(receive_subsidy, right, on="2024-10-01")).state == "arrived"
    assert await town.balance("fund:370300:390100") == 247_000
    assert await town.breaches() == []


async def test_a_household_pays_for_its_residents_at_once(town: Town) -> None:
    one = await town.person(insutype="390", psn_type="1501", kind="resident", household_no="H1")
    await town.person(insutype="390", psn_type="1402", kind="student", household_no="H1", birth_on=date(2015, 1, 1))
    await assess_residents(town.database, admdvs="370300", year=2025, now=noon("2024-09-02"), shelf=SHELF)
    await town.send("2024-09-03")
    bill = await town.bill("H1")
    assert (bill["payer_kind"], bill["amount_fen"], bill["count"]) == ("household", 82_000, 2)
    assert (await town.pay("P1", bill["bill_id"], 82_000, on="2024-10-01", payer_no=one)).outcome == "paid"
    assert {d[2] for d in await town.dues() if d[3] == "household"} == {"paid"}


async def test_who_comes_late_owes_the_public_subsidy_where_the_law_says_so(town: Town) -> None:
    """Zibo 2022: 410, after 30 January also the public subsidy; its amount of 2022 is not published: a case, no guess.

    The fee of a newborn stays the fee alone in Huizhou.
    """
    await town.person(insutype="390", psn_type="1501", kind="resident", insured_on=date(2022, 1, 1))
    in_time = await assess_residents(town.database, admdvs="370300", year=2022, now=noon("2022-01-30"), shelf=SHELF)
    assert isinstance(in_time, Assessed)
    assert in_time.total_fen == 41_000
    await town.person(insutype="390", psn_type="1501", kind="resident", insured_on=date(2022, 1, 1))
    late = await assess_residents(town.database, admdvs="370300", year=2022, now=noon("2022-01-31"), shelf=SHELF)
    assert isinstance(late, Assessed)
    assert (late.dues, late.cases) == (0, {"LAW_SILENT": 1})


async def test_a_resident_and_an_employee_in_one_month_is_a_case(town: Town) -> None:
    one = await town.person(insutype="390", psn_type="1501", kind="resident")
    await assess_residents(town.database, admdvs="370300", year=2025, now=noon("2024-09-02"), shelf=SHELF)
    await town.run("update enrolment.relation set paused_on = '2025-01-06', status = '4' where psn_no = $1", one)
    await town.employer("E1")
    await town.relate(one, insutype="310", psn_type="1101", kind="employed", emp_no="E1", wage_fen=500_000,
                      insured_on=date(2025, 1, 6))
    done = await assess(town, date(2025, 1, 1), "2025-01-08")
    assert done.cases == {"DOUBLE_MONTH": 1}
    assert not any(d[0].startswith("310") for d in await town.dues(one))


async def test_two_regions_do_not_see_each_other(fresh_database_url: str) -> None:
    database = await Database.open(fresh_database_url, role=None, size=2)
    try:
        zibo, huizhou = Town(database), Town(database, HUIZHOU)
        await zibo.person(emp_no=await zibo.employer("E1"), wage_fen=500_000)
        await huizhou.person(emp_no=await huizhou.employer("E8"), wage_fen=500_000)
        await assess(huizhou, date(2025, 1, 1), "2025-01-02")
        # 5000 × 4.6 % = 230.00, × 2 % = 100.00, large amount 7402 × 0.1 % = 7.40
        assert [d[1] for d in await zibo.dues()] == [33_740]
    finally:
        await database.close()
