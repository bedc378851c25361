"""The quick way to read a body says exactly what the exact one says, or leaves the body to it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from yibao.entrypoints.gateway.decode import _UNSURE, _parse_exactly, _parse_plain

SEED = 2207
TEXTS = 20_000
STRAY = ('"', ":", ",", "{", "}", " ", "\t", "\n", "0", "\\", "")
VALUES = (1, -5, 10**25, 1.5, "x", 'a":b', '":', " :", None, True, "中\"文", "\0")


def some_value(chance: Random, depth: int = 0) -> Any:
    """Return a value with keys and texts that look like other keys."""
    if depth < 4 and chance.random() < 0.3:
        keys = [chance.choice('abc":\\{}') + str(chance.randrange(3)) for _ in range(chance.randrange(5))]
        return {key: some_value(chance, depth + 1) for key in keys}
    if depth < 4 and chance.random() < 0.3:
        return [some_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return chance.choice(VALUES)


def some_text(chance: Random) -> str:
    """Return JSON, often with a key twice, sometimes with a character too many or too few."""
    text = json.dumps(some_value(chance), ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.3:
        text = text.replace('{"', '{"a0":1,"', 1)
    for _ in range(chance.choice((0, 0, 1, 2))):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(STRAY) + text[at + chance.randrange(2):]
    return text


def test_what_the_quick_way_reads_the_exact_one_reads_too() -> None:
    chance, quick = Random(SEED), 0
    for _ in range(TEXTS):
        text = some_text(chance)
        value = _parse_plain(text)
        if value is not _UNSURE:
            quick += 1
            assert repr(value) == repr(_parse_exactly(text)), text
    assert quick > TEXTS // 4


def test_doubtful_bodies_are_left_to_the_exact_way() -> None:
    for text in ('{"a":1,"a":2}', '{"a" :1,"a" :2}', '{"a":1,"a" :2}', '{"a":"\\":"}', '{"a":NaN}', '{"a":"\\ud800"}', "{"):
        assert _parse_plain(text) is _UNSURE, text


def test_an_ordinary_body_is_read_quickly() -> None:
    assert _parse_plain('{"infno":"2207","input":{"data":{"begntime":"2026-01-02 03:04:05"}}}') is not _UNSURE
