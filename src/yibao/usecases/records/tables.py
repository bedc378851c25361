"""The tables of the records' rules, read once from the package's files."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

# The checks register themselves when their modules are imported.
from yibao.domains.records import check_care, check_diagnoses, check_money, check_procedures
from yibao.domains.records.model import CareKind, CodeRange, QualityTables, Rule
from yibao.domains.records.rules import CHECKS, UPLOAD_RULES

CHECKING = (check_care, check_diagnoses, check_money, check_procedures)


class Due(msgspec.Struct, frozen=True):
    """From a day on, so many days after the settlement to file its list."""

    begins: date
    days: int


class ListTables(msgspec.Struct, frozen=True):
    """Everything the quality check of settlement lists reads."""

    edition: str
    rules: Mapping[str, Rule]
    quality: QualityTables
    care: Mapping[str, CareKind]
    dues: tuple[Due, ...]

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the visit classes of outpatient care that need a list."""
        return tuple(self.care)

    def care_of(self, med_type: str, *, is_stay: bool) -> CareKind | None:
        """Return what kind of list a settlement needs, None if none."""
        found = self.care.get(med_type)
        return (found or "stay") if is_stay else found

    def due_on(self, settled_on: date) -> date:
        """Return the last day to file the list of a settlement."""
        due = max((d for d in self.dues if d.begins <= settled_on), key=lambda d: d.begins)
        return settled_on + timedelta(days=due.days)


KeyParts = tuple[tuple[tuple[str, ...], bool], ...]
"""For each part of a key the fields that may give it, and whether it may be missing."""


class Upload(msgspec.Struct, frozen=True):
    """One row of ``clinical_uploads.csv``; ``key`` holds for each part the fields that may give it.

    ``otherwise`` is the key where a part of ``key`` was not sent, empty where the table requires every part.
    """

    infno: str
    kind: str
    title: str
    node: str
    is_row: bool
    key: KeyParts
    told_on: str
    care: str
    diagnosis: str
    otherwise: KeyParts = ()


class Recognised(msgspec.Struct, frozen=True):
    """How long a kind of report counts at other institutions."""

    kind: str
    begins: date
    days: int


class Recognition(msgspec.Struct, frozen=True):
    """What is recognised, and how long a right to look lasts; days."""

    recognised: tuple[Recognised, ...]
    care_days: int
    permit_days: int

    def since(self, kind: str, today: date) -> date | None:
        """Return the first day whose reports of a kind count today, None if none do."""
        rows = [r for r in self.recognised if r.kind == kind and r.begins <= today]
        return today - timedelta(days=max(rows, key=lambda r: r.begins).days) if rows else None


def _rows(name: str) -> Iterator[dict[str, str]]:
    source = files("yibao") / "data" / "records" / name
    return csv.DictReader(source.read_text("utf-8").splitlines())


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((files("yibao") / "data" / "records" / name).read_text("utf-8"))


def _range(row: dict[str, str]) -> CodeRange:
    first, last = row.get("age_from_days"), row.get("age_to_days")
    return CodeRange(row["limit"], row["from_code"], row["to_code"], row["reason"],
                     int(first) if first else None, int(last) if last else None)


@cache
def list_tables() -> ListTables:
    """Return the tables of the quality check; every check has its row and every row its check."""
    raw = _toml("settlement_lists.toml")
    rules = {r["rule"]: Rule(r["rule"], r["severity"], r["field"], r["sentence"])  # type: ignore[arg-type]
             for r in _rows("quality_rules.csv")}
    if rules.keys() != CHECKS.keys() | UPLOAD_RULES:
        raise AssertionError(f"checks without row or rows without check: {rules.keys() ^ (CHECKS.keys() | UPLOAD_RULES)}")
    least, most = raw["weight_grams"]
    quality = QualityTables(
        diagnoses=tuple(_range(r) for r in _rows("diagnosis_limits.csv")),
        procedures=tuple(_range(r) for r in _rows("procedure_limits.csv")), newborn_days=raw["newborn_days"],
        weight_grams=(least, most), anaesthetist_needed=frozenset(raw["anaesthetist_needed"]),
        payment_methods=raw["payment"],
    )
    return ListTables(
        edition=raw["edition"], rules=rules, quality=quality,
        care={code: kind for kind, codes in raw["care"].items() for code in codes},
        dues=tuple(Due(d["from"], d["days"]) for d in raw["due"]),
    )


def _key_parts(text: str) -> KeyParts:
    return tuple((tuple(part.removesuffix("?").split("/")), part.endswith("?")) for part in text.split())


@cache
def uploads() -> Mapping[str, Upload]:
    """Return how each clinical upload is kept, by its number."""
    return {
        r["infno"]: Upload(
            r["infno"], r["kind"], r["title"], r["node"], r["is_row"] == "1",
            _key_parts(r["key"]), r["told_on"], r["care"], r["diagnosis"], _key_parts(r["otherwise"]),
        )
        for r in _rows("clinical_uploads.csv")
    }


@cache
def recognition() -> Recognition:
    """Return what is mutually recognised."""
    raw = _toml("recognition.toml")
    right = raw["right_to_look"]
    return Recognition(
        tuple(Recognised(r["kind"], r["from"], r["days"]) for r in raw["recognised"]), right["care_days"],
        right["permit_days"],
    )
