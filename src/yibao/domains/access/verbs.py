"""The table of verbs: which role may do what to which kind of object, and where a second person is needed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from yibao.domains.access.agents_rules import INSTITUTION, ROLES

STRANGER = "stranger"
"""Role of who has no key; such a row is named after its operation and says its title."""
OWN = "own"
"""The use case itself asks for two people: its object knows maker and checker."""


class Verb(msgspec.Struct, frozen=True):
    """One thing an agent may do.

    Attributes:
        roles: any one of these may do it.
        object: kind of object: ``person``, ``employer``, ``region`` ... A ``region`` verb is closed to agents of a county
            or town.
        four_eyes: ``""`` for nobody else, ``own`` where the use case sees to it, else the role of the second person,
            without whom the API keeps a proposal only.
        title: what it is called, in Chinese.
    """

    verb: str
    roles: tuple[str, ...]
    object: str
    four_eyes: str
    title: str

    @property
    def checker(self) -> str:
        """Return the role of the second person, ``""`` where the API asks for none."""
        return "" if self.four_eyes == OWN else self.four_eyes


@cache
def verbs() -> Mapping[str, Verb]:
    """Return all verbs by name, read from the package's data; a wrong row stops the start.

    Raises:
        ValueError: a row repeats a verb or names no known role.
    """
    text = resources.files("yibao").joinpath("data", "access", "verbs.csv").read_text("utf-8")
    found: dict[str, Verb] = {}
    for row in csv.DictReader(text.splitlines()):
        words = row["role"].split()
        roles = tuple(r for r in ROLES if r not in ("admin", INSTITUTION)) if words == ["any"] else tuple(words)
        verb = Verb(row["verb"], roles, row["object"], row["four_eyes"], row["title"])
        unknown = {*roles, *([verb.checker] if verb.checker else [])} - ROLES.keys() - {STRANGER}
        if unknown or not roles or verb.verb in found:
            raise ValueError(f"verbs.csv: {verb.verb} is repeated or names no known role {sorted(unknown)}")
        found[verb.verb] = verb
    return found
