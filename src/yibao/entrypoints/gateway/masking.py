"""What a message carried, shown back so that nobody's number or name travels further than it must."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from yibao.entrypoints.gateway.checks import BadNumber, kind_of
from yibao.entrypoints.gateway.interface import Field
from yibao.kernel.identity_number import mask, mask_name

_SHOWN_MAX = 40
_NUMBERS = re.compile(r"certno|cert_no|certNo|card|Card|idcard|token|Token|tel$|Tel$|phone|mobile|addr$|Addr$|qr|Qr|psnUserId")
_NAMES = re.compile(r"(psn|patn|coner|opter|dr|dor|phar|doctor|nurs|user|agnter|User|Psn|Patn).*_?[nN]ame$|^name$")
_NUMBER_WORDS = ("证件号", "身份证", "卡号", "卡识别", "凭证编号", "电话", "住址", "地址")
_UNSHOWABLE = re.compile("[^\x20-\x7e\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]")


def readable(text: str) -> str:
    """Return text with everything but plain characters written as U+XXXX."""
    return _UNSHOWABLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def received(field: Field | None, value: Any) -> str:
    """Return what came for a field: short, printable, and masked where it names a person."""
    if isinstance(value, BadNumber):
        value = value.text
    elif isinstance(value, (dict, list, bytes)) or value is None:
        return kind_of(value)
    elif isinstance(value, Decimal):
        value = str(value)
    elif isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)[: 4 * _SHOWN_MAX]
    if field is not None and not field.code_table:
        if _NUMBERS.search(field.name) or any(word in field.name_zh for word in _NUMBER_WORDS):
            text = mask(text)
        elif _NAMES.search(field.name):
            text = mask_name(text)
    text = readable(text)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
