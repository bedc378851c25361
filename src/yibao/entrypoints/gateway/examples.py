"""One real exchange of each transaction, and the refusals it was seen to give: recorded from the tests that drive it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


class SeenRefusal(msgspec.Struct, frozen=True):
    """A refusal as a test provoked it; what was received is left out."""

    code: str
    field: str
    sentence: str
    remedy: str


class Example(msgspec.Struct, frozen=True):
    """A message and its reply; identity numbers are masked. ``reply`` is None where the reply is a file."""

    request: dict[str, Any]
    reply: dict[str, Any] | None
    refusals: tuple[SeenRefusal, ...] = ()


@cache
def example_of(infno: str) -> Example | None:
    """Return the recorded example of a transaction, None when no test drove it yet."""
    source = files("yibao") / "data" / "interface" / "examples" / f"{infno}.json"
    return msgspec.json.decode(source.read_bytes(), type=Example) if source.is_file() else None
