"""What may be shown of a message: who the patient is, is not (I8).

Masking goes by the field's name, and by the look of the value where the name says nothing: a citizen
number is found in any text. Names of doctors and operators stay; they act in their office.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from yibao.kernel import identity_number

_PERSON_NAME = re.compile(r"(^|_)(psn|patn|patient|coner|agnter|user|psnuser|newborn|fetus|payee|bnft_psn)_?name$|^name$")
_CERTIFICATE = re.compile(r"(certno|cert_no|idno|id_no|idcard|id_card|card_no|cardno|card_sn|cardsn|bankacct|bankcode)$")
_PHONE = re.compile(r"(tel|mob|mobile|phone|telephone)$")
_ADDRESS = re.compile(r"(^|_)(addr|address)(_|$)|addr$")
_SECRET = re.compile(r"(pwd|password|passwd|secret|token|cainfo|dev_safe_info|signdata|ectoken|ecqrcode|ecqr_code)$")
_CITIZEN = re.compile(
    r"(?<![0-9A-Za-z])\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
"""Whatever looks like a citizen number, also with a wrong check digit: a slip of the pen still names somebody."""
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LOOSE = re.compile(r'("[A-Za-z_]*"\s*:\s*")((?:[^"\\]|\\.)*)(")')

HIDDEN = "〔已隐藏〕"


class Number(str):
    """A number of a message, kept as it was written: ``1000.00`` stays ``1000.00``."""


def mask_tree(value: Any, key: str = "") -> Any:
    """Return a decoded message with everything masked that names or reaches a patient."""
    if isinstance(value, Mapping):
        return {printable(k): mask_tree(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [mask_tree(item, key) for item in value]
    if isinstance(value, Number):
        masked = mask_field(key, str(value))
        return value if masked == value else masked
    if isinstance(value, str):
        return mask_field(key, value)
    return value


def mask_field(key: str, text: str) -> str:
    """Return the value of one field as it may be shown."""
    name = key.lower()
    if not text:
        return text
    if _SECRET.search(name):
        return HIDDEN
    if _PERSON_NAME.search(name):
        return identity_number.mask_name(printable(text))
    if _CERTIFICATE.search(name):
        return identity_number.mask(printable(text))
    if _PHONE.search(name):
        return "*" * max(len(text) - 4, 0) + printable(text[-4:])
    if _ADDRESS.search(name):
        return printable(text[:6]) + "****"
    return mask_text(text)


def mask_text(text: str) -> str:
    """Return free text with citizen and mobile numbers masked."""
    text = _CITIZEN.sub(lambda m: identity_number.mask(m[0]), text)
    return printable(_MOBILE.sub(lambda m: f"{m[0][:3]}****{m[0][-4:]}", text))


def mask_broken(text: str) -> str:
    """Return text that was meant to be JSON with every ``"key": "value"`` masked by its key."""

    def by_key(match: re.Match[str]) -> str:
        key = match[1].split('"')[1]
        return match[1] + mask_field(key, match[2]) + match[3]

    return mask_text(_LOOSE.sub(by_key, text))


def printable(text: str) -> str:
    """Return text that can be shown as it is: lone surrogates, controls and direction marks are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or not _is_hidden(c) else f"⟨U+{ord(c):04X}⟩" for c in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")
