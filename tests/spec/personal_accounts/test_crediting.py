"""A month's credits: who gets how much, the families of failure by reason, and a re-run that credits nobody twice.

Amounts by hand: Zibo credits 2 % of the base to the active and 106 yuan below 70, 131 yuan from 70 to the retired.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.spec.personal_accounts.conftest import REGION, Region, noon
from yibao.domains.personal_accounts.credits import list_held
from yibao.kernel.refusal import Refusal
from yibao.usecases.personal_accounts.credit_month import Credited, credit_arrears, credit_month

JULY, AUGUST = date(2024, 7, 1), date(2024, 8, 1)
BASE, TWO_PERCENT = 500_000, 10_000
BELOW_70, FROM_70 = 10_600, 13_100


@pytest.fixture
def region(database_url: str) -> Region:
    """Open the module's region with nobody in it."""
    opened = Region(database_url)
    opened.execute("insert into platform.region (admdvs, name) values ($1, '淄博市') on conflict do nothing", REGION)
    for table in ("personal_accounts.credit", "personal_accounts.credit_run", "personal_accounts.channel", "enrolment.relation",
                  "enrolment.retirement", "contributions.due", "ledger.posting", "ledger.personal_account", "people.person"):
        opened.execute(f"delete from {table}")
    return opened


def credit(region: Region, month: date = JULY, *, on: date = date(2024, 7, 20), chunk: int = 3) -> Credited:
    done = region.batch(lambda db: credit_month(
        db, admdvs=REGION, month=month, now=noon(on), shelf=region.shelf, chunk=chunk))
    assert isinstance(done, Credited), done
    return done


def employee(region: Region, *, card: str | None = None, born: date = date(1980, 3, 1)) -> str:
    psn_no = region.person(card=card, born=born)
    region.relation(psn_no)
    region.due(psn_no, JULY, base=BASE)
    return psn_no


def retiree(region: Region, *, born: date = date(1960, 1, 1), status: str = "1", ends: date | None = None,
            cause: str = "") -> str:
    psn_no = region.person(born=born)
    region.relation(psn_no, psn_type="1201", kind="", status=status, ends=ends, cause=cause)
    return psn_no


def channel(region: Region, psn_no: str, kind: str = "card", **facts: object) -> None:
    columns = {"kind": kind, **facts}
    names, values = ", ".join(columns), ", ".join(f"${n}" for n in range(3, len(columns) + 3))
    region.execute(f"insert into personal_accounts.channel (psn_no, admdvs, changed_at, changed_by, {names}) "
                   f"values ($1, $2, now(), 't', {values})", psn_no, REGION, *columns.values())


def test_active_by_base_and_retired_by_age(region: Region) -> None:
    active = employee(region)
    turned = retiree(region, born=date(1954, 7, 1))     # 70 on 1 July 2024
    young = retiree(region, born=date(1954, 7, 2))      # 69 on that day
    done = credit(region)
    assert (done.credited, done.credited_fen, done.held) == (3, TWO_PERCENT + FROM_70 + BELOW_70, 0)
    assert [region.balance(p) for p in (active, turned, young)] == [TWO_PERCENT, FROM_70, BELOW_70]
    # The active's credit comes from the account fund, the retired's from the pool.
    assert region.ledger(f"fund:{REGION}:310200") == -TWO_PERCENT
    assert region.ledger(f"fund:{REGION}:310100") == -(FROM_70 + BELOW_70)
    assert region.version(active) == 1
    due = region.fetch("select state, credited_at from contributions.due where psn_no = $1", active)
    assert [tuple(row) for row in due] == [("credited", noon(date(2024, 7, 20)))]
    assert region.breaches() == []


def test_who_has_no_account_by_law_gets_no_row(region: Region) -> None:
    pool_only, left, later = region.person(), region.person(), region.person()
    region.relation(pool_only, account_kind="pool_only")
    region.relation(left, ends=date(2024, 7, 15), cause="resigned")
    region.relation(later, begins=date(2024, 8, 1))
    for psn_no in (pool_only, left, later):
        region.due(psn_no, JULY, base=BASE)
    done = credit(region)
    assert (done.credited, done.held) == (0, 0)
    assert region.fetch("select from personal_accounts.credit") == []


Plant = Callable[[Region], str]
Repair = Callable[[Region, str], None]


def _card_changed(region: Region) -> str:
    psn_no = employee(region, card="NEW1")
    channel(region, psn_no, card_no="OLD1")
    return psn_no


def _card_not_active(region: Region) -> str:
    psn_no = employee(region, card="N2")
    channel(region, psn_no, card_no="N2", is_active=False)
    return psn_no


def _old_card(region: Region) -> str:
    psn_no = employee(region, card="O3")
    channel(region, psn_no, card_no="O3", has_finance=False)
    return psn_no


def _offsite(region: Region) -> str:
    psn_no = retiree(region)
    channel(region, psn_no, "bank")
    return psn_no


def _lump(region: Region) -> str:
    psn_no = retiree(region)
    region.execute(
        "insert into enrolment.retirement (psn_no, approved_on, admdvs, needed_total, needed_actual, total_months, "
        "actual_months, short_months, completion, rules, relation_id, recorded_at) "
        "values ($1, '2024-06-20', $2, 360, 120, 350, 200, 10, 'lump', '{}', 'r', now())", psn_no, REGION)
    region.due(psn_no, date(2024, 7, 1), base=BASE, kind="lump", months=10, state="sent")
    return psn_no


def _double(region: Region) -> str:
    psn_no = employee(region)
    region.relation(psn_no, insutype="390", psn_type="1501", kind="resident", ends=date(2024, 12, 1), status="4")
    return psn_no


def _late_dues(region: Region) -> str:
    psn_no = employee(region)
    region.execute("update contributions.due set state = 'paid' where psn_no = $1", psn_no)
    return psn_no


def _no_dues(region: Region) -> str:
    psn_no = region.person()
    region.relation(psn_no)
    return psn_no


def _died(region: Region) -> str:
    psn_no = employee(region)
    region.execute("update people.person set died_on = '2024-06-30' where psn_no = $1", psn_no)
    return psn_no


def by(sql: str) -> Repair:
    return lambda region, psn_no: region.execute(sql, psn_no)


_TABLE = "update personal_accounts.channel set"
FAMILIES: dict[str, tuple[Plant, Repair, int]] = {
    # What was reported after real cut-overs.
    "CARD_NOT_MATCHED": (_card_changed, by(f"{_TABLE} card_no = 'NEW1' where psn_no = $1"), TWO_PERCENT),
    "CARD_NOT_ACTIVE": (_card_not_active, by(f"{_TABLE} is_active = true where psn_no = $1"), TWO_PERCENT),
    "LUMP_NOT_MATCHED": (
        _lump, by("update contributions.due set state = 'arrived' where psn_no = $1 and kind = 'lump'"), BELOW_70),
    "OFFSITE_BANK_MISSING": (_offsite, by(f"{_TABLE} bank_account = '62001' where psn_no = $1"), BELOW_70),
    "DOUBLE_MONTH": (
        _double, by("delete from enrolment.relation where psn_no = $1 and insutype = '390'"), TWO_PERCENT),
    "RETIRED_REMOVED": (
        lambda region: retiree(region, ends=date(2024, 6, 1), status="4", cause="dismissed"),
        by("update enrolment.relation set paused_on = null, status = '1', end_cause = '' where psn_no = $1"), BELOW_70),
    "RETIREE_PAUSED": (
        lambda region: retiree(region, status="2"), by("update enrolment.relation set status = '1' where psn_no = $1"),
        BELOW_70),
    "NO_FINANCIAL_ACCOUNT": (_old_card, by(f"{_TABLE} has_finance = true where psn_no = $1"), TWO_PERCENT),
    # What follows from the dues.
    "DUES_NOT_ARRIVED": (
        _late_dues, by("update contributions.due set state = 'arrived' where psn_no = $1"), TWO_PERCENT),
    "BASE_MISSING": (_no_dues, lambda region, psn_no: region.due(psn_no, JULY, base=BASE), TWO_PERCENT),
    "DIED": (_died, by("update people.person set died_on = null where psn_no = $1"), TWO_PERCENT),
}


def test_the_families_are_planted_reported_by_reason_and_repaired_by_a_re_run(region: Region) -> None:
    well = [employee(region) for _ in range(4)]
    planted = {reason: plant(region) for reason, (plant, _, _) in FAMILIES.items()}
    first = credit(region)
    assert (first.run_no, first.credited, first.credited_fen) == (1, 4, 4 * TWO_PERCENT)
    assert first.reasons == dict.fromkeys(FAMILIES, 1)
    held = region.run(lambda tx: list_held(tx, admdvs=REGION, month=JULY))
    assert {h.reason: h.psn_no for h in held} == planted
    assert all(not region.balance(p) for p in planted.values())

    for reason, (_, repair, _) in FAMILIES.items():
        repair(region, planted[reason])
    second = credit(region, on=date(2024, 7, 25))
    assert (second.run_no, second.credited, second.held) == (2, len(FAMILIES), 0)
    for reason, (_, _, amount) in FAMILIES.items():
        assert region.balance(planted[reason]) == amount, reason

    third = credit(region, on=date(2024, 7, 26))
    assert (third.run_no, third.credited, third.credited_fen) == (3, 0, 0)
    assert [region.balance(p) for p in well] == [TWO_PERCENT] * 4
    assert len(region.fetch("select from ledger.posting where kind = 'account_credit'")) == 4 + len(FAMILIES)
    assert region.breaches() == []


def test_one_at_a_time_each_family_hides_no_other(region: Region) -> None:
    for reason, (plant, _, _) in FAMILIES.items():
        psn_no = plant(region)
        credit(region)
        held = region.fetch("select reason from personal_accounts.credit where psn_no = $1", psn_no)
        assert [row[0] for row in held] == [reason]


def test_somebody_who_is_owed_nothing_any_more_is_dropped(region: Region) -> None:
    psn_no = _no_dues(region)
    assert credit(region).reasons == {"BASE_MISSING": 1}
    region.execute("update enrolment.relation set paused_on = '2024-06-15', status = '4', end_cause = 'resigned'")
    done = credit(region)
    assert (done.held, done.dropped, region.balance(psn_no)) == (0, 1, None)


def test_back_months_are_credited_when_their_dues_arrive(region: Region) -> None:
    late, joined_back = employee(region), region.person()
    region.execute("update contributions.due set state = 'sent' where psn_no = $1", late)
    credit(region)
    credit(region, AUGUST, on=date(2024, 8, 20))
    region.arrive(late, JULY)
    # Enrolled in August for July: nobody had a row of July for this person.
    region.relation(joined_back, begins=JULY)
    region.due(joined_back, JULY, base=BASE, kind="back")
    done = region.batch(lambda db: credit_arrears(
        db, admdvs=REGION, before=AUGUST, now=noon(date(2024, 8, 28)), shelf=region.shelf))
    assert isinstance(done, list)
    assert [(d.month, d.credited) for d in done] == [(JULY, 2)]
    assert region.balance(late) == region.balance(joined_back) == TWO_PERCENT
    posted = region.fetch("select posted_at from ledger.posting where psn_no = $1 and posting_id = 'cr-202407'", late)
    assert posted[0][0] == noon(date(2024, 8, 28))


def test_a_years_due_is_credited_month_by_month(region: Region) -> None:
    psn_no = region.person()
    region.relation(psn_no, kind="flexible")
    region.due(psn_no, date(2024, 1, 1), base=BASE, months=12)
    for month in (JULY, AUGUST):
        credit(region, month, on=date(2024, 8, 20))
    assert region.balance(psn_no) == 2 * TWO_PERCENT


def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(region: Region) -> None:
    people = [employee(region) for _ in range(7)]

    class Killed(Exception):
        """Stands for a process that ends between two chunks."""

    def die(line: str) -> None:
        raise Killed(line)

    for _ in range(2):
        with pytest.raises(Killed):
            region.batch(lambda db: credit_month(db, admdvs=REGION, month=JULY, now=noon(date(2024, 7, 20)), shelf=region.shelf,
                                                 progress=die, chunk=3))
    assert sum(region.balance(p) is not None for p in people) == 3
    done = credit(region)
    assert (done.run_no, done.credited, done.credited_fen) == (1, 7, 7 * TWO_PERCENT)
    runs = region.fetch("select run_no, credited from personal_accounts.credit_run where ended_at is not null")
    assert [tuple(row) for row in runs] == [(1, 7)]
    assert [region.balance(p) for p in people] == [TWO_PERCENT] * 7
    assert region.breaches() == []


def test_two_runs_at_once_credit_nobody_twice(region: Region) -> None:
    import asyncio

    people = [employee(region) for _ in range(12)]

    async def both(db: object) -> None:
        await asyncio.gather(*(credit_month(db, admdvs=REGION, month=JULY, now=noon(date(2024, 7, 20)),  # type: ignore[arg-type]
                                            shelf=region.shelf, chunk=2) for _ in range(2)))

    region.batch(both)
    assert [region.balance(p) for p in people] == [TWO_PERCENT] * 12
    assert region.breaches() == []


def test_nothing_is_posted_into_a_closed_month(region: Region) -> None:
    psn_no = employee(region)
    region.execute(
        "insert into closing.month (admdvs, month, state, revision, postings, digest, closed_by, closed_at) "
        "values ($1, '2024-07-01', 'closed', 1, 0, '', 'somebody', now())", REGION)
    answer = region.batch(lambda db: credit_month(
        db, admdvs=REGION, month=JULY, now=noon(date(2024, 7, 31)), shelf=region.shelf))
    assert isinstance(answer, Refusal)
    # The month itself may still be credited: its money is posted in the open one.
    assert credit(region, on=date(2024, 8, 2)).credited == 1
    assert region.balance(psn_no) == TWO_PERCENT
    region.execute("delete from closing.month")


def test_months_not_begun_and_days_that_are_no_month_are_refused(region: Region) -> None:
    for month in (date(2024, 8, 1), date(2024, 7, 2)):
        answer = region.batch(lambda db, month=month: credit_month(  # type: ignore[misc]
            db, admdvs=REGION, month=month, now=noon(date(2024, 7, 20)), shelf=region.shelf))
        assert isinstance(answer, Refusal)
