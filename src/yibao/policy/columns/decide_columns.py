"""Decides columns of bills: the plans and the steps of the counter, run on whole classes of bills at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.columns.arithmetic import AMOUNT_MAX, COLUMNS
from yibao.policy.columns.classes import GROUP, Classes, classes_of
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.pipeline.bill import Bill, Outcome
from yibao.policy.pipeline.choosing import choose_benefit, plan_of
from yibao.policy.pipeline.plan import Plan
from yibao.policy.pipeline.running import run

PIECE: int = 8192
"""Bills worked on at a time: the columns of one piece fit into the processor's cache."""
AMOUNTS = ("amount", "own", "over", "first_pay", "in_scope")
RESULTS = (
    "first_pay", "in_scope", "deductible", "pool_ratio", "fund_total", "person_part", "account_pay", "cash",
)
COUNTER, INPUT, ADDED = "counter:", "input:", "added:"

Column = NDArray[np.int64]


def decide_columns(bills: pl.DataFrame, policy: RegionPolicy) -> pl.DataFrame:
    """Decide every bill of a frame as the counter would, each on its own.

    Args:
        bills: fact columns (see ``classes.FACTS``), the amounts ``amount``, ``own``, ``over``, ``first_pay``,
            ``in_scope`` in fen, and where there are any ``balance``, ``group:<name>``, ``counter:<code>`` (without a
            window), ``input:<name>``. All of one region.
        policy: the law of that region.

    Returns:
        one row for each bill, in the same order: ``RESULTS`` in fen (``pool_ratio`` in ten-thousandths), ``<head
        field>`` for every fund that can pay, ``added:<code>`` for every counter, and ``refusal``: the code under
        which the counter would refuse the bill (its amounts are 0 then), else null.

    Raises:
        ValueError: a column is missing, or an amount is negative or beyond what 64 bits can hold exactly.
    """
    placed = sort_bills(bills, policy)
    # A frame of which every bill is refused has its columns too.
    results = decide_sorted(placed, {name: np.zeros(bills.height, dtype=np.int64) for name in RESULTS})
    decided = pl.DataFrame({name: _back(column, placed.order) for name, column in results.items()})
    refusals = [p.faults[0].code if isinstance(p, Refusal) else None for p in placed.plans]
    codes = pl.Series("refusal", refusals, dtype=pl.String)
    return decided.with_columns(codes.gather(pl.Series(placed.classes.of_row)).alias("refusal"))


class Sorted(msgspec.Struct, frozen=True):
    """Bills of one region, class by class.

    Attributes:
        classes: what the law cannot tell apart.
        plans: the rows that apply to each class, or why the counter would refuse it.
        order: row numbers of the frame in the order of the columns.
        columns: the amounts, class after class.
    """

    classes: Classes
    plans: tuple[Plan | Refusal, ...]
    order: Column
    columns: Mapping[str, Column]


def sort_bills(bills: pl.DataFrame, policy: RegionPolicy) -> Sorted:
    """Return the bills sorted by what the law asks of them, with its plan for each sort; raises like ``decide_columns``."""
    columns = _amounts(bills)
    classes = classes_of(bills, policy)
    order = _order(classes)
    plans = tuple(_plan(case, policy) for case in classes.cases)
    return Sorted(classes, plans, order, {name: column[order] for name, column in columns.items()})


def decide_sorted(bills: Sorted, into: dict[str, Column] | None = None) -> dict[str, Column]:
    """Decide sorted bills; return the result columns in their order, 0 for those that the counter would refuse.

    Args:
        into: result columns of an earlier run on as many bills, to be overwritten: fresh memory costs more than steps.
    """
    results = into if into is not None else {}
    for plan, start, end in _runs(bills):
        if isinstance(plan, Refusal):
            for column in results.values():
                column[start:end] = 0
        else:
            for first in range(start, end, PIECE):
                _run_piece(plan, bills, slice(first, min(first + PIECE, end)), results)
    return results


def _plan(case: Case, policy: RegionPolicy) -> Plan | Refusal:
    benefit = choose_benefit(case, policy)
    return benefit if isinstance(benefit, Refusal) else plan_of(case, benefit, policy)


def _amounts(bills: pl.DataFrame) -> dict[str, Column]:
    """Return every amount column as 64-bit integers, held within what the arithmetic keeps exact."""
    missing = [name for name in AMOUNTS if name not in bills.columns]
    if missing:
        raise ValueError(f"columns missing in the bills: {', '.join(missing)}")
    columns: dict[str, Column] = {}
    for name in bills.columns:
        if name in AMOUNTS or name == "balance" or name.startswith((GROUP, COUNTER, INPUT)):
            column = bills[name]
            if not column.dtype.is_integer():
                raise ValueError(f"column {name} must hold whole fen, not {column.dtype}")
            columns[name] = column.to_numpy().astype(np.int64, copy=False)
            if len(column) and not 0 <= columns[name].min() <= columns[name].max() <= AMOUNT_MAX:
                raise ValueError(f"column {name} holds amounts below 0 or above {AMOUNT_MAX} fen")
    return columns


def _back(column: Column, order: Column) -> Column:
    """Return a column in the order of the frame."""
    placed = np.empty_like(column)
    placed[order] = column
    return placed


def _order(classes: Classes) -> Column:
    """Return the bills' row numbers class by class."""
    if len(classes.cases) <= np.iinfo(np.uint16).max:
        return np.argsort(classes.of_row.astype(np.uint16), kind="stable")
    return np.argsort(classes.of_row, kind="stable")


def _runs(bills: Sorted) -> Iterator[tuple[Plan | Refusal, int, int]]:
    """Yield each class's plan with the stretch of the sorted columns that holds its bills."""
    counts = np.bincount(bills.classes.of_row, minlength=len(bills.plans))
    ends = np.cumsum(counts)
    for plan, start, end in zip(bills.plans, ends - counts, ends, strict=True):
        yield plan, int(start), int(end)


def _run_piece(plan: Plan, bills: Sorted, piece: slice, results: dict[str, Column]) -> None:
    outcome = run(plan, _bill(bills.columns, piece), COLUMNS, None)
    found: dict[str, Any] = {name: getattr(outcome, name) for name in RESULTS}
    for name, amount in _named(outcome):
        found[name] = found[name] + amount if name in found else amount
    for name in found.keys() - results.keys():
        results[name] = np.zeros(len(bills.order), dtype=np.int64)
    for name, column in results.items():
        column[piece] = found.get(name, 0)


def _named(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    for fund, field, amount in outcome.funds:
        yield field or f"fund:{fund}", amount
    for code, added, _ in outcome.counters:
        yield ADDED + without_window(code), added


def without_window(code: str) -> str:
    """Return a counter's code without the month, quarter, stay or pregnancy it belongs to."""
    return code.split("@", 1)[0].split("#", 1)[0]


class _Counters(Mapping[str, Any]):
    """Counters of a piece of bills, whatever window the plan names: a frame holds those of each bill's own."""

    def __init__(self, columns: Mapping[str, Column], piece: slice) -> None:
        self._columns = columns
        self._piece = piece

    def get(self, code: str, default: Any = None) -> Any:
        column = self._columns.get(COUNTER + without_window(code))
        return default if column is None else column[self._piece]

    def __getitem__(self, code: str) -> Any:
        return self._columns[COUNTER + without_window(code)][self._piece]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(COUNTER) for name in self._columns if name.startswith(COUNTER))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _bill(columns: Mapping[str, Column], piece: slice) -> Bill:
    def some(prefix: str) -> dict[str, Any]:
        return {n.removeprefix(prefix): c[piece] for n, c in columns.items() if n.startswith(prefix)}

    zero: Any = np.zeros(piece.stop - piece.start, dtype=np.int64)
    balance: Any = columns["balance"][piece] if "balance" in columns else zero
    whole: dict[str, Any] = {name: columns[name][piece] for name in AMOUNTS}
    return Bill(
        **whole, groups=some(GROUP), counters=_Counters(columns, piece), balance=balance, already={}, inputs=some(INPUT)
    )
