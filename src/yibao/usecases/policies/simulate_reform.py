"""Tries a change of law on a year of invented people: every visit decided under both laws, in order of service.

Each round decides everybody's next visit with the counters and accounts as the visit before left them, so yearly
deductibles, ceilings and layers that add up hold. People are worked on some blocks at a time and then only their sums
are kept: memory grows with ``PEOPLE_AT_ONCE``, not with the number of people. Needs the ``batch`` extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from yibao.policy.columns.decide_columns import ADDED, COUNTER, decide_columns
from yibao.policy.law.parameters import RegionPolicy, Row
from yibao.usecases.policies.reform_causes import Cause, cause_of
from yibao.usecases.policies.reform_groups import GROUPINGS, NO_IDENTITY, Groups, GroupSum, groups_of
from yibao.usecases.policies.reform_population import BLOCK, PERSON, MakeUp, Year, draw_year

PEOPLE_AT_ONCE: Final = 10 * BLOCK
"""How many people are worked on at a time."""
MEMORY_BOUND: Final = 1_000_000_000
"""Bytes that a run stays below, whatever the number of people."""
SHOWN: Final = 10
"""How many of the largest changes are told, on either side."""

SHARES: Final = ("fund_total", "person_part", "account_pay", "cash")
"""What is kept of every person beside the funds."""

Column = NDArray[np.int64]
Progress = Callable[[int, int], None]
"""Called with how many people are done and how many there are."""


class Lived(msgspec.Struct):
    """What a year came to under one law, by person.

    Attributes:
        paid: what each payer paid, fen; funds by head field, and ``SHARES``.
        refused: visits that the law does not grant; the person pays them.
    """

    paid: dict[str, Column]
    refused: Column


class Largest(msgspec.Struct, frozen=True):
    """One of the largest changes: what the person pays before and after, fen, and why."""

    person: int
    described: str
    visits: int
    amount: int
    before: int
    after: int
    cause: Cause


class Reform(msgspec.Struct, frozen=True):
    """What a change of law does to a population's year; amounts in fen.

    Attributes:
        funds: by payer (head field, ``account_pay``, ``cash``), what it pays before and after.
        groups: grouping to its groups; winners pay less than before, losers more.
        spread: of the changes of what a person pays: (from, below, people), the ends open where None.
        winners, losers: the largest changes on either side.
        refused: visits refused before and after.
    """

    admdvs: str
    name: str
    year: int
    seed: int
    persons: int
    visits: int
    amount: int
    funds: Mapping[str, tuple[int, int]]
    everybody: GroupSum
    groups: Mapping[str, Mapping[str, GroupSum]]
    spread: tuple[tuple[int | None, int | None, int], ...]
    winners: tuple[Largest, ...]
    losers: tuple[Largest, ...]
    refused: tuple[int, int]


class UnclearWindow(Exception):
    """A counter counts in several windows at the same time, which the columns cannot tell apart."""


def simulate_reform(
    before: RegionPolicy, after: RegionPolicy, makeup: MakeUp, *, persons: int, year: int, seed: int,
    keep: Callable[[pl.DataFrame], None], progress: Progress, at_once: int = PEOPLE_AT_ONCE,
) -> Reform:  # fmt: skip
    """Return what a change does to the year of ``persons`` people.

    Args:
        before: the law as it is; ``after`` the law as changed, of the same region.
        keep: receives the results person by person, some people at a time, amounts in fen.
        at_once: people worked on at a time; the result does not depend on it.

    Raises:
        UnclearWindow: see there.
        AssertionError: bills and shares do not add up, or the counter decides a bill otherwise: a defect.
    """
    laws = (before, after)
    windows = tuple(windows_of(law, year) for law in laws)
    payers = tuple(dict.fromkeys(payer for law in laws for payer in payers_of(law, year)))
    total = _Total(laws)
    blocks = range(-(-persons // BLOCK))
    step = max(at_once // BLOCK, 1)
    for start in range(0, len(blocks), step):
        chunk = _joined([
            draw_year(makeup, block=block, seed=seed, year=year, most=min(BLOCK, persons - block * BLOCK))
            for block in blocks[start : start + step]
        ])  # fmt: skip
        sides = [_live(chunk, law, window, payers) for law, window in zip(laws, windows, strict=True)]
        keep(total.add(chunk, makeup, sides))
        progress(min((start + step) * BLOCK, persons), persons)
    return total.reform(before, persons=persons, year=year, seed=seed)


def windows_of(policy: RegionPolicy, year: int) -> dict[str, str]:
    """Return the window of every counter that some row in force in a year counts in.

    Raises:
        UnclearWindow: rows in force disagree.
    """
    found: dict[str, str] = {}
    for row in _in_force(policy, year):
        if row.counter:
            window = str(row.extra.get("window", "year"))
            if found.setdefault(row.counter, window) != window:
                raise UnclearWindow(f"累计项 {row.counter} 在 {year} 年既按 {found[row.counter]} 又按 {window} 累计，不能试算")
    return found


def payers_of(policy: RegionPolicy, year: int) -> tuple[str, ...]:
    """Return the funds that can pay in a year, by head field, or ``fund:<type>`` where they have none."""
    found = []
    for row in _in_force(policy, year):
        if row.key in ("fund", "layer"):
            fund = row.word if row.key == "fund" else row.extra.get("fund", "")
            found.append(str(row.extra.get("field", "")) or f"fund:{fund}")
    return tuple(dict.fromkeys(found))


def _in_force(policy: RegionPolicy, year: int) -> Iterator[Row]:
    """Yield the rows that are in force on some day of a year."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    for row in policy.rows:
        if row.valid_from <= last and (row.valid_to is None or row.valid_to >= first):
            yield row


def _joined(years: Sequence[Year]) -> Year:
    """Return several blocks as one; persons are numbered through, rounds stay in order."""
    if len(years) == 1:
        return years[0]
    frames, ends = [], [0]
    for number in range(max(len(y.rounds) for y in years) - 1):
        for y in years:
            if number + 1 < len(y.rounds):
                part = y.visits[y.rounds[number] : y.rounds[number + 1]]
                frames.append(part.with_columns(pl.col(PERSON) + (y.first - years[0].first)))
        ends.append(sum(frame.height for frame in frames))
    people = type(years[0].people)(*(
        np.concatenate([getattr(y.people, name) for y in years]) for name in years[0].people.__struct_fields__
    ))  # fmt: skip
    return Year(years[0].first, people, pl.concat(frames, rechunk=True), tuple(ends))


def _live(year: Year, policy: RegionPolicy, windows: Mapping[str, str], payers: Sequence[str]) -> Lived:
    """Decide a year of visits under one law, everybody's first one, then everybody's second one, and so on."""
    count = len(year.people.kind)
    lived = Lived(
        {name: np.zeros(count, dtype=np.int64) for name in (*SHARES, *payers)}, np.zeros(count, dtype=np.int64)
    )
    counters = _Counters(count, windows)
    balance = year.people.balance.copy()
    for start, end in zip(year.rounds, year.rounds[1:], strict=False):
        visits = year.visits[start:end]
        who = visits[PERSON].to_numpy()
        standing = counters.before(who, visits["service_on"])
        decided = decide_columns(visits.drop(PERSON).with_columns(balance=balance[who], **standing), policy)
        refused = decided["refusal"].is_not_null().to_numpy()
        for name in decided.columns:
            if name.startswith(ADDED):
                counters.add(name.removeprefix(ADDED), who, decided[name].to_numpy())
            elif name in lived.paid:
                lived.paid[name][who] += decided[name].to_numpy()
        _add_refused(lived, who, refused, visits["amount"].to_numpy())
        balance[who] -= decided["account_pay"].to_numpy()
    return lived


def _add_refused(lived: Lived, who: Column, refused: NDArray[np.bool_], amount: Column) -> None:
    """Let the person pay what the law does not grant."""
    lived.refused[who] += refused
    for name in ("person_part", "cash"):
        lived.paid[name][who] += np.where(refused, amount, 0)


class _Counters:
    """What everybody's windows have used, by counter."""

    def __init__(self, count: int, windows: Mapping[str, str]) -> None:
        self._count = count
        self._windows = windows
        self._used: dict[str, Column] = {}
        self._period: dict[str, Column] = {}

    def before(self, who: Column, on: pl.Series) -> dict[str, Column]:
        """Return the counters of some people on their days; a window that has ended starts anew."""
        periods = {"month": on.dt.month().to_numpy(), "quarter": on.dt.quarter().to_numpy()}
        for code, used in self._used.items():
            window = self._windows.get(code, "year")
            if window == "stay":
                used[who] = 0
            elif window in periods:
                last = self._period.setdefault(code, np.zeros(self._count, dtype=np.int64))
                used[who] = np.where(last[who] == periods[window], used[who], 0)
        for code, window in self._windows.items():
            if window in periods:
                self._period.setdefault(code, np.zeros(self._count, dtype=np.int64))[who] = periods[window]
        return {COUNTER + code: used[who] for code, used in self._used.items()}

    def add(self, code: str, who: Column, added: Column) -> None:
        """Add to a counter."""
        if code in self._used or added.any():
            self._used.setdefault(code, np.zeros(self._count, dtype=np.int64))[who] += added


_EDGES = (-500_000, -100_000, -50_000, -10_000, -1_000, 0, 1, 1_001, 10_001, 50_001, 100_001, 500_001)
"""Bounds of the changes that are counted together, fen."""


class _Total:
    """Sums over all people worked on so far, and the largest changes among them."""

    def __init__(self, laws: tuple[RegionPolicy, RegionPolicy]) -> None:
        self._laws = laws
        self._funds: dict[str, list[int]] = {}
        self._groups = Groups()
        self._spread = np.zeros(len(_EDGES) + 1, dtype=np.int64)
        self._extremes: list[tuple[int, Largest]] = []
        self._visits = self._amount = 0
        self._refused = [0, 0]

    def add(self, year: Year, makeup: MakeUp, sides: Sequence[Lived]) -> pl.DataFrame:
        """Add some people and return their results, one row each."""
        visits = year.visits
        who, bills = visits[PERSON].to_numpy(), visits["amount"].to_numpy()
        amount = np.zeros(len(year.people.kind), dtype=np.int64)
        np.add.at(amount, who, bills)
        self._visits += visits.height
        self._amount += int(bills.sum())
        for side, lived in enumerate(sides):
            funds = sum((paid for name, paid in lived.paid.items() if name not in SHARES), np.zeros_like(amount))
            if not np.array_equal(funds, lived.paid["fund_total"]):
                raise AssertionError("a person's funds do not add up to their total")
            if not np.array_equal(amount, lived.paid["fund_total"] + lived.paid["person_part"]):
                raise AssertionError("a person's bills do not equal funds + person")
            self._refused[side] += int(lived.refused.sum())
            for name, paid in lived.paid.items():
                self._funds.setdefault(name, [0, 0])[side] += int(paid.sum())
        before, after = (lived.paid["person_part"] for lived in sides)
        labels = groups_of(year, makeup, self._laws[0])
        self._groups.add(labels, amount, before, after)
        self._spread += np.bincount(np.searchsorted(_EDGES, after - before, "right"), minlength=len(_EDGES) + 1)
        self._find_largest(year, labels, amount, (before, after))
        return _rows(year, makeup, labels, amount, sides)

    def _find_largest(
        self, year: Year, labels: Mapping[str, pl.Series], amount: Column, parts: tuple[Column, Column]
    ) -> None:
        change = parts[1] - parts[0]
        order = np.argsort(change, kind="stable")
        ends = dict.fromkeys([*order[:SHOWN].tolist(), *order[::-1][:SHOWN].tolist()])
        known = sorted(delta for delta, _ in self._extremes)
        for place in ends:
            delta = int(change[place])
            rank = sum(1 for other in known if (other <= delta if delta < 0 else other >= delta))
            if delta == 0 or rank >= SHOWN:
                continue
            visits = year.visits.filter(pl.col(PERSON) == place).drop(PERSON).to_dicts()
            balance = int(year.people.balance[place])
            cause = cause_of(visits, self._laws, balance=balance, parts=(int(parts[0][place]), int(parts[1][place])))
            described = "，".join(str(labels[name][place]) for name in GROUPINGS if labels[name][place] != NO_IDENTITY)
            self._extremes.append(
                (delta, Largest(year.first + place, described, len(visits), int(amount[place]),
                                int(parts[0][place]), int(parts[1][place]), cause))
            )  # fmt: skip
        self._extremes.sort(key=lambda entry: (entry[0], entry[1].person))
        won = [e for e in self._extremes if e[0] < 0][:SHOWN]
        lost = [e for e in self._extremes if e[0] > 0][-SHOWN:]
        self._extremes = [*won, *lost]

    def reform(self, policy: RegionPolicy, *, persons: int, year: int, seed: int) -> Reform:
        """Return the sums."""
        edges: list[int | None] = [None, *_EDGES, None]
        return Reform(
            admdvs=policy.admdvs, name=policy.name, year=year, seed=seed, persons=persons, visits=self._visits,
            amount=self._amount, funds={name: (b, a) for name, (b, a) in self._funds.items()},
            everybody=self._groups.everybody(), groups=self._groups.sums(),
            spread=tuple(
                (low, high, int(people)) for low, high, people in zip(edges, edges[1:], self._spread, strict=False)
            ),
            winners=tuple(e for delta, e in self._extremes if delta < 0),
            losers=tuple(e for delta, e in reversed(self._extremes) if delta > 0),
            refused=(self._refused[0], self._refused[1]),
        )  # fmt: skip


def _rows(
    year: Year, makeup: MakeUp, labels: Mapping[str, pl.Series], amount: Column, sides: Sequence[Lived]
) -> pl.DataFrame:
    """Return one row for each person: who it is, what the year cost, who paid before and after."""
    people = year.people
    columns: dict[str, Any] = {
        "person": np.arange(len(people.kind), dtype=np.int64) + year.first,
        "insutype": pl.Series([k.insutype for k in makeup.kinds])[people.kind], "age": people.age, **labels,
        "clinic_visits": people.clinics, "stays": people.stays, "amount": amount,
    }  # fmt: skip
    for side, lived in zip(("before", "after"), sides, strict=True):
        columns |= {f"{name}_{side}": paid for name, paid in lived.paid.items()}
        columns[f"refused_{side}"] = lived.refused
    columns["change"] = sides[1].paid["person_part"] - sides[0].paid["person_part"]
    return pl.DataFrame(columns)
