"""Reads the value of one row of a policy file, or says in Chinese what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import msgspec

from yibao.kernel.money import WHOLE, yuan_text
from yibao.policy.law.formulas import read_formula
from yibao.policy.law.keys import Kind
from yibao.policy.law.rounding import ROUNDINGS
from yibao.policy.law.values import (
    ABSENT,
    Band,
    Share,
    Slope,
    bands_text,
    ratio_text,
    read_amount,
    read_count,
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
    "discharge_date": "按出院日所在自然年度",
    "person_part": "个人负担的全部费用",
    "in_scope": "政策范围内个人负担",
    "refuse": "不允许，须先撤销后续结算",
    "keep": "允许，后续结算保留不变",
    "month": "按月",
    "quarter": "按季",
    "resettle": "允许，后续结算依次退回后重新结算",
    "hospital": "由认定医院决定，即时生效",
    "agency": "由经办机构审核",
    "at_once": "即时生效",
    "filing_day": "登记当日",
    "any_day": "不限",
    "next_year": "次年1月1日起生效",
    "same_day": "当日即可缴费",
    "next_day": "次日起可缴费",
}
PAYERS = {
    "pool": "统筹基金",
    "own_account": "本人个人账户",
    "shared_account": "家庭共济账户",
    "cash": "现金",
}
"""Words of a payment order that every region has, with their Chinese names; layers come to them."""
NO_NAMES: Mapping[str, str] = MappingProxyType({})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class ValueRead(msgspec.Struct, frozen=True):
    """What the value of a row became, and its text for people."""

    text: str
    number: int = 0
    absent: bool = False
    word: str = ""
    bands: tuple[Band, ...] = ()
    formula: Share | Slope | None = None


def read_value(kind: Kind, value: object, names: Mapping[str, str] = NO_NAMES) -> ValueRead | str:
    """Return a row's value, or what is wrong with it as a sentence.

    Args:
        kind: the parameter it is a value of.
        value: what stands in the file.
        names: Chinese names of layers and indexes, keyed ``layer.<name>`` and ``index.<name>``.
    """
    if kind.value == "truth":
        if not isinstance(value, bool):
            return f"{kind.name}应为 true 或 false，收到 {value!r}"
        return ValueRead("是" if value else "否", number=int(value))
    if kind.value == "order":
        return _read_order(kind, value, names)
    if isinstance(value, dict):
        formula = read_formula(kind, value, names)
        return formula if isinstance(formula, str) else ValueRead(formula[1], formula=formula[0])
    if kind.value in _EXAMPLES and type(value) in (int, float):
        return _unit_wanted(kind, str(value))
    if not isinstance(value, str) or not value:
        return f"{kind.name}应为文本（如 {_example(kind)}），收到 {value!r}"
    if kind.value == "choice":
        return _read_choice(kind, value)
    if kind.value == "code":
        return _read_code(kind, value)
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
            bare = any(_is_number(str(number)) for number in entry.values())
            return f"{shape}{'，数字须带单位' if bare else ''}，收到 {entry!r}"
        lowest = bands[-1].upper if bands else 0
        if lowest is None or (upper is not None and upper <= lowest):
            return "分段的上限应逐段增大，只有最后一段可以不写上限"
        bands.append(Band(upper, ratio))
    return ValueRead(bands_text(tuple(bands)), bands=tuple(bands))


_EXAMPLES = {"amount": '"500元"', "ratio": '"75%"', "points": '"5个百分点"', "count": '"3个月"'}


def _example(kind: Kind) -> str:
    if kind.units:
        return f'"3{kind.units[0]}"'
    return _EXAMPLES.get(kind.value, '"500元"、"75%"')


def _read_number(kind: Kind, value: str) -> ValueRead | str:
    if kind.value == "amount" and value == ABSENT:
        return ValueRead(ABSENT, absent=True)
    if _is_number(value):
        return _unit_wanted(kind, value)
    if kind.value == "amount":
        amount = read_amount(value)
        if amount is None:
            return f"{kind.name}应写作 500元、33.50元 或 {ABSENT}，收到 {value!r}{_amount_hint(value)}"
        return ValueRead(f"{yuan_text(amount)} 元", number=amount)
    if kind.value == "points":
        points = read_points(value)
        if points is None:
            hint = f'；百分点请写 "{value[:-1]}个百分点"' if value.endswith("%") else ""
            return f"{kind.name}应写作 5个百分点 或 -20个百分点，收到 {value!r}{hint}"
        return ValueRead(f"{'+' if points >= 0 else ''}{ratio_text(points)[:-1]} 个百分点", number=points)
    if kind.value == "count":
        return _read_count(kind, value)
    ratio = read_ratio(value, kind.highest)
    if ratio is None:
        return (
            f"{kind.name}应写作 0% 至 {ratio_text(kind.highest)} 之间、至多两位小数的比例（如 75%），"
            f"收到 {value!r}{_ratio_hint(value)}"
        )
    return ValueRead(ratio_text(ratio), number=ratio)


def _read_count(kind: Kind, value: str) -> ValueRead | str:
    read = read_count(value)
    if read is None or read[1] not in kind.units:
        return f"{kind.name}应写作整数加单位（{'、'.join(kind.units)}），如 {_example(kind)}，收到 {value!r}"
    return ValueRead(f"{read[0]} {read[1]}", number=read[0], word=read[1])


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _unit_wanted(kind: Kind, number: str) -> str:
    """Return the sentence for a number without a unit, with what was most likely meant."""
    given = Decimal(number)
    meant = ""
    if not given.is_finite() or given < 0:
        pass
    elif kind.value == "ratio":
        percent = given * 100 if given <= 1 and given != given.to_integral_value() else given
        if percent * 100 <= kind.highest and percent * 100 == int(percent * 100):
            meant = f"{_plain(percent)}%"
    elif kind.value == "amount":
        meant = f"{_plain(given)}元"
    elif kind.value == "points":
        meant = f"{_plain(given)}个百分点"
    elif given == given.to_integral_value():
        meant = f"{_plain(given)}{kind.units[0]}"
    wanted = f'请写明单位，是否应为 "{meant}"？' if meant else "请写明单位。"
    return f"{kind.name}不能只写数字 {number}，{wanted}写法如 {_example(kind)}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount_hint(value: str) -> str:
    if value.endswith("%") and read_ratio(value, 1000 * WHOLE) is not None:
        return f'；若为某个基数的一定比例，请写 {{ share = "{value}", of = "in_scope" }}'
    return "；万元请换算成元" if value.endswith("万元") else ""


def _ratio_hint(value: str) -> str:
    if value.endswith("元"):
        return "；比例的单位是 %，不是元"
    if read_points(value) is not None:
        return "；加减百分点请用 pool_bonus"
    return ""


def _read_code(kind: Kind, value: str) -> ValueRead | str:
    if kind.pattern and not re.fullmatch(kind.pattern, value):
        return f"{kind.name}的代码 {value!r} 不合要求，应为 {_PATTERNS[kind.pattern]}"
    return ValueRead(value, word=value)


_PATTERNS = {
    r"\d{6}": '六位数字的基金支付类型（如 "310100"）',
    r"[A-Za-z][A-Za-z0-9_]*": "字母开头、由字母数字和下划线组成的名称（如 serious_illness）",
    r"\d{2}-\d{2}/\d{2}-\d{2}": '起止月日（如 "09-01/12-31"）',
    r"[1-9]\d*(/[1-9]\d*)?": '整数或分数（如 "30"、"12/365"）',
}


def _read_choice(kind: Kind, value: str) -> ValueRead | str:
    if value not in kind.choices:
        return f"{kind.name}应为 {' / '.join(kind.choices)}，收到 {value!r}"
    text = ROUNDINGS[value][0] if value in ROUNDINGS else _CHOICE_NAMES[value]
    return ValueRead(text, word=value)


def _read_order(kind: Kind, value: object, names: Mapping[str, str]) -> ValueRead | str:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(v, str) and _WORD.fullmatch(v) for v in value)
    ):
        return f"{kind.name}应为由 {', '.join(PAYERS)} 和补充支付层名称组成的列表，收到 {value!r}"
    after = value[1:] if value[0] == "own_account" else value
    if not after or after[0] != "pool" or after[-1] != "cash" or len(set(after)) != len(after):
        return (
            f"{kind.name}应以 pool（或 own_account、pool）开头、以 cash 结尾，pool 之后不重复，收到 {value!r}"
        )
    if any(v not in PAYERS for v in after[_layers_end(after) :]):
        return f"{kind.name}中补充支付层应紧接 pool，在账户和现金之前，收到 {value!r}"
    text = " → ".join(PAYERS.get(v) or names.get(f"layer.{v}", v) for v in value)
    return ValueRead(text, word=" ".join(value))


def _layers_end(order: list[str]) -> int:
    """Return how many words the pool and its layers take at the beginning of an order."""
    return next((at for at, word in enumerate(order) if at and word in PAYERS), len(order))
