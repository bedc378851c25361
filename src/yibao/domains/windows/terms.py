"""Terms of a rule: what its disposition needs to know, read by the type that the table of terms gives. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from yibao.domains.windows.model import DISPOSITIONS, Rule
from yibao.domains.windows.tables import Term, books, channels
from yibao.domains.windows.words import read_instant
from yibao.kernel.refusal import Fault

Value = str | int | bool | tuple[str, ...]
Terms = Mapping[str, Value]
_WHOLE = 10_000
_BAD = "PLAN_NOT_READABLE"
_WORD = "word:"


def read_term(term: Term, said: Any) -> Value | Fault:
    """Return a term's value, or what is wrong with it; dates and times stay text and are known to be readable."""
    if term.type == "flag":
        return said if isinstance(said, bool) else Fault(_BAD, "应为 true 或 false")
    if term.type in ("count", "ratio"):
        most = _WHOLE if term.type == "ratio" else 1_000_000
        fits = isinstance(said, int) and not isinstance(said, bool) and 0 < said <= most
        return said if fits else Fault(_BAD, f"应为 1 到 {most} 的整数")
    if term.type in ("list", "channels"):
        if not isinstance(said, list) or not all(isinstance(v, str) for v in said):
            return Fault(_BAD, "应为文字的列表")
        unknown = [v for v in said if term.type == "channels" and v not in channels()]
        return Fault(_BAD, f"没有渠道 {unknown[0]}", remedy=f"可用：{'、'.join(channels())}") if unknown else tuple(said)
    if not isinstance(said, str):
        return Fault(_BAD, "应为文字")
    return _read_text(term.type, said)


def _read_text(kind: str, said: str) -> Value | Fault:
    if kind == "date" and (len(said) != len("2021-10-18") or read_instant(said) is None):
        return Fault(_BAD, "应为日期", remedy="请写成 2021-12-31 的样子")
    if kind == "time" and read_instant(said) is None:
        return Fault(_BAD, "应为时间", remedy="请写成 2021-10-18 24:00 的样子")
    allowed: tuple[str, ...] = ()
    if kind.startswith(_WORD):
        allowed = tuple(kind.removeprefix(_WORD).split("|"))
    elif kind in ("register", "disposition"):
        allowed = tuple(books() if kind == "register" else DISPOSITIONS)
    if allowed and said not in allowed:
        return Fault(_BAD, "不认识的取值", remedy=f"可用：{'、'.join(allowed)}")
    return said


def day_of(rule: Rule, term: str) -> date | None:
    """Return a term that is a date; None where the rule does not say it."""
    said = rule.terms.get(term)
    return date.fromisoformat(said) if isinstance(said, str) else None


def instant_of(rule: Rule, term: str) -> datetime | None:
    """Return a term that is an instant; None where the rule does not say it."""
    said = rule.terms.get(term)
    return read_instant(said) if isinstance(said, str) else None


def count_of(rule: Rule, term: str) -> int | None:
    """Return a term that is a number; None where the rule does not say it."""
    said = rule.terms.get(term)
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def words_of(rule: Rule, term: str) -> tuple[str, ...]:
    """Return a term that is a list, () where the rule does not say it."""
    said = rule.terms.get(term)
    return said if isinstance(said, tuple) else ()
