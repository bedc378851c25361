"""The maternity allowance: wage by days over the law's divisor, in one rounding, and lumps paid beside it."""

from __future__ import annotations

from fractions import Fraction

from yibao.kernel.money import yuan_text as yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.decision import Used
from yibao.policy.law.parameters import Row
from yibao.policy.reckoning.cases import AllowanceCase
from yibao.policy.reckoning.lookup import Lookup
from yibao.policy.reckoning.trace import Journal

Amounts = tuple[tuple[str, int], ...]


def reckon_allowance(case: AllowanceCase, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    """Return ``days``, ``allowance``, ``lump``, ``total`` and ``months_missing``; fen, days and months.

    Too few months of payment refuse nothing: the amounts say what is due, ``payable`` is 0 until
    ``months_missing`` months more are paid, and ``total`` from then on.
    """
    days = _days(case, lookup, journal)
    if isinstance(days, Refusal):
        return days
    allowance = _allowance(case, days, lookup, journal)
    if isinstance(allowance, Refusal):
        return allowance
    lump = _lump(lookup, journal)
    if isinstance(lump, Refusal):
        return lump
    total = allowance + lump
    formula = f"{yuan(allowance)} + {yuan(lump)} = {yuan(total)}"
    journal.add("allowance_total", "津贴合计", base=total, amount=total, formula=formula)
    missing = _months_missing(case, lookup, journal)
    return (
        ("days", days),
        ("allowance", allowance),
        ("lump", lump),
        ("total", total),
        ("months_missing", missing),
        ("payable", 0 if missing else total),
    )


def _days(case: AllowanceCase, lookup: Lookup, journal: Journal) -> int | Refusal:
    if case.days is not None:
        journal.add("days", "津贴天数", base=case.days, amount=case.days, formula=f"已定 {case.days} 天")
        return case.days
    rows = [r for r in lookup.rows("allowance_days") if r.applies(lookup.facts)]
    basic = next((r for r in rows if not r.extra.get("adds")), None)
    if basic is None:
        return lookup.silent("津贴天数", "allowance_days")
    added = [(r, _times(r, case)) for r in rows if r.extra.get("adds") and _times(r, case)]
    days = _count(basic) + sum(_count(row) * times for row, times in added)
    terms = [f"{_count(basic)}", *(_term(row, times) for row, times in added)]
    used: tuple[Used, ...] = (basic.used, *(row.used for row, _ in added))
    formula = f"{' + '.join(terms)} = {days} 天" if added else f"{days} 天"
    journal.add("days", "津贴天数", base=_count(basic), amount=days, formula=formula, used=used)
    return days


def _times(row: Row, case: AllowanceCase) -> int:
    return max(case.foetuses - 1, 0) if row.extra.get("per") == "extra_foetus" else 1


def _count(row: Row) -> int:
    return 0 if row.absent else row.number


def _term(row: Row, times: int) -> str:
    return str(_count(row)) if times == 1 else f"{_count(row)} × {times}"


def _allowance(case: AllowanceCase, days: int, lookup: Lookup, journal: Journal) -> int | Refusal:
    row = lookup.first("allowance_divisor")
    if row is None:
        return lookup.silent("津贴折算方式", "allowance_divisor")
    factor = _daily_factor(row.word)
    rounding, mode = lookup.own_rounding("allowance")
    paid = rounding(case.wage * days * factor.numerator, factor.denominator)
    by = f"× {row.word}" if "/" in row.word else f"÷ {row.word}"
    formula = f"{yuan(case.wage)} × {days} 天 {by} = {yuan(paid)}"
    used = (row.used, *mode)
    journal.add("allowance", "生育津贴", base=case.wage, amount=paid, formula=formula, used=used)
    return paid


def _daily_factor(word: str) -> Fraction:
    """Return the share of a monthly wage that makes a day: ``30`` is 1/30, ``12/365`` is 12/365."""
    factor = Fraction(word)
    return factor if "/" in word else 1 / factor


def _lump(lookup: Lookup, journal: Journal) -> int | Refusal:
    row = lookup.first("allowance_lump")
    if row is None:
        return 0
    lump = lookup.value(row)
    if isinstance(lump, Refusal):
        return lump
    formula = f"定额 {yuan(lump.number)}"
    journal.add(
        "allowance_lump", row.used.name, base=lump.number, amount=lump.number, formula=formula, used=lump.used
    )
    return lump.number


def _months_missing(case: AllowanceCase, lookup: Lookup, journal: Journal) -> int:
    row = lookup.first("allowance_needs_months")
    if row is None or row.absent:
        return 0
    missing = max(row.number - case.paid_months, 0)
    said = f"还差 {missing} 个月，缴满后补支付" if missing else "已满足"
    formula = f"须连续缴费 {row.number} 个月，已缴 {case.paid_months} 个月，{said}"
    journal.add(
        "needs_months",
        row.used.name,
        base=case.paid_months,
        amount=missing,
        formula=formula,
        used=(row.used,),
    )
    return missing
