"""``policy simulate``: a population's year under two laws adds up, holds yearly limits, and says why people pay otherwise."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from tests.spec.policy.cities import ZIBO, city_files
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.cli.policy_simulate import _makeup
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies import simulate_reform as simulating
from yibao.usecases.policies.reform_causes import case_of
from yibao.usecases.policies.reform_population import BLOCK, PERSON, Year, draw_year
from yibao.usecases.policies.simulate_reform import (
    MEMORY_BOUND,
    Reform,
    UnclearWindow,
    simulate_reform,
    windows_of,
)

OUTPATIENT = "10-employee-outpatient.toml"
SECOND_LEVEL = '{ rule = "ZB-203", when = { level = "2" }, value = "70%", clause = "在职职工，二级" }'
YEAR, SEED = 2027, 20_270_101


def second_level(ratio: str, since: str = "2027-01-01", until: str = "2026-12-31") -> str:
    """The outpatient file of Zibo with another ratio for level 2 from a day on."""
    text = city_files(ZIBO)[OUTPATIENT]
    assert SECOND_LEVEL in text
    rows = [
        SECOND_LEVEL.replace("70%", ratio).replace(", clause", f", from = {since}, clause"),
        SECOND_LEVEL.replace(", clause", f", to = {until}, clause"),
    ]
    return text.replace(SECOND_LEVEL, ",\n  ".join(rows))


def law(**changed: str) -> RegionPolicy:
    return load_policy({**city_files(ZIBO), **{name.replace("_", "-") + ".toml": text for name, text in changed.items()}})


def tried(before: RegionPolicy, after: RegionPolicy, persons: int, **more: Any) -> tuple[Reform, pl.DataFrame]:
    kept: list[pl.DataFrame] = []
    reform = simulate_reform(
        before, after, _makeup(ZIBO), persons=persons, year=YEAR, seed=SEED, keep=kept.append,
        progress=lambda done, of: None, **more,
    )  # fmt: skip
    return reform, pl.concat(kept)


@pytest.fixture(scope="module")
def raised() -> tuple[Reform, pl.DataFrame]:
    return tried(law(), load_policy({**city_files(ZIBO), OUTPATIENT: second_level("72%")}), 1500)


def year_of(persons: int) -> Year:
    return draw_year(_makeup(ZIBO), block=0, seed=SEED, year=YEAR, most=persons)


def test_every_year_sums_to_its_bills_by_fund_and_by_person(raised: tuple[Reform, pl.DataFrame]) -> None:
    reform, people = raised
    for side, place in (("before", 0), ("after", 1)):
        assert (people[f"fund_total_{side}"] + people[f"person_part_{side}"] == people["amount"]).all()
        assert (people[f"account_pay_{side}"] + people[f"cash_{side}"] == people[f"person_part_{side}"]).all()
        funds = [n for n in reform.funds if n not in simulating.SHARES]
        assert sum(reform.funds[n][place] for n in funds) + reform.funds["person_part"][place] == reform.amount
    assert reform.amount == people["amount"].sum() > 0
    assert reform.visits == people["clinic_visits"].sum() + people["stays"].sum()


def test_groups_add_up_to_everybody_in_every_grouping(raised: tuple[Reform, pl.DataFrame]) -> None:
    reform, people = raised
    for found in reform.groups.values():
        for name in ("persons", "amount", "before", "after", "winners", "won", "losers", "lost"):
            assert sum(getattr(g, name) for g in found.values()) == getattr(reform.everybody, name)
    every = reform.everybody
    assert every.persons == people.height == 1500
    assert every.after - every.before == every.lost - every.won
    assert every.winners == (people["change"] < 0).sum()
    assert sum(people for _, _, people in reform.spread) == 1500


def test_a_higher_ratio_for_employees_only_helps_employees(raised: tuple[Reform, pl.DataFrame]) -> None:
    reform, people = raised
    assert reform.everybody.winners > 0
    assert reform.everybody.losers == 0
    assert set(people.filter(pl.col("change") != 0)["insutype"]) == {"310"}


def test_the_same_year_decided_bill_by_bill_at_the_counter_comes_to_the_same_fen(
    raised: tuple[Reform, pl.DataFrame],
) -> None:
    """The third way: no columns, one person after the other, counters as the counter returns them."""
    _, people = raised
    year, policy = year_of(300), law()
    balances = year.people.balance.tolist()
    counters: list[dict[str, int]] = [{} for _ in balances]
    paid, account = [0] * len(balances), [0] * len(balances)
    for visit in year.visits.to_dicts():
        who = visit.pop(PERSON)
        case = case_of(visit, ZIBO, counters=counters[who], balance=balances[who] - account[who])
        decided = decide(case, policy, trace=False)
        assert isinstance(decided, Decision)
        paid[who] += decided.fund_total
        account[who] += decided.account_pay
        for change in decided.counters:
            counters[who][change.code] = counters[who].get(change.code, 0) + change.delta
    assert people["fund_total_before"][:300].to_list() == paid
    assert people["account_pay_before"][:300].to_list() == account
    assert max(account) > 0


def test_yearly_limits_hold_over_all_visits_of_a_person() -> None:
    """A pool that may pay 10 yuan a year pays 10 yuan a year, however many visits there are."""
    text = city_files(ZIBO)[OUTPATIENT].replace('value = "4500元"', 'value = "10元"').replace('"5500元"', '"10元"')
    year, policy = year_of(1000), load_policy({**city_files(ZIBO), OUTPATIENT: text})
    ordinary = year.visits.filter(pl.col("med_type").is_in(["11", "13"]) & (pl.col("insutype") == "310"))
    often = ordinary.group_by(PERSON).len().filter(pl.col("len") > 2)[PERSON]
    only = year.visits.filter(pl.col(PERSON).is_in(often.implode()))
    never_else = only.group_by(PERSON).agg(pl.col("med_type").is_in(["11", "13"]).all().alias("only"))
    chosen = never_else.filter("only")[PERSON].to_list()
    _, people = tried(law(), policy, 1000)
    paid = people["hifp_pay_after"].gather(chosen)
    assert len(chosen) > 20
    assert paid.max() == 1000


def test_people_are_the_same_whatever_their_number_and_the_size_of_a_chunk() -> None:
    few, many = year_of(50), year_of(120)
    assert few.visits.equals(many.visits.filter(pl.col(PERSON) < 50))
    after = load_policy({**city_files(ZIBO), OUTPATIENT: second_level("72%")})
    narrow = tried(law(), after, BLOCK + 100, at_once=BLOCK)
    wide = tried(law(), after, BLOCK + 100, at_once=2 * BLOCK)
    assert narrow[1].equals(wide[1])
    assert narrow[0] == wide[0]


def test_visits_come_in_order_of_service() -> None:
    year = year_of(2000)
    days = year.visits.group_by(PERSON, maintain_order=True).agg(pl.col("service_on"))
    assert all(on.to_list() == sorted(on.to_list()) for on in days["service_on"])
    assert year.visits["service_on"].dt.year().unique().to_list() == [YEAR]
    stays = year.visits.filter(pl.col("med_type") == "21")
    numbers = stays.group_by(PERSON, maintain_order=True).agg(pl.col("admission"))["admission"]
    assert all(n.to_list() == list(range(1, len(n) + 1)) for n in numbers)
    parts = year.visits.select(pl.sum_horizontal("own", "over", "first_pay", "in_scope")).to_series()
    assert (parts == year.visits["amount"]).all()


def test_every_kind_of_person_and_every_way_of_falling_ill_is_there() -> None:
    year = draw_year(_makeup(ZIBO), block=0, seed=SEED, year=YEAR)
    seen = {name: set(year.visits[name]) for name in ("psn_type", "level", "med_type", "insutype", "identities", "remote")}
    assert seen["psn_type"] >= {"1101", "1201", "1401", "1501", "1601"}
    assert seen["med_type"] == {"11", "13", "14", "21"}
    assert seen["level"] == {"1", "2", "3"}
    assert {"2303", "2304"} <= seen["identities"]
    assert (year.people.clinics + year.people.stays == 0).any()
    assert np.bincount(year.people.stays)[2] > 0


def test_the_largest_changes_name_the_changed_row_and_both_values(raised: tuple[Reform, pl.DataFrame]) -> None:
    reform, people = raised
    largest = reform.winners[0]
    assert largest.after - largest.before == people["change"].min()
    for winner in reform.winners:
        assert winner.cause.rules == ("ZB-203",)
        assert "70% → 72%" in winner.cause.sentence
        assert "二级" in winner.cause.visit
    changes = [w.after - w.before for w in reform.winners]
    assert changes == sorted(people["change"].to_list())[: len(changes)]


def test_a_lower_ratio_makes_losers_and_what_is_no_longer_granted_is_paid_by_the_person() -> None:
    lower, _ = tried(law(), load_policy({**city_files(ZIBO), OUTPATIENT: second_level("40%")}), 400)
    assert lower.everybody.winners == 0
    assert len(lower.losers) == 10
    assert all("70% → 40%" in loser.cause.sentence for loser in lower.losers)
    text = city_files(ZIBO)[OUTPATIENT].replace('"ordinary_outpatient", from = 2025-01-01', '"ordinary_outpatient", '
                                               'from = 2025-01-01, to = 2026-12-31')  # fmt: skip
    gone, people = tried(law(), load_policy({**city_files(ZIBO), OUTPATIENT: text}), 1000)
    assert gone.refused[0] == 0 < gone.refused[1]
    assert any("改后不予支付" in loser.cause.sentence for loser in gone.losers)
    assert (people["fund_total_after"] + people["person_part_after"] == people["amount"]).all()


def test_a_cause_is_a_row_that_moves_the_person_the_way_the_whole_year_does() -> None:
    first_level = 'when = { level = "1" }, value = "80%"'
    text = second_level("40%")
    assert first_level in text
    changed = text.replace(first_level, first_level.replace("80%", "85%"))
    both, _ = tried(law(), load_policy({**city_files(ZIBO), OUTPATIENT: changed}), 600)
    assert both.winners
    assert both.losers
    assert all("80% → 85%" in winner.cause.sentence for winner in both.winners)
    assert all("70% → 40%" in loser.cause.sentence for loser in both.losers)


def test_a_year_without_any_law_is_paid_by_the_people(tmp_path: Path) -> None:
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("72%"), encoding="utf-8")
    told = json.loads(run("--region", ZIBO, "--persons", 30, "--change", change, "--on", 2005, "--json").stdout)
    assert told["refused_visits"] == {"before": told["visits"], "after": told["visits"]}
    assert list(told["funds"]) == ["cash"]
    assert told["funds"]["cash"]["after"] == told["amount"]


def test_a_monthly_window_starts_anew_each_month_and_mixed_windows_are_refused() -> None:
    monthly = city_files(ZIBO)[OUTPATIENT].replace(
        'counter = "ordinary_outpatient.pool"', 'counter = "ordinary_outpatient.pool"\nwindow = "month"'
    )
    policy = load_policy({**city_files(ZIBO), OUTPATIENT: monthly.replace('value = "4500元"', 'value = "50元"')})
    with pytest.raises(UnclearWindow, match=r"ordinary_outpatient\.pool"):
        windows_of(policy, YEAR)  # residents still count it by the year
    renamed = {
        name: text.replace("ordinary_outpatient.pool", "ordinary_outpatient.month") if name == OUTPATIENT else text
        for name, text in {**city_files(ZIBO), OUTPATIENT: monthly.replace('value = "4500元"', 'value = "50元"')}.items()
    }
    policy = load_policy(renamed)
    assert windows_of(policy, YEAR)["ordinary_outpatient.month"] == "month"
    # The counter's replay inside asserts that columns and counter agree month by month.
    reform, people = tried(law(), policy, 3000)
    assert reform.losers
    active = people.filter((pl.col("person_class") == "职工医保在职职工") & (pl.col("stays") == 0))
    assert active["hifp_pay_after"].max() > 5000


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["policy", "simulate", *map(str, arguments)])


def test_the_verb_writes_summary_groups_people_and_charts(tmp_path: Path) -> None:
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("72%"), encoding="utf-8")
    out = tmp_path / "out"
    done = run("--region", ZIBO, "--persons", 800, "--change", change, "--out", out, "--json", "--on", YEAR)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout, parse_float=Decimal)
    assert told["persons"] == 800
    assert len(told["changes"]) == 1
    assert "由 70% 提高到 72%" in told["changes"][0]
    assert told["memory"]["bound_bytes"] == MEMORY_BOUND
    funds = sum(f["after"] for f in told["funds"].values())
    assert funds == told["amount"]
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["seed"] == told["seed"]
    rows = list(csv.DictReader((out / "persons.csv").read_text(encoding="utf-8-sig").splitlines()))
    parquet = pl.read_parquet(out / "persons.parquet")
    assert len(rows) == parquet.height == 800
    assert parquet["amount"].dtype.is_decimal()
    for field in ("amount", "hifp_pay_after", "change"):
        assert [Decimal(row[field]) for row in rows] == parquet[field].to_list()
    assert parquet["amount"].sum() == told["amount"]
    assert parquet["change"].sum() == told["everybody"]["after"] - told["everybody"]["before"]
    groups = list(csv.DictReader((out / "groups.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert sum(int(g["persons"]) for g in groups if g["grouping"] == "年龄") == 800
    for name in ("funds.svg", "groups.svg", "spread.svg"):
        ElementTree.fromstring((out / name).read_text(encoding="utf-8"))
    assert sorted(p.name for p in out.iterdir()) == [
        "funds.svg", "groups.csv", "groups.svg", "persons.csv", "persons.parquet", "spread.svg", "summary.json",
    ]  # fmt: skip


def test_the_year_is_the_one_in_which_the_change_begins(tmp_path: Path) -> None:
    later = date.today().year + 3  # noqa: DTZ011 - any later year will do
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("72%", f"{later}-01-01", f"{later - 1}-12-31"), encoding="utf-8")
    assert json.loads(run("--region", ZIBO, "--persons", 20, "--change", change, "--json").stdout)["year"] == later


def test_for_people_it_says_who_wins_and_why(tmp_path: Path) -> None:
    folder = tmp_path / ZIBO
    folder.mkdir()
    for name, text in {**city_files(ZIBO), OUTPATIENT: second_level("72%")}.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = run("--region", ZIBO, "--persons", 300, "--change", tmp_path, "--on", YEAR)
    assert done.exit_code == 0, done.output
    for word in ("统筹基金", "少付最多", "人员类别", "职工医保退休人员", "ZB-203", "虚构"):
        assert word in done.stdout


def test_a_change_that_does_not_load_is_refused_with_its_place(tmp_path: Path) -> None:
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("7200"), encoding="utf-8")
    done = run("--region", ZIBO, "--persons", 20, "--change", change, "--json")
    assert done.exit_code == 1
    assert OUTPATIENT in json.loads(done.stdout)["message"]
    (tmp_path / "empty").mkdir()
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for unreadable in (tmp_path / "empty", binary):
        refused = run("--region", ZIBO, "--persons", 20, "--change", unreadable, "--json")
        assert refused.exit_code == 2
        assert str(unreadable) in json.loads(refused.stdout)["message"]
    assert run("--region", "999999", "--persons", 20, "--change", change).exit_code == 1


def test_without_the_batch_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("72%"), encoding="utf-8")
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "polars" else known(name, *a))
    done = run("--region", ZIBO, "--change", change, "--json")
    assert done.exit_code == 2
    assert "yibao[batch]" in json.loads(done.stdout)["message"]


def test_the_command_line_starts_without_the_batch_extra() -> None:
    code = (
        "import sys; sys.modules['polars'] = sys.modules['numpy'] = None\n"
        "import yibao.entrypoints.cli.main"
    )  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


PEAK = """
import json, sys
from yibao.entrypoints.cli.main import app
sys.argv = ["yibao", *sys.argv[1:]]
from yibao.usecases.policies import simulate_reform
simulate_reform.PEOPLE_AT_ONCE = simulate_reform.BLOCK
simulate_reform.simulate_reform.__kwdefaults__["at_once"] = simulate_reform.BLOCK
app()
"""


def test_memory_does_not_grow_with_the_number_of_people(tmp_path: Path) -> None:
    """Three chunks need no more than one, but for what allocators keep; and both stay below the bound."""
    change = tmp_path / OUTPATIENT
    change.write_text(second_level("72%"), encoding="utf-8")
    peaks = []
    for persons in (BLOCK, 3 * BLOCK):
        arguments = ["policy", "simulate", "--region", ZIBO, "--persons", str(persons), "--change", str(change)]
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments, "--out", str(tmp_path / "out"), "--json", "--on", str(YEAR)],
            capture_output=True, check=True, timeout=300,
        )  # fmt: skip
        peaks.append(json.loads(done.stdout)["memory"]["peak_bytes"])
    assert peaks[1] - peaks[0] < 60_000_000
    assert peaks[1] < MEMORY_BOUND
