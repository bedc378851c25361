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
        kind_classes: visit classes of which the law may ask the kind of birth or family planning.
        womens_words: words of the law for care that only a woman receives.
        womens_classes: visit classes for such care, whatever the kind.
        womens_classes_without_kind: visit classes for such care where no kind is named.
        claims_for_spouse: special identities of a man who claims for his wife.
        outpatient_choice: the kind of choice that decides where ordinary outpatients go.
    """

    maternity: dict[str, str]
    family_planning: dict[str, str]
    weeks_in_month: int
    injury_classes: frozenset[str]
    emergency_classes: frozenset[str]
    maternal_classes: frozenset[str]
    kind_classes: frozenset[str]
    womens_words: frozenset[str]
    womens_classes: frozenset[str]
    womens_classes_without_kind: frozenset[str]
    claims_for_spouse: frozenset[str]
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
        kind_classes=frozenset(data["kind"]["visit_classes"]),
        womens_words=frozenset(data["women"]["words"]),
        womens_classes=frozenset(data["women"]["visit_classes"]),
        womens_classes_without_kind=frozenset(data["women"]["visit_classes_without_kind"]),
        claims_for_spouse=frozenset(data["women"]["claims_for_spouse"]),
        outpatient_choice=data["choice"]["outpatient"],
    )
