"""What the window desk writes down and counts."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is known to be wrong; fields stand in the order of the table.

    Attributes:
        people: how many it concerns, as counted when it was last looked at; with ``book`` the open rows of that register.
        close_by: the day by which it will be mended; moved: how often that day was put off.
    """

    admdvs: str
    problem_id: str
    business: str
    title: str
    says: str
    workaround: str
    people: int
    book: str
    opened_at: datetime
    opened_by: str
    close_by: date
    moved: int = 0
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call to the hotline; fields stand in the order of the table."""

    admdvs: str
    call_id: str
    theme: str
    business: str
    county: str
    says: str
    at: datetime
    noted_by: str


class Day(msgspec.Struct, frozen=True):
    """How many rows of the registers came in on a day, were ended, and were open when it was over."""

    on: date
    received: int
    ended: int
    open: int


class Rate(msgspec.Struct, frozen=True):
    """Messages of an institution in the last minutes: how many, how many that failed, and why most of them did."""

    fixmedins_code: str
    messages: int
    failed: int
    most: str


class YearByHand(msgspec.Struct, frozen=True):
    """A benefit year that somebody has to put into the order of service, and why it was not done by itself."""

    psn_no: str
    insutype: str
    year: int
    at: datetime
    why: str


@cache
def themes() -> Mapping[str, str]:
    """Return the themes of calls: code to title."""
    text = resources.files("yibao").joinpath("data", "windows", "themes.csv").read_text("utf-8")
    return {row["code"]: row["title"] for row in csv.DictReader(text.splitlines())}
