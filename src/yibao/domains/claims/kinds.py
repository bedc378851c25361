"""Kinds and words of claims as package data: ``data/claims``."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """What may be claimed: its service item, and the kinds of care its bills may be of."""

    kind: str
    title: str
    item_code: str
    care: tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """Words of claims, code -> Chinese.

    Attributes:
        filed: kinds of care elsewhere that somebody filed.
        networked: as what care that was not filed counts where a window promises the rate of the network.
    """

    causes: Mapping[str, str]
    remote: Mapping[str, str]
    filed: frozenset[str]
    networked: Mapping[str, str]


@cache
def kinds() -> Mapping[str, Kind]:
    """Return the kinds of claims, read once."""
    text = (resources.files("yibao") / "data" / "claims" / "kinds.csv").read_text("utf-8")
    return {
        row["kind"]: Kind(row["kind"], row["title"], row["item_code"], tuple(row["care"].split("|")))
        for row in csv.DictReader(text.splitlines())
    }


@cache
def words() -> Words:
    """Return the words, read once."""
    data = tomllib.loads((resources.files("yibao") / "data" / "claims" / "words.toml").read_text("utf-8"))
    return Words(data["causes"], data["remote"], frozenset(data["filed"]["words"]), data["networked"])
