"""Citizen identity numbers: check digit (GB 11643), birth date, sex, masking."""

from __future__ import annotations

from datetime import date
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def check_digit(first_17: str) -> str:
    """Return the 18th character for the first 17 digits (ISO 7064 MOD 11-2)."""
    if len(first_17) != len(_WEIGHTS):
        raise ValueError("an identity number has 17 digits before its check digit")
    return _CHECK[sum(map(mul, map(int, first_17), _WEIGHTS)) % 11]


def is_valid(number: str) -> bool:
    """Say whether ``number`` is an 18-character identity number with a right check digit and a real birth date."""
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return check_digit(number[:17]) == number[17].upper()


def make(division: str, birth_on: date, serial: int) -> str:
    """Return an identity number for a six-digit division, a birth date and a serial of 0..999 (odd = male)."""
    first = f"{division}{birth_on:%Y%m%d}{serial:03d}"
    return first + check_digit(first)


def mask(number: str) -> str:
    """Return a certificate number fit for logs and pages: first 4 and last 4 characters stay."""
    if len(number) <= 8:
        return number[:1] + "*" * max(len(number) - 1, 0)
    return number[:4] + "*" * (len(number) - 8) + number[-4:]


def mask_name(name: str) -> str:
    """Return a person's name with everything but the first and, from three characters on, the last masked."""
    if len(name) <= 1:
        return name
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
