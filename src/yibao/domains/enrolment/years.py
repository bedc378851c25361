"""Years that count towards retirement: months paid here, deemed months and months paid elsewhere, each month once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from yibao.domains.enrolment.model import YearCredit
from yibao.domains.enrolment.months import each_month, first_of_month


class Years(msgspec.Struct, frozen=True):
    """How many months count.

    Attributes:
        actual_months: paid in this region, each month once.
        deemed_months, transferred_months, bought_months: what was added beside them.
        total_months: all of them together, each month once.
    """

    actual_months: int
    deemed_months: int
    transferred_months: int
    bought_months: int
    total_months: int


def count_years(paid: Iterable[date], credits: Iterable[YearCredit], *, until: date) -> Years:
    """Return the months that count before the month of ``until``.

    A month that was paid here and elsewhere counts once, as paid here. Credits that name no months add their number.
    What was bought fills years that are missing in all, never those that must be paid.

    Args:
        paid: months of dues that have arrived.
        credits: what is recognised beside them.
    """
    last = first_of_month(until)
    seen = {first_of_month(month) for month in paid if first_of_month(month) < last}
    actual = len(seen)
    added = {"deemed": 0, "transferred": 0, "bought": 0}
    for credit in sorted(credits, key=lambda c: (_RANK[c.kind], c.credit_id)):
        if credit.first_month is None or credit.until_month is None:
            added[credit.kind] += credit.months
            continue
        months = {m for m in each_month(credit.first_month, credit.until_month) if m < last}
        added[credit.kind] += len(months - seen)
        seen |= months
    return Years(actual, added["deemed"], added["transferred"], added["bought"], actual + sum(added.values()))


_RANK = {"transferred": 0, "deemed": 1, "bought": 2}
"""Where two credits name the same month, it counts as the first of these."""
