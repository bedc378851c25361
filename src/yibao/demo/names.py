"""Invented names of people and firms."""

from __future__ import annotations

from functools import cache
from random import Random

import msgspec

from yibao.demo.places import read_data

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


class Syllables(msgspec.Struct, frozen=True):
    """What names are made of; surnames stand in falling order of how often they occur."""

    surnames: tuple[str, ...]
    male: tuple[str, ...]
    female: tuple[str, ...]
    firms: tuple[str, ...]
    trades: tuple[str, ...]


@cache
def syllables() -> Syllables:
    """Return the syllables of the data file."""
    return msgspec.toml.decode(read_data("names.toml"), type=Syllables)


def person_name(rng: Random, *, is_male: bool) -> str:
    """Return an invented name; frequent surnames come up more often."""
    known = syllables()
    surname = known.surnames[int(len(known.surnames) * rng.random() ** 2)]
    given = known.male if is_male else known.female
    return surname + given[int(len(given) * rng.random())]


def credit_code(division: str, number: int, *, kind: str = "91") -> str:
    """Return a unified social credit code (GB 32100) with its check character; ``number`` below 10**9.

    The organisation part consists of digits only, with a fixed 9 as its last one, which is no valid
    organisation check digit in general: the codes are well-formed but belong to nobody.
    """
    body = f"{kind}{division}{number:08d}9"
    total = sum(_USCC.index(c) * w for c, w in zip(body, _USCC_WEIGHTS, strict=True))
    return body + _USCC[(31 - total % 31) % 31]
