"""Bytes to a JSON object, or a refusal that says where the body stopped being one.

Numbers stay exact, a key that comes twice is refused by name, nesting without end is refused, and bytes
that are not UTF-8 are found by the field they stand in.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from yibao.entrypoints.gateway.checks import BadNumber, kind_of, parse_integer, parse_number
from yibao.kernel.refusal import Fault, Refusal, refuse

_DEPTH_MAX = 60
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\],:]')
_PLAIN = msgspec.json.Decoder(float_hook=parse_number)
_UNSURE: Final = object()
_CONTAINERS = (dict, list)
_STRAY = re.compile("[\udc80-\udcff]")


class Malformed(Exception):
    """The body is no readable message."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def _malformed(
    code: str, reason: str, remedy: str, *, field: str = "", received: str = ""
) -> Malformed:
    return Malformed(refuse(code, reason, field=field, received=received, remedy=remedy))


class _Twice(dict[str, Any]):
    """An object in which a key came twice."""

    keys_twice: tuple[str, ...] = ()


class _Decoder:
    """Parses one text after the other and knows whether any object of the last one had a key twice.

    One for the process: making json's scanner anew costs as much as parsing a small message, and parsing
    never waits, so no two parses meet.
    """

    def __init__(self) -> None:
        self.twice = False
        self._json = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_float=parse_number, parse_int=parse_integer, parse_constant=BadNumber
        )

    def decode(self, text: str) -> Any:
        """Return the value of a JSON text."""
        self.twice = False
        return self._json.decode(text)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self.twice = True
            found = _Twice(found)
            found.keys_twice = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return found


_DECODER = _Decoder()


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value below ``value`` with its path; without recursion, so that no depth harms it."""
    stack: list[tuple[str, Any]] = [(path, value)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict):
            stack.extend((f"{path}.{key}" if path else key, item) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend((f"{path}[{index}]", item) for index, item in enumerate(value))


def business_path(path: str) -> str:
    """Return a path of the body as the field tables count it: below ``input``."""
    for head in ("input.", "Input."):
        if path.startswith(head):
            return path[len(head):]
    return path


def _deep_path(text: str) -> str:
    """Return the path at which nesting passes all reason, found without parsing."""
    path: list[str] = []
    key = ""
    for found in _TOKEN.finditer(text):
        sign = found[0]
        if sign[0] == '"':
            key = found[1]
        elif sign in "{[":
            path.append(key)
            key = ""
            if len(path) > _DEPTH_MAX:
                return ".".join(part for part in path if part)
        elif sign in "}]" and path:
            path.pop()
        elif sign == ",":
            key = ""
    return ""


def _too_deep(text: str) -> Malformed:
    path = business_path(_deep_path(text))
    return _malformed(
        "BODY_TOO_DEEP", f"报文嵌套超过{_DEPTH_MAX}层", "请检查报文结构", field=path, received="过深的嵌套"
    )


def _near(text: str, position: int) -> str:
    """Return the last key before a position, which is what an engineer looks for first."""
    keys = re.findall(r'"([A-Za-z_][\w-]{0,60})"\s*:', text[max(0, position - 400):position])
    return keys[-1] if keys else ""


def _parse_plain(text: str) -> Any:
    """Return the value of an ordinary text, several times as fast; ``_UNSURE`` leaves every oddity to the exact parser."""
    try:
        value = _PLAIN.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _UNSURE
    if type(value) not in _CONTAINERS:
        return value
    keys, objects = 0, [value]
    for item in objects:
        if type(item) is dict:
            keys += len(item)
            item = item.values()
        objects += [inner for inner in item if type(inner) in _CONTAINERS]
    # More colons after a quote than keys: a key came twice, or a text holds such a colon. A gap before a colon
    # could hide one of them.
    if keys != text.count('":') or " :" in text or "\t:" in text or "\n:" in text or "\r:" in text:
        return _UNSURE
    return value


def _parse(text: str) -> Any:
    value = _parse_plain(text)
    return _parse_exactly(text) if value is _UNSURE else value


def _parse_exactly(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        near = _near(text, error.pos)
        where = f"第{error.lineno}行第{error.colno}列"
        raise _malformed(
            "BODY_NOT_JSON", f"报文不是合法的JSON（{where}，共{len(text)}个字符）", "请检查引号、逗号、括号和转义符",
            field=near,
        ) from None
    except RecursionError:
        raise _too_deep(text) from None
    if _DECODER.twice:
        faults = tuple(
            Fault(
                "KEY_TWICE", f"键{key}重复出现", business_path(f"{path}.{key}" if path else key), "",
                "同一对象内每个键只能出现一次",
            )
            for path, item in _walk(value) if isinstance(item, _Twice) for key in item.keys_twice
        )
        raise Malformed(Refusal(faults))
    return value


def _has_stray_bytes(item: Any) -> bool:
    if isinstance(item, dict):
        return any(map(_STRAY.search, item))
    return isinstance(item, str) and bool(_STRAY.search(item))


def _not_utf8(body: bytes) -> Malformed:
    """Return the refusal of a body that is not UTF-8, naming the fields when the rest can be read."""
    try:
        value = json.loads(body.decode("utf-8", "surrogateescape"))
        fields = [business_path(path) for path, item in _walk(value) if _has_stray_bytes(item)]
    except (ValueError, RecursionError):
        fields = []
    try:
        body.decode("gb18030")
        guess = "，疑为GBK/GB18030编码"
    except UnicodeDecodeError:
        guess = ""
    reason, remedy = f"不是合法的UTF-8编码{guess}", "请以UTF-8编码重发"
    if not fields:
        return _malformed("BODY_NOT_UTF8", f"报文{reason}", remedy)
    return Malformed(Refusal(tuple(Fault("BODY_NOT_UTF8", reason, field, "", remedy) for field in sorted(fields))))


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``.

    Raises:
        Malformed: empty, other encoding, no JSON, no object, a key twice, or nested beyond reason.
    """
    if body[:3] == b"\xef\xbb\xbf":
        body = body[3:]
    if not body.strip():
        raise _malformed("BODY_EMPTY", "报文为空", "请在请求体中发送JSON报文")
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _malformed("BODY_NOT_UTF8", "报文是UTF-16编码", "请以UTF-8编码重发")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8(body) from None
    value = _parse(text)
    if not isinstance(value, dict):
        raise _malformed("BODY_NOT_OBJECT", "报文应为一个JSON对象", "请按接口规范发送报文", field="input")
    return value


def _input_wrong(received: str) -> Malformed:
    return _malformed(
        "INPUT_NOT_OBJECT", "交易输入应为对象", "请发送JSON对象，或其JSON文本", field="input", received=received
    )


def business_content(body: dict[str, Any]) -> dict[str, Any]:
    """Return the business node: ``input`` or ``Input``, also as JSON text; empty text is an empty object.

    Raises:
        Malformed: it is neither an object nor the text of one.
    """
    value = body.get("input")
    if value is None or value == "":
        value = body.get("Input")
    if isinstance(value, str):
        text = value.strip()
        if text in ("", "null"):
            return {}
        if text[0] not in "{[":
            raise _input_wrong("文本")
        value = _parse(text)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _input_wrong(kind_of(value))
    return value
