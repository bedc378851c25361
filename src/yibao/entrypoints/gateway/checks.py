"""One compiled check per field: takes what came, gives the clean value or says what is wrong with it.

A check is a plain function made once from a row of a field table, because every message passes dozens of
them: a settlement is validated in some ten microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from yibao.entrypoints.gateway.interface import Field
from yibao.kernel.business_time import SHANGHAI

ABSENT: Final = object()
"""What an empty value counts as: the key is missing."""

Check = Callable[[Any], Any]

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"              # control characters; tab and line ends are text
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"  # invisible, or turning the direction of text
    "\ud800-\udfff\ufffe\uffff]"                        # no characters at all
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?", re.ASCII)
_DIGITS_MAX = 28
_EMPTY = ("", "null")


class Wrong(Exception):
    """The value breaks a rule of its field."""

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.code, self.reason, self.remedy = code, reason, remedy


class Doubtful(Exception):
    """The value is taken, with a warning."""

    def __init__(self, value: Any, warning: str) -> None:
        super().__init__(warning)
        self.value, self.warning = value, warning


class BadNumber(msgspec.Struct, frozen=True):
    """What the decoder puts where the text of a JSON number names no usable number."""

    text: str


def kind_of(value: Any) -> str:
    """Return in Chinese what kind of JSON value something is."""
    if isinstance(value, bool):
        return "布尔值"
    if isinstance(value, (int, Decimal, BadNumber)):
        return "数字"
    if isinstance(value, str):
        return "文本"
    if isinstance(value, list):
        return "数组"
    return "对象" if isinstance(value, dict) else "空值"


def _type_wrong(value: Any, wanted: str) -> Wrong:
    return Wrong("FIELD_TYPE", f"应为{wanted}，收到的是{kind_of(value)}", f"请改为{wanted}后重发")


def check_characters(text: str) -> None:
    """Refuse control characters, lone surrogates and invisible direction marks."""
    if text.isprintable():
        return
    found = _FORBIDDEN.search(text)
    if found:
        raise Wrong(
            "FIELD_CHARACTER", f"含有不可用的字符 U+{ord(found[0]):04X}（第{found.start() + 1}个字符）",
            "请去掉控制符和不可见字符，并确认报文为UTF-8编码",
        )


def plain_text(value: Any) -> Any:
    """Return text for whatever JSON scalar came; empty text and the word null count as absent."""
    if type(value) is str:
        text = value.strip()
        if text in _EMPTY:
            return ABSENT
        check_characters(text)
        return text
    if value is None:
        return ABSENT
    if isinstance(value, (bool, list, dict)):
        raise _type_wrong(value, "文本")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > _DIGITS_MAX:
            raise Wrong("FIELD_TOO_LONG", "数字过大，不能作为编码", "请核对该字段")
        whole = value.to_integral_value()
        return str(int(whole)) if whole == value else format(value, "f")
    raise _type_wrong(value, "文本")


def _check_length(text: str, max_len: int) -> str:
    if len(text) > max_len:
        raise Wrong("FIELD_TOO_LONG", f"长度{len(text)}超过上限{max_len}", f"请缩短到{max_len}个字符以内")
    return text


def text_check(max_len: int | None) -> Check:
    """Return the check of a plain text field."""
    limit = max_len or 1_000_000

    def check(value: Any) -> Any:
        if type(value) is str and value and len(value) <= limit and value.isprintable():
            text = value.strip()
            return ABSENT if text in _EMPTY else text
        text = plain_text(value)
        return text if text is ABSENT else _check_length(text, limit)

    return check


def echo_check() -> Check:
    """Return the check of a person echo field: readable text, otherwise not tested."""
    return plain_text


def json_text_check(max_len: int | None) -> Check:
    """Return the check of ``exp_content``: JSON text, also taken as the object itself."""
    check_text = text_check(max_len)

    def check(value: Any) -> Any:
        if isinstance(value, dict):
            value = msgspec.json.encode(value).decode() if value else ""
        return check_text(value)

    return check


def code_check(field: Field, codes: Mapping[str, str]) -> Check:
    """Return the check of a coded field: known code, else the code meant, else refused or doubted."""
    by_name: dict[str, str] = {}
    for code, name in codes.items():
        by_name[name] = code if name not in by_name else ""
    prefix = int(field.quirks.get("code_prefix", "0"))
    limit = int(field.quirks.get("max_len", 0)) or field.max_len or 1_000_000
    known = dict.fromkeys(codes)
    shown = "、".join(f"{c} {n}" for c, n in list(codes.items())[:12]) + ("……" if len(codes) > 12 else "")

    def check(value: Any) -> Any:
        if type(value) is str and value in known:
            return value
        text = plain_text(value)
        if text is ABSENT or text in known:
            return text
        if text[:1] == "0" and text[1:] in known:
            return text[1:]
        if "0" + text in known:
            return "0" + text
        if by_name.get(text):
            return by_name[text]
        if field.closed:
            raise Wrong("FIELD_CODE", f"代码不在字典【{field.code_table}】内", f"可用值：{shown}")
        _check_length(text, limit)
        if prefix and text[:prefix] in known:
            return text
        raise Doubtful(text, f"代码{text}不在字典【{field.code_table}】内，已按原值接收")

    return check


def _decimal(value: Any) -> Any:
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value) if abs(value) < 10**_DIGITS_MAX else _bad_number(str(value)[:20])
    if type(value) is str:
        text = value.strip()
        if text in _EMPTY:
            return ABSENT
        if not _NUMBER.fullmatch(text):
            _bad_number(text)
        return Decimal(text)
    if isinstance(value, BadNumber):
        _bad_number(value.text)
    if value is None:
        return ABSENT
    raise _type_wrong(value, "数字")


def _bad_number(text: str) -> Any:
    check_characters(text)
    raise Wrong("FIELD_NUMBER", "不是可用的数字", "请填写十进制数字，不带千分位、单位和NaN/Infinity")


def number_check(max_len: int | None, scale: int | None) -> Check:
    """Return the check of a number of at most ``max_len`` digits, ``scale`` of them decimals."""
    digits = max_len or _DIGITS_MAX
    whole_digits = digits - (scale or 0)

    def check(value: Any) -> Any:
        number = _decimal(value)
        if number is ABSENT:
            return number
        exponent = number.as_tuple().exponent
        if number.adjusted() >= whole_digits and number:
            raise Wrong("FIELD_NUMBER", f"整数部分超过{whole_digits}位", "请核对数值")
        if exponent > 0:
            return Decimal(int(number))
        if scale is not None and -exponent > scale:
            if -exponent > 10 * _DIGITS_MAX or number != round(number, scale):
                raise Wrong("FIELD_NUMBER", f"小数超过{scale}位", f"请四舍五入到{scale}位小数后重发")
            return round(number, scale)
        if scale is None and -exponent > _DIGITS_MAX:
            raise Wrong("FIELD_NUMBER", "小数位数过多", "请核对数值")
        return number

    return check


def _parse(text: str) -> datetime:
    try:
        if len(text) == 19 and text[4] == text[7] == "-" and text[10] == " " and text[13] == text[16] == ":":
            return datetime.fromisoformat(text)
        if len(text) == 10 and _DATE.fullmatch(text):
            return datetime.fromisoformat(text)
        stamp = _TIME.fullmatch(text)
        if stamp:
            return datetime.fromisoformat(f"{stamp[1]} {stamp[2]}")
    except ValueError:
        raise Wrong("FIELD_DATE", "不是存在的日期或时间", "请核对年月日时分秒") from None
    raise Wrong("FIELD_DATE", "日期格式不对", "日期用 yyyy-MM-dd，时间用 yyyy-MM-dd HH:mm:ss")


def date_check(value: Any) -> Any:
    """Return the day; a time of day is cut off."""
    if type(value) is date:
        return value
    text = plain_text(value)
    return text if text is ABSENT else _parse(text).date()


def datetime_check(value: Any) -> Any:
    """Return the instant of business time; a lone date is its midnight."""
    text = plain_text(value)
    return text if text is ABSENT else _parse(text).replace(tzinfo=SHANGHAI)


_TRUTH = {"true": True, "false": False, "1": True, "0": False, True: True, False: False}  # 1 is True, 0 is False


def boolean_check(value: Any) -> Any:
    """Return a truth; 0 and 1 and the words are taken."""
    if value is None or (isinstance(value, str) and value.strip() in _EMPTY):
        return ABSENT
    try:
        return _TRUTH[value]
    except (KeyError, TypeError):
        raise _type_wrong(value, "布尔值") from None


def bytes_check(value: Any) -> Any:
    """Return file content as it came: the part of an upload, Base64 text, or a list of byte values."""
    if isinstance(value, (bytes, list)):
        return value or ABSENT
    return plain_text(value)


def list_check(value: Any) -> Any:
    """Return a list of texts; a single text is a list of one."""
    if value is None:
        return ABSENT
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, dict) for item in items):
        raise _type_wrong(items[0], "文本的数组")
    texts = [plain_text(item) for item in items]
    return [text for text in texts if text is not ABSENT] or ABSENT


def object_check(value: Any) -> Any:
    """Return a free object; empty text counts as absent, a list of one object as that object."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        return value or ABSENT
    if value is None or (isinstance(value, str) and value.strip() in _EMPTY):
        return ABSENT
    raise _type_wrong(value, "对象")


_BY_TYPE: dict[str, Check] = {
    "date": date_check, "datetime": datetime_check, "boolean": boolean_check, "bytes": bytes_check,
    "list": list_check, "object": object_check,
}


def _nothing_check(check: Check, words: frozenset[str], codes: Mapping[str, str]) -> Check:
    """Return a check that takes some words for nothing said, unless a word is a code or the name of one."""
    nothing = words - {*codes, *(code.removeprefix("0") for code in codes), *codes.values()}

    def check_unless_nothing(value: Any) -> Any:
        text = value.strip() if type(value) is str else value
        if type(text) is int:
            text = str(text)
        return ABSENT if type(text) is str and text in nothing else check(value)

    return check_unless_nothing


def compile_check(field: Field, code_tables: Mapping[str, Mapping[str, str]]) -> Check:
    """Return the check of a field of a field table."""
    check = _check_of(field, code_tables)
    words = frozenset(field.quirks.get("empty_words", "").split())
    codes = code_tables.get(field.code_table, {})
    if field.required or not words or not (codes or field.type in ("number", "date", "datetime")):
        return check
    return _nothing_check(check, words - {"0"} if field.type == "number" else words, codes)


def _check_of(field: Field, code_tables: Mapping[str, Mapping[str, str]]) -> Check:
    if "echo" in field.quirks:
        return echo_check()
    if field.type == "number":
        return number_check(field.max_len, field.scale)
    if field.type in _BY_TYPE:
        return _BY_TYPE[field.type]
    if field.name in ("exp_content", "expContent"):
        return json_text_check(field.max_len)
    codes = code_tables.get(field.code_table)
    if codes:
        return code_check(field, codes)
    limit = int(field.quirks.get("max_len", 0)) or field.max_len
    return text_check(limit)


def parse_number(text: str) -> Decimal | BadNumber:
    """Return the exact decimal of a JSON number with fraction or exponent."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return BadNumber(text[:40])
    return number if number.is_finite() and abs(number.adjusted()) < 400 else BadNumber(text[:40])


def parse_integer(text: str) -> int | BadNumber:
    """Return the exact integer of a JSON number."""
    return int(text) if len(text) <= 400 else BadNumber(text[:40])
