"""When the law changes backwards: what it touches is listed to the fen, and settled again in the order of service.

All figures are worked by hand. The visit costs 1287.52, of which 19.65 is paid first and 1267.87 is in scope; the
institution is of level 2: a deductible of 500 a year, then 70 %, at most 4500 a year. The change makes it 75 %.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.support.till import Refused, Till
from yibao.entrypoints.cli.main import app
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.resettlement.list_affected import Affected, AffectedYear, list_affected
from yibao.usecases.resettlement.resettle_person import Resettled, resettle_person
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

T = TypeVar("T")
Patient = dict[str, Any]
Texts = dict[str, dict[str, str]]

POOL = "310100"
OLD_ROW = 'when = { level = "2" }, value = "70%", clause = "在职职工，二级"'
TODAY = business_date(SystemClock().now())
TABLES = ("settlements.settlement", "settlements.counter", "ledger.posting", "ledger.personal_account",
          "platform.message", "platform.audit_entry", "platform.policy_version")


def law_with(ratio: str) -> Texts:
    """Return the packaged law with another ratio for employees at hospitals of level 2."""
    texts = {region: dict(files) for region, files in read_policy_files().items()}
    file = "10-employee-outpatient.toml"
    assert texts["370300"][file].count(OLD_ROW) == 1
    texts["370300"][file] = texts["370300"][file].replace(OLD_ROW, OLD_ROW.replace("70%", ratio))
    return texts


def shelf_of(texts: Texts) -> PolicyShelf:
    return PolicyShelf({region: load_policy(files) for region, files in texts.items()})


def inside(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run some work in one transaction of the owner; a refusal rolls it back as an error does."""

    async def run() -> T:
        connection = await asyncpg.connect(url)
        try:
            transaction = connection.transaction()
            await transaction.start()
            try:
                done = await work(connection)
            except BaseException:
                await transaction.rollback()
                raise
            await (transaction.rollback() if isinstance(done, Refusal) else transaction.commit())
            return done
        finally:
            await connection.close()

    return asyncio.run(run())


def affected_by(url: str, texts: Texts, *, since: date | None = None, rule: str = "") -> Affected:
    answer = inside(url, lambda tx: list_affected(
        tx, admdvs="370300", since=since or TODAY - timedelta(days=10), shelf=shelf_of(texts), rule=rule))
    assert isinstance(answer, Affected), answer
    return answer


def years_of(affected: Affected, patient: Patient) -> list[AffectedYear]:
    return [year for year in affected.persons if year.psn_no == patient["psn_no"]]


def resettle(
    url: str, patient: Patient, texts: Texts, *, year: int = TODAY.year, dry_run: bool = False, ids: Any = None,
    shelf: PolicyShelf | None = None,
) -> Resettled | Refusal:
    return inside(url, lambda tx: resettle_person(
        tx, psn_no=patient["psn_no"], year=year, operator="张复核", shelf=shelf or shelf_of(texts), texts=texts,
        clock=SystemClock(), ids=ids or RandomIds(), dry_run=dry_run))


def books(url: str) -> dict[str, list[str]]:
    """Return everything that money rests on, row by row."""

    async def look(tx: asyncpg.Connection) -> dict[str, list[str]]:
        return {t: [r[0] for r in await tx.fetch(f"select x::text from {t} x order by 1")] for t in TABLES}

    return inside(url, look)


def rows_of(url: str, patient: Patient) -> dict[str, asyncpg.Record]:
    async def look(tx: asyncpg.Connection) -> list[asyncpg.Record]:
        return await tx.fetch("select * from settlements.settlement where psn_no = $1", patient["psn_no"])

    return {row["setl_id"]: row for row in inside(url, look)}


def money_of(url: str, patient: Patient) -> tuple[int, dict[str, int]]:
    """Return the balance and this year's counters, fen."""

    async def look(tx: asyncpg.Connection) -> tuple[int, dict[str, int]]:
        used = await tx.fetch(
            "select code, used_fen from settlements.counter where psn_no = $1 and year = $2", patient["psn_no"], TODAY.year)
        balance: int = await tx.fetchval(
            "select balance_fen from ledger.personal_account where psn_no = $1", patient["psn_no"])
        return balance, {row["code"]: row["used_fen"] for row in used}

    return inside(url, look)


def breaches(url: str) -> list[Any]:
    async def check() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [f for f in await verify_books(connection) if f.breaches]
        finally:
            await connection.close()

    return asyncio.run(check())


def settle_on(till: Till, patient: Patient, visit: Mapping[str, Any], day: date) -> str:
    """Drive a whole visit that began on a day and return the settlement's id."""
    begin = f"{day} 08:30:00"
    mdtrt_id = till.register(patient, begin=begin)
    till.record(patient, visit, mdtrt_id, begin=begin)
    till.upload(patient, visit, mdtrt_id, begin=begin)
    done = till.call("2207", till.bill(patient, visit, mdtrt_id), insured_place=patient["insuplc_admdvs"])
    return str(done["setlinfo"]["setl_id"])


@pytest.fixture(scope="module")
def changed() -> Texts:
    return law_with("75%")


@pytest.fixture(scope="module")
def counter(till_for: Callable[..., Till]) -> Iterator[Till]:
    opened = till_for()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def people(world: dict[str, Any]) -> dict[str, Patient]:
    return {p["story"]: p for p in world["patients"]}


@pytest.fixture(scope="module")
def patient(people: dict[str, Patient]) -> Patient:
    return people["zb-active-over-deductible"]


@pytest.fixture(scope="module")
def six(counter: Till, patient: Patient) -> list[str]:
    """Settle the visit six times: the last one meets the yearly ceiling."""
    return [counter.settle(patient, patient["visit"])["setlinfo"]["setl_id"] for _ in range(6)]


def test_the_list_says_what_comes_out_differently_to_the_fen(
    six: list[str], patient: Patient, changed: Texts, world_url: str
) -> None:
    before = books(world_url)
    listed = affected_by(world_url, changed)
    (year,) = years_of(listed, patient)
    assert [s.setl_id for s in year.settlements] == six
    # (1267.87 − 500) × 70 % = 537.51, × 75 % = 575.90; 1267.87 × 70 % = 887.51, × 75 % = 950.90.
    # Sixth: the ceiling left 4500 − 4087.55 = 412.45, it leaves 4500 − 4379.50 = 120.50.
    funds = [3839, 6339, 6339, 6339, 6339, -29195]
    differences = [s.difference for s in year.settlements]
    assert [d and d.funds for d in differences] == [{POOL: f} for f in funds]
    # The account had 2600.00 and pays what the pool does not; what it saved pays more of the last bill.
    assert [d and d.account for d in differences] == [-f for f in funds]
    assert [d and d.cash for d in differences] == [0] * 6
    assert (year.difference.fund_total, year.difference.funds, year.difference.account) == (0, {}, 0)
    assert [s.by_law for s in year.settlements] == [True] * 5 + [False], "the last one only follows the counters"
    assert listed.difference.fund_total == sum(y.difference.fund_total for y in listed.persons)
    assert books(world_url) == before


def test_nothing_is_listed_of_other_days_rules_or_under_the_same_law(
    six: list[str], patient: Patient, changed: Texts, world_url: str
) -> None:
    assert affected_by(world_url, changed, since=TODAY + timedelta(days=1)).persons == []
    assert affected_by(world_url, read_policy_files()).checked == 0
    assert years_of(affected_by(world_url, changed, rule="ZB-203"), patient)
    assert affected_by(world_url, changed, rule="ZB-306").persons == [], "nobody here has anti-rejection therapy"


def test_a_law_that_does_not_know_the_day_is_listed_with_its_reason(
    six: list[str], patient: Patient, world_url: str
) -> None:
    later = {region: dict(files) for region, files in read_policy_files().items()}
    file, since = "10-employee-outpatient.toml", 'value = "ordinary_outpatient", from = 2023-01-01'
    assert later["370300"][file].count(since) == 1
    later["370300"][file] = later["370300"][file].replace(since, since.replace("2023", "2090"))
    (year,) = years_of(affected_by(world_url, later), patient)
    assert [(s.setl_id, s.difference) for s in year.settlements] == [(setl_id, None) for setl_id in six]
    assert all("待遇" in s.reason for s in year.settlements), year.settlements[0].reason


def test_a_list_by_an_unknown_rule_is_refused(six: list[str], changed: Texts, world_url: str) -> None:
    answer = inside(world_url, lambda tx: list_affected(
        tx, admdvs="370300", since=TODAY, shelf=shelf_of(changed), rule="ZB-0"))
    assert isinstance(answer, Refusal)
    assert answer.code == "RULE_NOT_FOUND"


def test_the_command_lists_the_same(
    six: list[str], patient: Patient, changed: Texts, world_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for region, files in changed.items():
        (tmp_path / region).mkdir()
        for name, text in files.items():
            (tmp_path / region / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("YIBAO_DATABASE_URL", world_url)
    asked = ["policy", "affected", "370300", "--since", f"{TODAY}", "--files", str(tmp_path)]
    told = CliRunner().invoke(app, [*asked, "--json"])
    assert told.exit_code == 0, told.output
    (year,) = [y for y in json.loads(told.stdout)["persons"] if y["psn_no"] == patient["psn_no"]]
    assert [s["difference"]["funds"][POOL] for s in year["settlements"]] == [3839, 6339, 6339, 6339, 6339, -29195]
    shown = CliRunner().invoke(app, asked)
    assert "+38.39" in shown.output
    assert "累计随之变" in shown.output


def test_a_dry_run_tells_all_and_changes_nothing(
    six: list[str], patient: Patient, changed: Texts, world_url: str
) -> None:
    before = books(world_url)
    told = resettle(world_url, patient, changed, dry_run=True)
    assert isinstance(told, Resettled), told
    assert [(s.setl_id, s.difference.fund_total) for s in told.settlements] == list(
        zip(six, [3839, 6339, 6339, 6339, 6339, -29195], strict=True))
    assert {(s.refund_id, s.new_setl_id) for s in told.settlements} == {("", "")}
    assert books(world_url) == before


def test_what_fails_halfway_leaves_nothing_behind(
    six: list[str], patient: Patient, changed: Texts, world_url: str
) -> None:
    class Breaking(RandomIds):
        left = 8

        def new(self, at: datetime) -> str:
            self.left -= 1
            if self.left < 0:
                raise OSError("no more ids")
            return super().new(at)

    before = books(world_url)
    with pytest.raises(OSError, match="no more ids"):
        resettle(world_url, patient, changed, ids=Breaking())
    assert books(world_url) == before


def test_without_a_law_it_is_refused(six: list[str], patient: Patient, changed: Texts, world_url: str) -> None:
    before = books(world_url)
    answer = resettle(world_url, patient, changed, shelf=PolicyShelf({}))
    assert isinstance(answer, Refusal)
    assert answer.code == "LAW_REFUSES"
    assert "没有该参保地的待遇政策" in answer.sentence()
    assert books(world_url) == before


def test_a_year_is_settled_again_and_everything_adds_up(
    six: list[str], patient: Patient, changed: Texts, world_url: str, counter: Till
) -> None:
    done = resettle(world_url, patient, changed)
    assert isinstance(done, Resettled), done
    held = rows_of(world_url, patient)
    assert len(held) == 18, "six settlements, six refunds, six new settlements"
    new = [held[s.new_setl_id] for s in done.settlements]
    assert [s.setl_id for s in done.settlements] == six
    assert [n["hifp_fen"] for n in new] == [57590, 95090, 95090, 95090, 95090, 12050]
    assert [n["deductible_fen"] for n in new] == [50000, 0, 0, 0, 0, 0]
    # Person's part: 711.62, four times 336.62, 1167.02; the account's 2600.00 last until the sixth.
    assert [n["account_fen"] for n in new] == [71162, 33662, 33662, 33662, 33662, 54190]
    assert [n["cash_fen"] for n in new] == [0, 0, 0, 0, 0, 62512]
    assert money_of(world_url, patient) == (
        0, {"ordinary_outpatient.deductible": 50000, "ordinary_outpatient.pool": 450000})
    for told in done.settlements:
        old, refund, again = held[told.setl_id], held[told.refund_id], held[told.new_setl_id]
        assert (old["state"], refund["kind"], refund["origin_id"]) == ("reversed", "refund", old["setl_id"])
        for same in ("mdtrt_id", "chrg_bchno", "fixmedins_code", "service_on", "medfee_fen", "account_use", "invono"):
            assert again[same] == old[same]
        assert again["opter"] == refund["opter"] == "张复核"
        assert again["settled_at"] > refund["settled_at"] > old["settled_at"]
        assert again["msgid"] == f"RESETTLE-{told.new_setl_id}"
    assert [n["settled_at"] for n in new] == sorted(n["settled_at"] for n in new)
    assert breaches(world_url) == []


def test_a_second_run_finds_nothing_to_do(six: list[str], patient: Patient, changed: Texts, world_url: str) -> None:
    before = books(world_url)
    done = resettle(world_url, patient, changed)
    assert isinstance(done, Resettled), done
    assert done.settlements == ()
    assert years_of(affected_by(world_url, changed), patient) == []
    assert books(world_url) == before


def test_the_hospital_sees_the_new_settlement_and_may_cancel_it(
    six: list[str], patient: Patient, world_url: str, counter: Till
) -> None:
    last = max((r for r in rows_of(world_url, patient).values() if r["state"] == "active" and r["kind"] == "settlement"),
               key=lambda r: r["settled_at"])
    names = {k: last[k] for k in ("setl_id", "mdtrt_id", "psn_no")}
    told = counter.call("5203", {"data": names})["setlinfo"]
    # What the hospital once sent is settled anew in its stead: to reverse its own message would miss that.
    same_visit = [r for r in rows_of(world_url, patient).values() if r["mdtrt_id"] == last["mdtrt_id"]]
    first = next(r for r in same_visit if r["state"] == "reversed")
    with pytest.raises(Refused, match=last["setl_id"]):
        counter.call("2601", {"data": {"psn_no": last["psn_no"], "omsgid": first["msgid"], "oinfno": "2207"}})
    assert (told["fund_pay_sumamt"], told["acct_pay"], told["psn_cash_pay"]) == (120.5, 541.9, 625.12)
    counter.call("2208", {"data": names})
    assert money_of(world_url, patient) == (
        54190, {"ordinary_outpatient.deductible": 50000, "ordinary_outpatient.pool": 437950})
    assert breaches(world_url) == []


def two_days() -> tuple[date, date]:
    """Return two days of one year, the later one before today."""
    last = TODAY - timedelta(days=1)
    if last.year != (last - timedelta(days=1)).year:
        last -= timedelta(days=1)
    return last - timedelta(days=1), last


def test_bills_that_came_in_late_are_settled_again_in_the_order_of_service(
    counter: Till, people: dict[str, Patient], patient: Patient, changed: Texts, world_url: str
) -> None:
    other = people["zb-active-first"]
    early, late = two_days()
    visits = {day: settle_on(counter, other, patient["visit"], day) for day in (late, early)}
    done = resettle(world_url, other, changed, year=late.year)
    assert isinstance(done, Resettled), done
    assert [s.setl_id for s in done.settlements] == [visits[early], visits[late]]
    held = rows_of(world_url, other)
    new = [held[s.new_setl_id] for s in done.settlements]
    # The earlier visit bears the deductible now: 575.90 instead of 887.51; the later one 950.90 instead of 537.51.
    assert [(n["deductible_fen"], n["hifp_fen"]) for n in new] == [(50000, 57590), (0, 95090)]
    assert [s.difference.fund_total for s in done.settlements] == [-31161, 41339]
    # The account had 320.00 when the later visit was settled and nothing after it: so it stays.
    assert [n["account_fen"] for n in new] == [0, 32000]
    assert done.difference.fund_total == 3839 + 6339
    assert breaches(world_url) == []


def test_an_account_that_was_spent_since_refuses(
    counter: Till, people: dict[str, Patient], patient: Patient, world_url: str
) -> None:
    other = people["zb-chronic-hypertension"]
    counter.settle(other, patient["visit"])  # 537.51; 750.01 of the 800.00 in the account
    settle_on(counter, other, patient["visit"], date(TODAY.year - 1, 12, 20))  # takes the rest, for another year
    worse = law_with("60%")  # 460.72: the person bears 826.80, the account 800.00 as then, but it gets back 750.01 only
    before = books(world_url)
    answer = resettle(world_url, other, worse)
    assert isinstance(answer, Refusal), answer
    assert answer.code == "BALANCE_TOO_LOW"
    assert "差49.99元" in answer.sentence()
    assert books(world_url) == before


def test_a_counter_that_settles_meanwhile_waits_its_turn(
    till_for: Callable[..., Till], people: dict[str, Patient], patient: Patient, changed: Texts, world_url: str
) -> None:
    other = people["zb-active-registration"]
    tills = [till_for(index=index) for index in (0, 0)]
    bills = [[till.prepare(other, patient["visit"]) for _ in range(2)] for till in tills]
    tills[0].settle(other, patient["visit"])

    def settle(till: Till, mine: list[dict[str, Any]]) -> list[Any]:
        return [till.call("2207", bill, insured_place=other["insuplc_admdvs"]) for bill in mine]

    with ThreadPoolExecutor(len(tills)) as pool:
        running = [pool.submit(settle, till, mine) for till, mine in zip(tills, bills, strict=True)]
        done = [resettle(world_url, other, changed) for _ in range(3)]
        assert all(len(each.result()) == 2 for each in running)
    for till in tills:
        till.close()
    assert all(isinstance(each, Resettled) for each in done), done
    assert isinstance(resettle(world_url, other, changed), Resettled)
    active = [r for r in rows_of(world_url, other).values() if r["kind"] == "settlement" and r["state"] == "active"]
    # Five bills of 1267.87 in scope, whoever came first: one deductible, then 75 %: 575.90 + 4 × 950.90.
    assert sum(r["hifp_fen"] for r in active) == 57590 + 4 * 95090
    assert money_of(world_url, other)[1] == {
        "ordinary_outpatient.deductible": 50000, "ordinary_outpatient.pool": 57590 + 4 * 95090}
    assert breaches(world_url) == []


def test_who_orders_it_and_for_whom_must_be_known(changed: Texts, world_url: str) -> None:
    nobody = resettle(world_url, {"psn_no": "37030099"}, changed)
    assert isinstance(nobody, Refusal)
    assert nobody.code == "PERSON_NOT_FOUND"
    unsigned = inside(world_url, lambda tx: resettle_person(
        tx, psn_no="37030099", year=TODAY.year, operator=" ", shelf=shelf_of(changed), texts=changed,
        clock=SystemClock(), ids=RandomIds()))
    assert isinstance(unsigned, Refusal)
    assert unsigned.code == "OPERATOR_MISSING"


def test_the_command_finds_nothing_where_the_law_has_not_changed(
    people: dict[str, Patient], world_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_DATABASE_URL", world_url)
    psn_no = people["zb-chronic-hypertension"]["psn_no"]
    asked = ["resettle", psn_no, "--year", str(TODAY.year), "--operator", "张复核", "--dry-run"]
    told = CliRunner().invoke(app, [*asked, "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["settlements"] == []
    assert "没有需要重新结算的结算" in CliRunner().invoke(app, asked).output
