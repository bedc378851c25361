"""Reads values that depend on something: a share of a base, and a number that grows with a fact of the case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yibao.kernel.money import yuan_text
from yibao.policy.law.keys import MULTIPLE, Kind
from yibao.policy.law.rounding import ROUNDINGS
from yibao.policy.law.values import Share, Slope, ratio_text, read_amount, read_ratio

_SHARE = {"share", "of", "at_least", "at_most", "rounding", "years_back"}
_RATIO_SLOPE = {"ratio", "plus", "per", "beyond", "at_most"}
_AMOUNT_SLOPE = {"amount", "plus", "per", "beyond", "at_most"}
_SHARE_SHAPE = '{ share = "20%", of = "amount", at_least = "2000元", at_most = "10000元" }'
_RATIO_SHAPE = '{ ratio = "75%", plus = "0.2%", per = "age" }'
_AMOUNT_SHAPE = '{ amount = "250000元", plus = "3000元", per = "continuous_years", beyond = 4 }'
_BILL_BASES = {"amount": "医疗总费用", "in_scope": "政策范围内费用"}
_INPUTS = {"income": "收入", "wage": "工资"}
_NAMED = re.compile(r"(index|input)\.([A-Za-z][A-Za-z0-9_]*)")
_PER = {"age": ("年龄", "岁"), "continuous_years": ("连续参保", "年"), "paid_months": ("连续缴费", "个月")}

Formula = tuple[Share | Slope, str]
"""A formula and its Chinese text."""


def read_formula(kind: Kind, value: dict[str, Any], names: Mapping[str, str]) -> Formula | str:
    """Return the formula a table stands for with its text, or what is wrong with it as a sentence.

    Args:
        kind: the parameter it is a value of; amounts take shares and slopes, ratios slopes.
        value: the table as it stands in the file.
        names: Chinese names of indexes, keyed ``index.<name>``.
    """
    if kind.value == "ratio" and kind.place != "line":
        return _read_slope(kind, value, "ratio", _RATIO_SLOPE, _RATIO_SHAPE)
    if kind.value != "amount":
        return f"{kind.name}不能写成公式，收到 {value!r}"
    if "share" in value:
        return _read_share(kind, value, names)
    if kind.place == "index":
        return f"{kind.name}只能是金额，或另一指数的一定比例，收到 {value!r}"
    return _read_slope(kind, value, "amount", _AMOUNT_SLOPE, f"{_AMOUNT_SHAPE} 或 {_SHARE_SHAPE}")


def read_base(kind: Kind, of: object, names: Mapping[str, str]) -> str | None:
    """Return the Chinese name of a share's base, None if the parameter cannot have such a base."""
    if not isinstance(of, str):
        return None
    if kind.place == "bill" and of in _BILL_BASES:
        return _BILL_BASES[of]
    named = _NAMED.fullmatch(of)
    if named is None or (kind.place == "index" and named[1] != "index"):
        return None
    return names.get(of, named[2]) if named[1] == "index" else _INPUTS.get(named[2], named[2])


def _read_share(kind: Kind, value: dict[str, Any], names: Mapping[str, str]) -> Formula | str:
    unknown = sorted(set(value) - _SHARE)
    if unknown:
        return f"{kind.name}的公式不认识 {', '.join(unknown)}；写法如 {_SHARE_SHAPE}"
    ratio = read_ratio(str(value["share"]), MULTIPLE)
    if ratio is None:
        return f'{kind.name}的 share 应写作比例（如 "20%"），收到 {value["share"]!r}'
    of = value.get("of")
    base = read_base(kind, of, names)
    if base is None:
        bases = ["index.<指数名>"]
        bases += ["input.<名称>"] if kind.place != "index" else []
        bases += list(_BILL_BASES) if kind.place == "bill" else []
        return f"{kind.name}的 of 应为 {'、'.join(bases)} 之一，收到 {of!r}"
    limits = {limit: read_amount(str(value[limit])) for limit in ("at_least", "at_most") if limit in value}
    wrong = [limit for limit, amount in limits.items() if amount is None]
    if wrong:
        return f'{kind.name}的 {wrong[0]} 应写作金额（如 "2000元"），收到 {value[wrong[0]]!r}'
    least, most = limits.get("at_least"), limits.get("at_most")
    if least is not None and most is not None and least > most:
        return f"{kind.name}的 at_least 高于 at_most，收到 {value!r}"
    rounding = value.get("rounding", "half_up")
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        return f"{kind.name}的 rounding 应为 {' / '.join(ROUNDINGS)}，收到 {rounding!r}"
    back = value.get("years_back", 0)
    if type(back) is not int or back < 0 or (back and not str(of).startswith("index.")):
        return f"{kind.name}的 years_back 应为不小于 0 的整数，且只用于 index，收到 {back!r}"
    share = Share(ratio, str(of), least, most, rounding, back)
    return share, _share_text(share, base)


def _share_text(share: Share, base: str) -> str:
    parts = [f"{f'{share.years_back} 年前的' if share.years_back else ''}{base}的 {ratio_text(share.ratio)}"]
    if share.at_least is not None:
        parts.append(f"最低 {yuan_text(share.at_least)} 元")
    if share.at_most is not None:
        parts.append(f"最高 {yuan_text(share.at_most)} 元")
    if share.rounding != "half_up":
        parts.append(ROUNDINGS[share.rounding][0])
    return "，".join(parts)


def _read_slope(kind: Kind, value: dict[str, Any], start: str, fields: set[str], shape: str) -> Formula | str:
    unknown = sorted(set(value) - fields)
    if unknown or not {start, "plus", "per"} <= set(value):
        return f"{kind.name}的公式应写作 {shape}，收到 {value!r}"
    if not isinstance(value["per"], str) or value["per"] not in _PER:
        return f"{kind.name}的 per 应为 {' / '.join(_PER)}，收到 {value['per']!r}"
    numbers = {
        field: _read_signed(start, value[field], field == "plus", kind.highest)
        for field in (start, "plus", "at_most")
        if field in value
    }
    wrong = [field for field, number in numbers.items() if number is None]
    if wrong:
        return f"{kind.name}的 {wrong[0]} 应写作{'金额' if start == 'amount' else '比例'}，收到 {value[wrong[0]]!r}"
    beyond = value.get("beyond", 0)
    if type(beyond) is not int or beyond < 0:
        return f"{kind.name}的 beyond 应为不小于 0 的整数，收到 {beyond!r}"
    slope = Slope(numbers[start] or 0, numbers["plus"] or 0, value["per"], beyond, numbers.get("at_most"))
    return slope, _slope_text(slope, start)


def _read_signed(shape: str, value: object, signed: bool, highest: int) -> int | None:
    if not isinstance(value, str):
        return None
    minus = signed and value.startswith("-")
    text = value[1:] if minus else value
    number = read_amount(text) if shape == "amount" else read_ratio(text, highest)
    return -number if minus and number is not None else number


def _slope_text(slope: Slope, start: str) -> str:
    def text(number: int) -> str:
        return f"{yuan_text(number)} 元" if start == "amount" else ratio_text(number)

    label, unit = _PER[slope.per]
    counted = (
        f"{label}每满 1 {unit}" if not slope.beyond else f"{label}超过 {slope.beyond} {unit}后每满 1 {unit}"
    )
    change = f"加 {text(slope.plus)}" if slope.plus >= 0 else f"减 {text(-slope.plus)}"
    most = "" if slope.at_most is None else f"，最高 {text(slope.at_most)}"
    return f"{text(slope.start)}，{counted}{change}{most}"
