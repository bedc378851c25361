"""Checks that nothing is counted in terms of itself: counters of layers, and indexes that are shares of indexes."""

from __future__ import annotations

from collections.abc import Iterable

from yibao.policy.law.faults import Findings
from yibao.policy.law.parameters import Row
from yibao.policy.law.values import Share

UNCOUNTED = "never.counted"
"""The counter of what begins anew with every bill; nothing ever stands in it."""
_COST_KEYS = ("deductible", "deductible_year_cap", "item_limit", "line_deductible", "layer")
"""Keys whose ``counter`` counts cost."""


def check_counters(rows: Iterable[Row], findings: Findings) -> None:
    """Add a fault for every counter that would count both what a bill costs and what somebody pays of it."""
    costs: dict[str, Row] = {}
    payments: list[tuple[str, str, Row]] = []
    for row in rows:
        if row.key in _COST_KEYS and row.counter not in ("", UNCOUNTED):
            costs.setdefault(row.counter, row)
        if row.key == "pool_cap":
            payments.append(("counter", row.counter, row))
        elif row.key == "layer" and "paid_counter" in row.extra:
            payments.append(("paid_counter", str(row.extra["paid_counter"]), row))
    for field, counter, row in payments:
        other = costs.get(counter)
        if other is row or (field == "paid_counter" and counter == row.counter):
            message = f"计数 {counter} 既累计该层的费用又累计该层的支付，互为依据；两者请用不同的计数"
            findings.add(row.place, row.used.rule, field, message)
        elif other is not None:
            message = f"计数 {counter} 在 {other.used.rule}（{other.place}）中累计费用，此处又累计支付；请用不同的计数"
            findings.add(row.place, row.used.rule, field, message)


def check_indexes(rows: Iterable[Row], findings: Findings) -> None:
    """Add a fault for a share of an index that nothing declares, or that is in the end a share of itself."""
    held = tuple(rows)
    shares: dict[str, set[str]] = {str(row.extra["index"]): set() for row in held if row.key == "index"}
    for row in held:
        named = _index_of(row)
        if not named:
            continue
        if named not in shares:
            message = f'没有指数 {named}，先用 key = "index" 声明'
            findings.add(row.place, row.used.rule, "of" if "of" in row.extra else "value", message)
        elif row.key == "index":
            shares[str(row.extra["index"])].add(named)
    for row in held:
        if (
            row.key == "index"
            and _index_of(row)
            and _leads_to(shares, _index_of(row), str(row.extra["index"]))
        ):
            message = f"指数 {row.extra['index']} 归根到底是它自身的一定比例，请改为金额"
            findings.add(row.place, row.used.rule, "value", message)


def _index_of(row: Row) -> str:
    of = row.formula.of if isinstance(row.formula, Share) else str(row.extra.get("of", ""))
    return of.removeprefix("index.") if of.startswith("index.") else ""


def _leads_to(shares: dict[str, set[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            ahead.extend(shares.get(name, ()))
    return False
