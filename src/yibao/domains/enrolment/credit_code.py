"""Unified social credit codes: 18 characters with a check character (GB 32100)."""

from __future__ import annotations

from yibao.kernel.refusal import Fault

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
LENGTH = 18


def check_character(first_17: str) -> str:
    """Return the 18th character for the first 17 (modulus 31)."""
    total = sum(_ALPHABET.index(c) * w for c, w in zip(first_17, _WEIGHTS, strict=True))
    return _ALPHABET[(len(_ALPHABET) - total % len(_ALPHABET)) % len(_ALPHABET)]


def credit_code_faults(code: str, *, field: str) -> list[Fault]:
    """Return what is wrong with a unified social credit code in capitals; empty when it is well-formed."""
    if len(code) != LENGTH or any(c not in _ALPHABET for c in code) or check_character(code[:-1]) != code[-1]:
        return [Fault("USCC_INVALID", "统一社会信用代码位数、字符或校验码有误", field, code, "请核对证照上的18位代码")]
    return []
