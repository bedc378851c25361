"""Regions, counties and towns of the demo world, read from its data files."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import msgspec

DATA = "yibao.demo.data"


class Region(msgspec.Struct, frozen=True):
    """A pooling region.

    Attributes:
        identity_divisions: division codes that were never assigned, for invented identity numbers.
        story_identity_division: the one kept for the named patients.
        card_prefix: first letter of the region's invented social-security card numbers.
        divisions: county-level code to name.
    """

    admdvs: str
    name: str
    identity_divisions: tuple[str, ...]
    story_identity_division: str
    card_prefix: str
    divisions: dict[str, str]


class Places(msgspec.Struct, frozen=True):
    """All regions of the demo world, in the order of the file."""

    region: tuple[Region, ...]


def read_data(name: str) -> bytes:
    """Return the bytes of one of the demo's data files."""
    return resources.files(DATA).joinpath(name).read_bytes()


@cache
def regions() -> tuple[Region, ...]:
    """Return the regions of the demo world."""
    return msgspec.toml.decode(read_data("places.toml"), type=Places).region


@cache
def towns() -> dict[str, tuple[str, ...]]:
    """Return the names of towns and streets by county-level division."""
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(read_data("towns.csv").decode().splitlines()):
        found.setdefault(row["county"], []).append(row["name"])
    return {county: tuple(names) for county, names in found.items()}
