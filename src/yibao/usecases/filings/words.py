"""The words of filings as package data: what codes of the wire mean to the law."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec


class Words(msgspec.Struct, frozen=True):
    """See ``data/filings/README.md``.

    Attributes:
        maternity: ``matn_type`` to the word of the law.
        family_planning: ``birctrl_type`` to the word of the law.
        weeks_in_month: weeks of a full month of pregnancy.
        injury_classes: visit classes that are about an injury.
        emergency_classes: visit classes of an emergency.
        maternal_classes: visit classes that may ask for a registered pregnancy.
        outpatient_choice: the kind of choice that decides where ordinary outpatients go.
    """

    maternity: dict[str, str]
    family_planning: dict[str, str]
    weeks_in_month: int
    injury_classes: frozenset[str]
    emergency_classes: frozenset[str]
    maternal_classes: frozenset[str]
    outpatient_choice: str


@cache
def words() -> Words:
    """Return the words, read once."""
    file = resources.files("yibao") / "data" / "filings" / "words.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return Words(
        maternity=data["maternity"],
        family_planning=data["family_planning"],
        weeks_in_month=data["gestation"]["weeks_in_month"],
        injury_classes=frozenset(data["injury"]["visit_classes"]),
        emergency_classes=frozenset(data["emergency"]["visit_classes"]),
        maternal_classes=frozenset(data["maternal"]["visit_classes"]),
        outpatient_choice=data["choice"]["outpatient"],
    )
