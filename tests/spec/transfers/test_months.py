"""Months are sets: whatever runs a sheet has and whatever counted before, every month counts once."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from yibao.domains.transfers.model import Run, Sheet
from yibao.domains.transfers.rules import months_of, runs_of, split_counted


def month(number: int) -> date:
    return date(2015 + number // 12, number % 12 + 1, 1)


SPANS = st.lists(st.tuples(st.integers(0, 119), st.integers(1, 30)), max_size=6)


@given(SPANS, st.sets(st.integers(0, 149), max_size=40))
def test_what_is_new_and_what_was_counted_before(spans: list[tuple[int, int]], own: set[int]) -> None:
    """The plain way: walk the months one by one with a set of numbers."""
    runs = [Run(month(first), month(first + count), "510100") for first, count in spans]
    sheet = Sheet("", "01", "", "310", runs, 0, 0, None, date(2030, 1, 1))
    seen, new, over = set(own), set(), 0
    for first, count in spans:
        for number in range(first, first + count):
            if number in seen:
                over += 1
            else:
                seen.add(number)
                new.add(number)
    fresh, told = split_counted(sheet, {month(n) for n in own})
    assert told == over
    assert months_of(fresh) == {month(n) for n in new}
    assert sum(len(months_of([run])) for run in fresh) == len(new), "no month stands in two runs"


@given(st.sets(st.integers(0, 149)))
def test_runs_have_no_gaps_and_lose_nothing(numbers: set[int]) -> None:
    months = {month(n) for n in numbers}
    runs = runs_of(months, admdvs="370300")
    assert months_of(runs) == months
    assert all(a.until_month < b.first_month for a, b in pairwise(runs))
