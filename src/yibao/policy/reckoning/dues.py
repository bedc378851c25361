"""Dues: the base held within the law's band, then each payer's share of each part, and what is fixed."""

from __future__ import annotations

import msgspec

from yibao.kernel.money import WHOLE
from yibao.kernel.money import yuan_text as yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.law.arranging import words_allowed
from yibao.policy.law.parameters import Row
from yibao.policy.law.values import ratio_text
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.lookup import Lookup, Value, missing_fact
from yibao.policy.reckoning.trace import Journal

Amounts = tuple[tuple[str, int], ...]


class Due(msgspec.Struct, frozen=True):
    """What one payer owes for one part: by a rate, a fixed sum, or both."""

    payer: str
    part: str
    rate: Row | None
    fixed: Row | None

    @property
    def name(self) -> str:
        """Return the name of the result, ``unit.basic``."""
        return f"{self.payer}.{self.part}"


def reckon_dues(case: DuesCase, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    """Return base, every payer's parts, every payer's sum and the total, all fen for the case's months.

    Names: ``base`` (where a rate of the base applies), ``<payer>.<part>``, ``<payer>``, ``total``.
    """
    dues = _dues(case, lookup)
    if not dues:
        return lookup.silent("缴费标准", "dues_rate", "dues_fixed")
    bases: dict[str, int] = {}
    owed: dict[str, int] = {}
    payers: dict[str, int] = {}
    for due in dues:
        rated = _by_rate(case, due, lookup, journal, bases)
        if isinstance(rated, Refusal):
            return rated
        fixed = _fixed(case, due, lookup, journal)
        if isinstance(fixed, Refusal):
            return fixed
        owed[due.name] = rated + fixed
        payers[due.payer] = payers.get(due.payer, 0) + rated + fixed
    total = sum(owed.values())
    journal.add("dues_total", "应缴合计", base=total, amount=total, formula=_sum_text(owed, total))
    return (*bases.items(), *owed.items(), *payers.items(), ("total", total))


def yearly_names(case: DuesCase, lookup: Lookup) -> frozenset[str]:
    """Return the dues (``person.care``) that the law fixes for a year as a whole: they are not owed month by month."""
    return frozenset(
        due.name for due in _dues(case, lookup)
        if due.rate is None and due.fixed is not None and due.fixed.extra.get("period", "month") == "year"
    )


def rate_names(case: DuesCase, lookup: Lookup) -> frozenset[str]:
    """Return the dues that are a share of a base or an index."""
    return frozenset(due.name for due in _dues(case, lookup) if due.rate is not None)


def _dues(case: DuesCase, lookup: Lookup) -> tuple[Due, ...]:
    rows = lookup.rows("dues_rate") + lookup.rows("dues_fixed")
    names = dict.fromkeys((p, q) for row in rows for p in _words(row, "payer") for q in _words(row, "part"))
    found = []
    for payer, part in names:
        if (case.payers and payer not in case.payers) or (case.parts and part not in case.parts):
            continue
        rate, fixed = (_row_of(lookup, key, payer, part) for key in ("dues_rate", "dues_fixed"))
        if rate is not None or fixed is not None:
            found.append(Due(payer, part, rate, fixed))
    return tuple(found)


def _words(row: Row, dimension: str) -> tuple[str, ...]:
    """Return the payers or parts a row speaks of, named by the row itself or by its condition."""
    named = row.extra.get(dimension)
    return (str(named),) if named else tuple(sorted(words_allowed(row, dimension)))


def _row_of(lookup: Lookup, key: str, payer: str, part: str) -> Row | None:
    facts = {**lookup.facts, "payer": payer, "part": part}
    for row in lookup.rows(key):
        if payer in _words(row, "payer") and part in _words(row, "part") and row.applies(facts):
            return row
    return None


def _by_rate(
    case: DuesCase, due: Due, lookup: Lookup, journal: Journal, bases: dict[str, int]
) -> int | Refusal:
    row = due.rate
    if row is None:
        return 0
    rate = lookup.value(row)
    if isinstance(rate, Refusal):
        return rate
    kind, _, name = str(row.extra.get("of", "base")).partition(".")
    base = lookup.index(name) if kind == "index" else _held_base(case, due, lookup, journal, bases)
    if isinstance(base, Refusal):
        return base
    rounding, mode = lookup.rounding(due.part)
    paid = rounding(base.number * rate.number * case.months, WHOLE)
    months = f" × {case.months} 个月" if case.months != 1 else ""
    journal.add(
        "dues",
        row.used.name,
        base=base.number,
        amount=paid,
        formula=f"{yuan(base.number)} × {ratio_text(rate.number)}{months} = {yuan(paid)}",
        used=(*rate.used, *(base.used if kind == "index" else ()), *mode),
    )
    return paid


def _fixed(case: DuesCase, due: Due, lookup: Lookup, journal: Journal) -> int | Refusal:
    row = due.fixed
    if row is None:
        return 0
    value = lookup.value(row)
    if isinstance(value, Refusal):
        return value
    yearly = row.extra.get("period", "month") == "year"
    paid = value.number if yearly else value.number * case.months
    times = "每年" if yearly else f"每月 × {case.months} 个月"
    formula = f"{yuan(value.number)}（{times}）= {yuan(paid)}"
    journal.add("dues", row.used.name, base=value.number, amount=paid, formula=formula, used=value.used)
    return paid


def _held_base(
    case: DuesCase, due: Due, lookup: Lookup, journal: Journal, bases: dict[str, int]
) -> Value | Refusal:
    """Return the base of one due; one that was not reckoned before is written down."""
    if case.base is not None:
        bases.setdefault("base", case.base)
        return Value(case.base, ())
    if case.wage is None:
        return missing_fact("wage", "按比例缴费须有工资或缴费基数")
    limits: list[Value | None] = []
    for key, what in (("dues_floor", "缴费基数下限"), ("dues_ceiling", "缴费基数上限")):
        limit = _limit(lookup, key, what, due)
        if isinstance(limit, Refusal):
            return limit
        limits.append(limit)
    floor, ceiling = limits
    held = case.wage
    if floor is not None:
        held = max(held, floor.number)
    if ceiling is not None:
        held = min(held, ceiling.number)
    rounding, mode = lookup.own_rounding("base")
    base = rounding(held, 1)
    name = "base" if bases.get("base", base) == base else f"base.{due.name}"
    if name not in bases:
        bases[name] = base
        used = tuple(u for value in limits if value is not None for u in value.used)
        formula = _held_text(case.wage, floor, ceiling, base)
        journal.add("dues_base", "缴费基数", base=case.wage, amount=base, formula=formula, used=used + mode)
    return Value(base, ())


def _limit(lookup: Lookup, key: str, what: str, due: Due) -> Value | Refusal | None:
    row = lookup.first(key, payer=due.payer, part=due.part)
    if row is not None:
        return None if row.absent else lookup.value(row)
    if lookup.lapsed(key, payer=due.payer, part=due.part):
        # Known at other times only: a band that is missing must not pass for none.
        return lookup.silent(what, key, payer=due.payer, part=due.part)
    return None


def _held_text(wage: int, floor: Value | None, ceiling: Value | None, base: int) -> str:
    if floor is not None and wage < floor.number:
        return f"工资 {yuan(wage)} 低于下限 {yuan(floor.number)}，基数为 {yuan(base)}"
    if ceiling is not None and wage > ceiling.number:
        return f"工资 {yuan(wage)} 高于上限 {yuan(ceiling.number)}，基数为 {yuan(base)}"
    return f"工资 {yuan(wage)} 在上下限之内，基数为 {yuan(base)}"


def _sum_text(owed: dict[str, int], total: int) -> str:
    return f"{' + '.join(yuan(part) for part in owed.values())} = {yuan(total)}"
