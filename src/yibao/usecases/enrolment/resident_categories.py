"""Categories of residents: read from the table that ships with the package."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import msgspec


class Category(msgspec.Struct, frozen=True):
    """A category of residents; ages in full years, ``age_to`` None is open."""

    category: str
    title: str
    psn_type: str
    enrolment_kind: str
    age_from: int
    age_to: int | None
    needs_school: bool
    by_age: bool

    def holds(self, age: int) -> bool:
        """Say whether somebody of this age may be in it."""
        return self.age_from <= age and (self.age_to is None or age <= self.age_to)


@cache
def categories() -> tuple[Category, ...]:
    """Return all categories."""
    text = (resources.files("yibao") / "data" / "enrolment" / "resident_categories.csv").read_text("utf-8")
    return tuple(
        Category(
            row["category"], row["title"], row["psn_type"], row["enrolment_kind"], int(row["age_from"]),
            int(row["age_to"]) if row["age_to"] else None, row["needs_school"] == "1", row["by_age"] == "1",
        )
        for row in csv.DictReader(text.splitlines())
    )


def find_category(name: str) -> Category | None:
    """Return a category by its word, None if there is none."""
    return next((c for c in categories() if c.category == name), None)


def category_of(age: int) -> Category:
    """Return the category of somebody of whom nothing but the age is known."""
    return next(c for c in categories() if c.by_age and c.holds(age))
