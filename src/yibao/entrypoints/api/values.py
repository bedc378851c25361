"""Reads path, query and body into the types of a route; whatever does not fit is a fault with its field.

What the types do not say holds for every value: text without control characters, whole numbers that a double
carries exactly, dates of 1900 to 2199.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Fault

TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
"""As the description says it; what stands for half a character cannot be sent in valid JSON at all."""
WHOLE_MAX = 2**53 - 1
YEARS = (1900, 2199)
_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`(?P<where>.+)`)?$", re.DOTALL)
_NUMBERS = re.compile(r"certno|card|account|phone|uscc|secret")
_NAMES = re.compile(r"name$")
_SHOWN_MAX = 40


def read_parameters(kind: type[msgspec.Struct], texts: Mapping[str, str]) -> msgspec.Struct | list[Fault]:
    """Return the parameters of path and query as the struct of a route, or all faults."""
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    known = {f.name: f for f in msgspec.structs.fields(kind)}
    for name, text in texts.items():
        if name not in known:
            faults.append(Fault("PARAMETER_UNKNOWN", "没有这个参数", shown(name), remedy=f"可用：{'、'.join(known) or '无'}"))
            continue
        try:
            values[name] = msgspec.convert(text, known[name].type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(_fault(error, within=name, value=text))
    for name, field in known.items():
        if name not in texts and field.required:
            faults.append(Fault("PARAMETER_MISSING", "缺少必填参数", name, remedy="请补填"))
    faults += faults_of(values, "")
    return faults or kind(**values)


def read_body(kind: Any, content: bytes) -> tuple[Any, list[Fault]]:
    """Return the body as the type of a route, and all faults of its first level."""
    try:
        return _decoded(kind, content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, [Fault("BODY_NOT_JSON", "请求体不是有效的 JSON", "data", remedy="请按接口说明提交 JSON")]


def _decoded(kind: Any, content: bytes) -> tuple[Any, list[Fault]]:
    try:
        value = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        return None, _body_faults(kind, content, error)
    return value, faults_of(value, "")


def _body_faults(kind: Any, content: bytes, error: msgspec.ValidationError) -> list[Fault]:
    """Look at each field by itself, since decoding as a whole names the first fault only."""
    raw = msgspec.json.decode(content)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(raw, dict)):
        return [_fault(error)]
    faults = []
    known = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    for name, field in known.items():
        if name not in raw:
            if field.required:
                faults.append(Fault("FIELD_MISSING", "缺少必填字段", name, remedy="请补填"))
            continue
        try:
            msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError as found:
            faults.append(_fault(found, within=name, value=raw[name]))
    if kind.__struct_config__.forbid_unknown_fields:
        faults += [Fault("FIELD_UNKNOWN", "没有这个字段", shown(n), remedy="请按接口说明填写") for n in raw if n not in known]
    return faults or [_fault(error)]


def faults_of(value: Any, where: str) -> list[Fault]:
    """Return what no database could hold, however deep it lies."""
    if isinstance(value, str):
        if _BAD_TEXT.search(value):
            return [Fault("TEXT_INVALID", "含有不能保存的控制字符", where, remedy="请删除后重新提交")]
    elif isinstance(value, bool) or value is None:
        return []
    elif isinstance(value, int):
        if abs(value) > WHOLE_MAX:
            return [Fault("NUMBER_TOO_LARGE", "数值超出范围", where, remedy="请核对")]
    elif isinstance(value, date):
        if not YEARS[0] <= value.year <= YEARS[1]:
            return [Fault("DATE_OUT_OF_RANGE", f"日期须在 {YEARS[0]} 至 {YEARS[1]} 年之间", where, str(value)[:10], "请核对")]
    else:
        return [f for name, part in _parts(value) for f in faults_of(part, f"{where}.{shown(str(name))}".lstrip("."))]
    return []


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, msgspec.Struct):
        return [(name, getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        return [*value.items(), *(("", key) for key in value)]
    if isinstance(value, list | tuple | set | frozenset):
        return list(enumerate(value))
    return ()


def _fault(error: msgspec.ValidationError, *, within: str = "", value: Any = None) -> Fault:
    found = _WHERE.match(str(error))
    assert found is not None
    below = (found["where"] or "$").removeprefix("$")
    field = (within + below).lstrip(".") or "data"
    reason = f"内容不符合要求：{_in_chinese(found['what'])}"
    return Fault("FIELD_INVALID", reason, field, _received(field, value), "请按接口说明填写")


def _in_chinese(what: str) -> str:
    for pattern, words in _WORDS:
        if found := pattern.search(what):
            return words.format(*found.groups())
    return what


_WORDS = (
    (re.compile(r"^Object missing required field `(.+)`"), "缺少必填字段 {}"),
    (re.compile(r"^Object contains unknown field `(.+)`"), "没有字段 {}"),
    (re.compile(r"^Expected `str` of length (.+)"), "文字长度应{}"),
    (re.compile(r"^Expected `str` matching regex (.+)"), "格式应为 {}"),
    (re.compile(r"^Expected `int` (.+)"), "数值应 {}"),
    (re.compile(r"^Expected `array` of length (.+)"), "列表长度应{}"),
    (re.compile(r"^Expected `(.+)`, got `(.+)`"), "应为 {}，收到 {}"),
    (re.compile(r"^Invalid RFC3339 encoded date"), "日期应写作 2024-07-01"),
    (re.compile(r"^Invalid RFC3339 encoded datetime"), "时间应写作 2024-07-01T08:00:00+08:00"),
    (re.compile(r"^Invalid enum value (.+)"), "没有取值 {}"),
)


def _received(field: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value)
    last = field.rsplit(".", 1)[-1]
    if _NUMBERS.search(last):
        text = mask(text)
    elif _NAMES.search(last):
        text = mask_name(text)
    return shown(text)


def shown(text: str) -> str:
    """Return what was received, short and printable."""
    plain = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text[:_SHOWN_MAX])
    return plain if len(text) <= _SHOWN_MAX else plain + "…"
