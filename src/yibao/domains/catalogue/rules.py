"""What a value of a catalogue file must look like. Pure: text in, value or fault out.

Shapes follow the national coding standards; a shape is the first gate only, membership in the
published list is the second. Invented rows keep to reserved ranges, so that nobody takes one for real.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from yibao.domains.catalogue.model import BadCell
from yibao.kernel.money import to_scaled

Parser = Callable[[str], Any]
"""Turns the text of a cell into its value, or into a ``BadCell``."""

_ICD10 = r"[A-Z]\d{2}(?:\.[\dx][\dxA-Za-z]{0,7})?"
DRUG = re.compile(r"[XZ][A-Z0-9]{19}(?:[A-Z0-9]{3})?", re.ASCII)
PIECE = re.compile(r"T[A-Z0-9]{5,19}", re.ASCII)
SERVICE = re.compile(r"\d{15}(?:-[A-Z0-9]{1,8})?", re.ASCII)
CONSUMABLE = re.compile(r"C[A-Z0-9]{19}(?:[A-Z0-9]{7})?", re.ASCII)
ITEM = re.compile("|".join(shape.pattern for shape in (DRUG, PIECE, SERVICE, CONSUMABLE)), re.ASCII)
DIAGNOSIS = re.compile(rf"{_ICD10}[+*]?(?:\+{_ICD10}\*)?", re.ASCII)
PROCEDURE = re.compile(r"\d{2}\.\d(?:[\dA-Z]{1,4}|x\d{2})(?:x\d{3,4})?", re.ASCII)
CHRONIC_DISEASE = re.compile(r"M\d{5}", re.ASCII)
TCM_CLASS = re.compile(r"[A-Z][A-Z0-9.]{1,11}", re.ASCII)
VERSION = re.compile(r"v\d{4,11}", re.ASCII)
DIVISION = re.compile(r"\d{6}", re.ASCII)
CHARGE_TYPE = re.compile(r"0[1-9]|1[0-4]", re.ASCII)

RESERVED = re.compile(r"T9900[A-Z0-9]+|C[A-Z0-9]{9}99[A-Z0-9]+")
"""Codes of invented rows: pieces ``T9900…``, consumables whose 11th and 12th characters are 99."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)


def shaped(shape: re.Pattern[str], what: str, example: str) -> Parser:
    """Return a parser of codes that must match ``shape`` as a whole."""

    def parse(value: str) -> str | BadCell:
        if shape.fullmatch(value):
            return value
        return BadCell(f"不符合{what}的编码规则", f"请按编码标准填写，形如{example}")

    return parse


def text(limit: int) -> Parser:
    """Return a parser of text of at most ``limit`` characters."""

    def parse(value: str) -> str | BadCell:
        if len(value) > limit:
            return BadCell(f"超过{limit}个字符（共{len(value)}个）", "请缩短")
        return value

    return parse


def one_of(**texts: str) -> Parser:
    """Return a parser of a short closed list: code -> what it means; ``_`` before a digit is left out."""
    allowed = {code.lstrip("_"): meaning for code, meaning in texts.items()}
    listing = "、".join(f"{code}（{meaning}）" for code, meaning in allowed.items())

    def parse(value: str) -> str | BadCell:
        return value if value in allowed else BadCell("取值不在范围内", f"可取：{listing}")

    return parse


def flag(value: str) -> bool | BadCell:
    """Return ``1`` as true and ``0`` as false."""
    if value in ("0", "1"):
        return value == "1"
    return BadCell("标志只能是0或1", "请填0（否）或1（是）")


def day(value: str) -> date | BadCell:
    """Return a day written yyyy-MM-dd that exists in the calendar."""
    if _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return BadCell("日历上没有这一天", "请填写真实日期")
    return BadCell("日期格式不正确", "请按yyyy-MM-dd填写")


def ratio(value: str) -> int | BadCell:
    """Return a share in ten-thousandths, 0 to 10000."""
    if value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= 10_000:
        return int(value)
    return BadCell("比例应为0至10000的整数（万分比）", "请换算后填写，如10%填1000")


def price(value: str) -> int | BadCell:
    """Return a price in yuan, at most six decimals, as millionths of a yuan."""
    if value.startswith("-"):
        return BadCell("金额不能为负", "请填写0或正数")
    if not _NUMBER.fullmatch(value):
        return BadCell("金额不是最多六位小数的数字", "请按元填写，如12.50")
    try:
        return to_scaled(Decimal(value), 6)
    except (InvalidOperation, ValueError):
        return BadCell("金额不是最多六位小数的数字", "请按元填写，如12.50")


def json_object(value: str) -> str | BadCell:
    """Return the text of a JSON object as it came; its values are texts."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return BadCell("不是合法的JSON", "请填写JSON对象或留空")
    if isinstance(parsed, dict) and all(isinstance(member, str) for member in parsed.values()):
        return value
    return BadCell("不是值全为文本的JSON对象", "请填写JSON对象或留空")


def check_characters(value: str) -> BadCell | None:
    """Refuse control characters and bytes that were not UTF-8."""
    if _CONTROL.search(value):
        return BadCell("含有控制字符或不是UTF-8编码", "请另存为UTF-8文本后重新导入")
    return None


Row = dict[str, Any]
RowCheck = Callable[[Row], tuple[str, BadCell] | None]
"""Judges a whole row: the column at fault and why, or None."""


def check_period(row: Row) -> tuple[str, BadCell] | None:
    """Refuse a period that ends before it begins; the end is the first day outside."""
    if row["valid_to"] is not None and row["valid_to"] <= row["valid_from"]:
        return "valid_to", BadCell("失效日期不晚于生效日期", "失效日期为不再有效的第一天，请更正或留空")
    return None


def check_reserved(row: Row) -> tuple[str, BadCell] | None:
    """Refuse an invented row outside the reserved codes, and a national row inside them."""
    is_reserved = RESERVED.fullmatch(row["code"]) is not None
    if row["origin"] == "demo" and not is_reserved:
        return "code", BadCell("示例数据未使用保留编码段", "饮片用T9900开头，耗材产品段用99开头")
    if row["origin"] == "national" and is_reserved:
        return "code", BadCell("保留编码段只能用于示例数据", "请使用国家编码，或将origin改为demo")
    return None


def check_restriction(row: Row) -> tuple[str, BadCell] | None:
    """Refuse a restriction without its sentence, and a sentence without the flag."""
    if row["restricted"] and not row["restriction"]:
        return "restriction", BadCell("标记为限制使用但未写明限制范围", "请填写限制范围或将restricted改为0")
    if row["restriction"] and not row["restricted"]:
        return "restricted", BadCell("写有限制范围但未标记为限制使用", "请将restricted改为1或删去限制范围")
    return None


def check_successor(row: Row) -> tuple[str, BadCell] | None:
    """Refuse a code that would take its own place."""
    if row["code"] == row["successor"]:
        return "successor", BadCell("接替编码与停用编码相同", "请填写接替它的编码")
    return None
