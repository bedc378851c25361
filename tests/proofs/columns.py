"""Scalar equals columns: the counter's ``decide`` and ``decide_columns`` on the same generated bills of every loaded city."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.proofs.drawn_bills import case_of, counters_of, decided, drawn_frame
from tests.proofs.platform import Platform, Result
from yibao.infra.policy_files import read_policy_files, read_policy_files_elsewhere
from yibao.kernel.refusal import Refusal
from yibao.policy.columns.decide_columns import decide_columns
from yibao.policy.decide import decide
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy

_PIECE = 50_000
"""Bills drawn at a time, so that memory stays the same however many there are."""
_SHOWN_MAX = 3


def run(n: int, seed: int, platform: Platform) -> Result:
    """Decide ``n`` bills both ways, spread evenly over the cities."""
    del platform
    policies = [load_policy(texts) for texts in all_laws().values()]
    done = {"bills": 0, "settled": 0, "refused_alike": 0, "cities": len(policies)}
    wrong = {"fen_of_difference": 0, "bills_that_differ": 0}
    each = -(-n // len(policies))
    for number, policy in enumerate(policies):
        for first in range(0, each, _PIECE):
            _compare(policy, min(_PIECE, each - first), seed + 1000 * number + first // _PIECE, done, wrong)
    return Result(done, wrong)


def all_laws() -> dict[str, dict[str, str]]:
    """Return the files of every city: those that are served and the examples from elsewhere."""
    return {**read_policy_files(), **read_policy_files_elsewhere()}


def _compare(policy: RegionPolicy, count: int, seed: int, done: dict[str, int], wrong: dict[str, int]) -> None:
    frame = drawn_frame(policy, count, seed)
    codes = counters_of(policy)
    for row, column in zip(frame.iter_rows(named=True), decide_columns(frame, policy).iter_rows(named=True), strict=True):
        one = decide(case_of(policy, row, {code: _windows(code, row["service_on"]) for code in codes}), policy, trace=False)
        done["bills"] += 1
        refusal = column.pop("refusal")
        if isinstance(one, Refusal) or refusal is not None:
            alike = isinstance(one, Refusal) and one.faults[0].code == refusal
            done["refused_alike"] += alike
            _tell(alike, row, f"{one} / {refusal}", wrong)
            continue
        done["settled"] += 1
        expected: dict[str, Any] = decided(one)
        both = {name: (expected.get(name, 0), column.get(name, 0)) for name in {*expected, *column}}
        differing = {name: pair for name, pair in both.items() if pair[0] != pair[1]}
        wrong["fen_of_difference"] += sum(abs(a - b) for a, b in differing.values())
        _tell(not differing, row, f"{differing}", wrong)


def _tell(alike: bool, row: dict[str, Any], what: str, wrong: dict[str, int]) -> None:
    if alike:
        return
    wrong["bills_that_differ"] += 1
    if wrong["bills_that_differ"] <= _SHOWN_MAX:
        print(f"  {what}\n    {row}")


def _windows(code: str, day: date) -> tuple[str, ...]:
    """Return every code under which a counter may stand on a day."""
    return (code, f"{code}@{day:%Y-%m}", f"{code}@{day.year}Q{(day.month + 2) // 3}", f"{code}#stay", f"{code}#pregnancy")
