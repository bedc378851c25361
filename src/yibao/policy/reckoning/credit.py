"""Account credits: a share of the base, a fixed monthly sum by person and age, or both."""

from __future__ import annotations

from yibao.kernel.money import WHOLE
from yibao.kernel.money import yuan_text as yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.law.values import ratio_text
from yibao.policy.reckoning.cases import CreditCase
from yibao.policy.reckoning.lookup import Lookup, missing_fact
from yibao.policy.reckoning.trace import Journal

Amounts = tuple[tuple[str, int], ...]


def reckon_credit(case: CreditCase, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    """Return ``rate`` and ``fixed`` where the law has them, and their sum ``amount``, fen for all months.

    Where both a rate and a fixed sum apply they add up, so a region that means one or the other says so in
    the conditions of its rows.
    """
    parts: dict[str, int] = {}
    for name, reckoned in (("rate", _by_rate), ("fixed", _fixed)):
        part = reckoned(case, lookup, journal)
        if isinstance(part, Refusal):
            return part
        if part is not None:
            parts[name] = part
    if not parts:
        return lookup.silent("个人账户划入标准", "credit_rate", "credit_fixed")
    total = sum(parts.values())
    formula = f"{' + '.join(yuan(part) for part in parts.values())} = {yuan(total)}"
    journal.add("credit_total", "划入合计", base=total, amount=total, formula=formula)
    return (*parts.items(), ("amount", total))


def _by_rate(case: CreditCase, lookup: Lookup, journal: Journal) -> int | Refusal | None:
    row = lookup.first("credit_rate")
    if row is None:
        return None
    rate = lookup.value(row)
    if isinstance(rate, Refusal):
        return rate
    if case.base is None:
        return missing_fact("base", "按比例划入须有缴费基数或养老金")
    rounding, mode = lookup.own_rounding("credit")
    paid = rounding(case.base * rate.number * case.months, WHOLE)
    months = f" × {case.months} 个月" if case.months != 1 else ""
    formula = f"{yuan(case.base)} × {ratio_text(rate.number)}{months} = {yuan(paid)}"
    journal.add("credit", row.used.name, base=case.base, amount=paid, formula=formula, used=rate.used + mode)
    return paid


def _fixed(case: CreditCase, lookup: Lookup, journal: Journal) -> int | Refusal | None:
    row = lookup.first("credit_fixed")
    if row is None:
        return None
    value = lookup.value(row)
    if isinstance(value, Refusal):
        return value
    paid = value.number * case.months
    formula = f"{yuan(value.number)} × {case.months} 个月 = {yuan(paid)}"
    journal.add("credit", row.used.name, base=value.number, amount=paid, formula=formula, used=value.used)
    return paid
