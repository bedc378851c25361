"""Pinyin initials: what people at a counter type to find a name."""

from __future__ import annotations

from functools import cache


@cache
def _initial(character: str) -> str:
    """Return the upper-case initial of one character; ASCII letters and digits stand for themselves."""
    if character.isascii():
        return character.upper() if character.isalnum() else ""
    # The tables of pypinyin take long to load, and only loading and searching need them.
    from pypinyin import Style, lazy_pinyin

    spelled = lazy_pinyin(character, style=Style.FIRST_LETTER, errors="ignore", strict=False)
    return spelled[0].upper() if spelled else ""


def initials(name: str) -> str:
    """Return the pinyin initials of a name: 阿莫西林胶囊 is ``AMXLJN``.

    A character with several readings gives its commonest one; punctuation gives nothing.
    """
    return "".join(map(_initial, name))
