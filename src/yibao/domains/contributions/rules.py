"""Names of dues and bills, months, and the lines that both sides of an exchange digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

YEARLY_INSUTYPE = {"care": "410", "large_amount": "330"}
"""Under which insurance a part is collected that is not paid together with a month of basic insurance."""
TREASURY = "treasury"
"""Payer of what the state owes; its bills go to no tax bureau."""


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def month_after(month: date, count: int = 1) -> date:
    """Return the first day of a month some months later (or earlier)."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def months_between(first: date, before: date) -> Iterator[date]:
    """Return the first days of the months of a half-open period."""
    month = first_of_month(first)
    while month < before:
        yield month
        month = month_after(month)


def owes_for(insured_on: date, paused_on: date | None, month: date) -> bool:
    """Say whether a relation owes dues for a month: from the month it begins in to before the month it ends in."""
    return first_of_month(insured_on) <= month and (paused_on is None or month < first_of_month(paused_on))


def due_name(insutype: str, period: str, kind: str, earlier: int = 0) -> str:
    """Return the id of a due: ``310-202407-regular``; ``-2`` where one of that name was cancelled before.

    Args:
        period: ``202407`` or ``2025``.
        earlier: how many dues of that name there were.
    """
    return f"{insutype}-{period}-{kind}" + (f"-{earlier + 1}" if earlier else "")


def bill_name(admdvs: str, month: date, payer_no: str, ordinal: int, kind: str = "regular") -> str:
    """Return the id of a payer's n-th bill of a month."""
    letter = {"regular": "B", "back": "K", "lump": "L", "surcharge": "Z", "subsidy": "S"}[kind]
    return f"{letter}{admdvs}-{month:%Y%m}-{payer_no}-{ordinal}"


def payment_lines(rows: Iterable[tuple[str, int]]) -> bytes:
    """Return what both sides digest of a day's payments: sorted lines ``payment_id,amount`` (fen), joined by line feeds."""
    return "\n".join(sorted(f"{name},{fen}" for name, fen in rows)).encode()


def bill_lines(rows: Iterable[tuple[str, str, int]]) -> bytes:
    """Return what a bill's digest is over: sorted lines ``psn_no,due_id,fen``, joined by line feeds."""
    return "\n".join(sorted(f"{psn_no},{due_id},{fen}" for psn_no, due_id, fen in rows)).encode()
