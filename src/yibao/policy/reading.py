"""Reads the value of one row of a policy file, or says in Chinese what is wrong with it."""

from __future__ import annotations

import msgspec

from yibao.kernel.money import yuan_text
from yibao.policy.parameters import Kind
from yibao.policy.rounding import ROUNDINGS
from yibao.policy.values import (
    ABSENT,
    Band,
    bands_text,
    ratio_text,
    read_amount,
    read_points,
    read_ratio,
)

FIELDS = frozenset(
    {
        "rule",
        "name",
        "value",
        "bands",
        "from",
        "to",
        "clause",
        "source",
        "mark",
        "reliability",
        "note",
        "condition",
        "priority",
        "when",
    }
)
"""Fields that every row may have, whatever its key."""

_CHOICE_NAMES = {
    "service_date": "按费用发生日所在自然年度",
    "person_part": "个人负担的全部费用",
    "in_scope": "政策范围内个人负担",
    "refuse": "不允许，须先撤销后续结算",
    "keep": "允许，后续结算保留不变",
}
_ORDER_NAMES = {
    "pool": "统筹基金",
    "own_account": "本人个人账户",
    "shared_account": "家庭共济账户",
    "cash": "现金",
}


class ValueRead(msgspec.Struct, frozen=True):
    """A value as the engine uses it, and as people read it (``text``)."""

    text: str
    number: int = 0
    absent: bool = False
    bands: tuple[Band, ...] = ()
    word: str = ""


def read_value(kind: Kind, value: object) -> ValueRead | str:
    """Return the value of a row, or what is wrong with it as a sentence."""
    if kind.value == "truth":
        if not isinstance(value, bool):
            return f"{kind.name}应为 true 或 false，收到 {value!r}"
        return ValueRead("是" if value else "否", number=int(value))
    if kind.value == "order":
        return _read_order(kind, value)
    if not isinstance(value, str) or not value:
        return f'{kind.name}应为文本（如 "500元"、"75%"），收到 {value!r}'
    if kind.value == "choice":
        return _read_choice(kind, value)
    if kind.value == "code":
        return ValueRead(value, word=value)
    return _read_number(kind, value)


def read_bands(value: object) -> ValueRead | str:
    """Return a banded ratio written as ``[{ to = "30000元", ratio = "60%" }, { ratio = "65%" }]``."""
    shape = '分段应写作 [{ to = "30000元", ratio = "60%" }, { ratio = "65%" }]'
    if not isinstance(value, list) or not value or not all(isinstance(b, dict) for b in value):
        return f"{shape}，收到 {value!r}"
    bands: list[Band] = []
    for entry in value:
        ratio = read_ratio(str(entry.get("ratio", "")))
        upper = read_amount(str(entry["to"])) if "to" in entry else None
        if ratio is None or ("to" in entry and upper is None) or set(entry) - {"to", "ratio"}:
            return f"{shape}，收到 {entry!r}"
        lowest = bands[-1].upper if bands else 0
        if lowest is None or (upper is not None and upper <= lowest):
            return "分段的上限应逐段增大，只有最后一段可以不写上限"
        bands.append(Band(upper, ratio))
    return ValueRead(bands_text(tuple(bands)), bands=tuple(bands))


def _read_number(kind: Kind, value: str) -> ValueRead | str:
    if kind.value == "amount":
        if value == ABSENT:
            return ValueRead(ABSENT, absent=True)
        amount = read_amount(value)
        if amount is None:
            return f"{kind.name}应写作 500元、33.50元 或 {ABSENT}，收到 {value!r}"
        return ValueRead(f"{yuan_text(amount)} 元", number=amount)
    if kind.value == "points":
        points = read_points(value)
        if points is None:
            return f"{kind.name}应写作 5个百分点 或 -20个百分点，收到 {value!r}"
        return ValueRead(f"{'+' if points >= 0 else ''}{ratio_text(points)[:-1]} 个百分点", number=points)
    ratio = read_ratio(value)
    if ratio is None:
        return f"{kind.name}应写作 0% 至 100% 之间、至多两位小数的比例（如 75%），收到 {value!r}"
    return ValueRead(ratio_text(ratio), number=ratio)


def _read_choice(kind: Kind, value: str) -> ValueRead | str:
    if value not in kind.choices:
        return f"{kind.name}应为 {' / '.join(kind.choices)}，收到 {value!r}"
    text = ROUNDINGS[value][0] if value in ROUNDINGS else _CHOICE_NAMES[value]
    return ValueRead(text, word=value)


def _read_order(kind: Kind, value: object) -> ValueRead | str:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(v, str) and v in kind.choices for v in value)
    ):
        return f"{kind.name}应为由 {', '.join(kind.choices)} 组成的列表，收到 {value!r}"
    if value[0] != "pool" or value[-1] != "cash" or len(set(value)) != len(value):
        return f"{kind.name}目前只支持以 pool 开头、以 cash 结尾且不重复，收到 {value!r}"
    return ValueRead(" → ".join(_ORDER_NAMES[v] for v in value), word=" ".join(value))
