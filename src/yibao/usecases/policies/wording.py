"""How a row is said to people: its value with what changes its meaning, and for whom it is."""

from __future__ import annotations

from yibao.policy.law.values import ratio_text
from yibao.usecases.policies.lawbook import Entry, Lawbook

_EXTRA = {
    "period": "按{}",
    "of": "以{}为基数",
    "base": "{}",
    "each_other_disease": "其余病种按 {} 加计",
    "fund": "基金 {}",
    "field": "字段 {}",
    "needs_recognition": "须认定：{}",
}
_WORDS = {"month": "月", "year": "年", "base": "缴费基数", "above_dedc": "从起付标准以上分段", "cost_band": "按费用分段",
          "absolute": "从零分段"}  # fmt: skip


def affected(book: Lawbook, entry: Entry) -> str:
    """Return for whom a row is, in words: benefit, then its other conditions."""
    titles = {e.row.word: str(e.row.extra.get("title", e.row.word)) for e in book.of("benefit")}
    named = entry.codes("benefit") or frozenset()
    parts = ["、".join(sorted(titles.get(code, code) for code in named))]
    parts.append(entry.row.used.condition)
    return "，".join(part for part in parts if part) or "全部参保人"


def value_text(entry: Entry | None) -> str:
    """Return a row's value with those of its other fields that change what it does."""
    if entry is None:
        return ""
    more = [_EXTRA[name].format(_said(value)) for name, value in sorted(entry.row.extra.items()) if name in _EXTRA]
    return entry.row.used.value + (f"（{'，'.join(more)}）" if more else "")


def _said(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return ratio_text(value) if isinstance(value, int) else _WORDS.get(value, value)
