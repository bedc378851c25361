"""Generated bills against naive readings of three tables: pairs of a day, times a day, times in a period.

The naive readers take the CSV rows as they are and share nothing with the engine but the facts.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.review.charges import DATA, ELSEWHERE, HERE, at, book, charge, judged
from yibao.kernel.business_time import business_date
from yibao.policy.review.facts import Charge

with (DATA / "service_rules.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))
PAIRS = {(r["item_code"], r["other_code"]) for r in ROWS if r["kind"] == "duplicate_charge" and r["value"] == "单日"}
DAILY = {r["item_code"]: int(r["value"]) for r in ROWS if r["kind"] == "frequency"}
PERIOD = {r["item_code"]: int(r["period"][:-1]) for r in ROWS if r["kind"] == "period_frequency"}
SOME = sorted({c for pair in sorted(PAIRS)[:12] for c in pair} | set(list(DAILY)[:6]) | set(PERIOD))


@st.composite
def bills(draw: st.DrawFn) -> tuple[list[Charge], list[Charge]]:
    """Draw a bill here, and a history here and elsewhere."""
    def one(institution: str, visit: str) -> Charge:
        return charge(
            draw(st.sampled_from(SOME)), at(draw(st.integers(1, 28)), draw(st.integers(0, 23))),
            times=draw(st.integers(1, 3)), institution=institution, visit=visit,
        )

    bill = [one(HERE, "V1") for _ in range(draw(st.integers(1, 8)))]
    history = [one(draw(st.sampled_from((HERE, ELSEWHERE))), "V0") for _ in range(draw(st.integers(0, 4)))]
    return bill, history


def naive_pairs(bill: list[Charge], history: list[Charge]) -> set[str]:
    here = [*bill, *(c for c in history if c.fixmedins_code == HERE)]
    return {
        f"R01-{a.item_code}-{b.item_code}"
        for a in here for b in here
        if (a.item_code, b.item_code) in PAIRS and business_date(a.at) == business_date(b.at)
        and (a.mdtrt_id == "V1" or b.mdtrt_id == "V1")
    }


def naive_daily(bill: list[Charge], history: list[Charge]) -> dict[str, int]:
    """Return what each item is charged too much, summed over its days: no more than the bill itself has that day."""
    total: dict[tuple[str, object], int] = defaultdict(int)
    mine: dict[tuple[str, object], int] = defaultdict(int)
    for c in [*bill, *history]:
        if c.item_code in DAILY and c.fixmedins_code == HERE:
            key = (c.item_code, business_date(c.at))
            total[key] += c.quantity_e4
            mine[key] += c.quantity_e4 if c.mdtrt_id == "V1" else 0
    over: dict[str, int] = defaultdict(int)
    for (code, day), quantity in total.items():
        over[code] += min(mine[code, day], max(0, quantity - DAILY[code] * 10_000))
    return {code: quantity for code, quantity in over.items() if quantity}


def naive_period(bill: list[Charge], history: list[Charge]) -> set[str]:
    """Return the items of which some window of the period holds more than one unit, one of them on the bill."""
    def broken(code: str, days: int) -> bool:
        of_item = [c for c in [*bill, *history] if c.item_code == code]
        for first in of_item:
            near = [c for c in of_item if timedelta(0) <= business_date(c.at) - business_date(first.at) < timedelta(days=days)]
            if sum(c.quantity_e4 for c in near) > 10_000 and any(c.mdtrt_id == "V1" for c in near):
                return True
        return False

    return {code for code, days in PERIOD.items() if broken(code, days)}


@settings(max_examples=300)
@given(bills())
def test_the_engine_says_what_a_naive_reader_of_the_rows_says(drawn: tuple[list[Charge], list[Charge]]) -> None:
    bill, history = drawn
    hits = judged(*bill, history=tuple(history))
    pairs = {h.rule_id for h in hits if h.kind == "duplicate_charge"}
    of_other_windows = {p for p in pairs if tuple(p.split("-")[1:]) not in PAIRS}
    assert pairs - of_other_windows == naive_pairs(bill, history)
    daily = {h.rule_id[4:]: sum(b.quantity_e4 for b in h.broken) for h in hits if h.kind == "frequency"}
    assert daily == naive_daily(bill, history)
    assert {h.rule_id[4:] for h in hits if h.kind == "period_frequency"} == naive_period(bill, history)


def test_no_charge_breaks_a_rule_by_more_than_itself() -> None:
    random = Random(7)
    for _ in range(200):
        bill = [charge(random.choice(SOME), at(random.randint(1, 28)), times=random.randint(1, 3)) for _ in range(12)]
        for hit in judged(*bill):
            for b in hit.broken:
                assert 0 < b.quantity_e4 <= b.charge.quantity_e4
                assert b.amount_fen is None or 0 <= b.amount_fen <= b.charge.amount_fen


def _busy_items() -> Iterator[str]:
    """Yield the 30 services that most rules are about."""
    named: dict[str, int] = defaultdict(int)
    for row in ROWS:
        named[row["item_code"]] += 1
        named[row["other_code"]] += 1
    del named[""]
    yield from sorted(named, key=lambda code: -named[code])[:30]


def test_thirty_busy_lines_beside_a_long_history_take_milliseconds() -> None:
    bill = [charge(code, at(20, n % 24)) for n, code in enumerate(_busy_items())]
    history = tuple(charge(c.item_code, at(1 + n % 28), visit="V0") for n, c in enumerate(bill * 10))
    book()
    best = min(_seconds(bill, history) for _ in range(5))
    # A few ms on an idle machine; the bound leaves room for a busy one and still refuses a walk over all rules.
    assert best < 0.05, f"{best * 1000:.1f} ms"


def _seconds(bill: list[Charge], history: tuple[Charge, ...]) -> float:
    begin = time.perf_counter()
    judged(*bill, history=history)
    return time.perf_counter() - begin
