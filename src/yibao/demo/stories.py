"""The named patients: who they are, what they come for, what the law gives them."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from yibao.demo.formulary import Good, formulary
from yibao.demo.institutions import Blueprint, blueprints
from yibao.demo.places import DATA, Region, read_data, regions
from yibao.kernel import identity_number
from yibao.kernel.business_time import age_on
from yibao.kernel.money import fen_to_yuan, line_amount, to_scaled

FIRST_VISIT = "zb-first-visit"
"""Key of the story that the demo settles by itself at each start."""


class StoryPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes. ``state`` is insured, unpaid, waiting or dead; ``balance`` in yuan, None without account."""

    name: str
    sex: str
    age: int
    insutype: str
    psn_type: str
    balance: Decimal | None = None
    pool_only: bool = False
    flexible: bool = False
    civil_servant: bool = False
    identities: tuple[str, ...] = ()
    recognitions: tuple[str, ...] = ()
    state: str = "insured"
    paid_months: int = 60


class StoryLine(msgspec.Struct, frozen=True):
    """A fee line; ``appr`` is hosp_appr_flag of the wire, price and amount in yuan."""

    good: Good
    cnt: Decimal
    pric: Decimal
    appr: str = "0"

    @property
    def amount(self) -> Decimal:
        """Return price times quantity, rounded half up to the fen."""
        return fen_to_yuan(line_amount(to_scaled(self.pric, 6), to_scaled(self.cnt, 4)))


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One outpatient visit.

    Attributes:
        at: short name of the institution in the data file, empty for the first one of the home region.
        lines: name in the price list, quantity, and where they differ price and hosp_appr_flag.
        use_account: acct_used_flag of the settlement.
    """

    med_type: str
    diag_code: str
    diag_name: str
    lines: tuple[tuple[Any, ...], ...]
    dise_codg: str = ""
    at: str = ""
    use_account: bool = True

    def fee_lines(self) -> tuple[StoryLine, ...]:
        """Return the lines with codes, prices and amounts filled in."""
        return tuple(_line(raw) for raw in self.lines)

    def total(self) -> Decimal:
        """Return the bill in yuan."""
        return sum((line.amount for line in self.fee_lines()), Decimal(0))


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named patient.

    Attributes:
        expected: field of setlinfo to yuan, for the next visit of the patient.
        refusal: part of the reason with which the visit is refused instead, empty if it settles.
        apart: True for those that are not offered to strangers in ``patients[]``, because they go to
            another institution, need a flag that the list does not carry, or are refused.
        history: earlier visits of the same benefit year.
    """

    key: str
    title: str
    text: str
    region: str
    person: StoryPerson
    visit: Visit
    expected: dict[str, Decimal] = {}
    history: tuple[Visit, ...] = ()
    refusal: str = ""
    apart: bool = False


class StoryFile(msgspec.Struct, frozen=True):
    """The stories of one city."""

    story: tuple[Story, ...]


class GoodsFile(msgspec.Struct, frozen=True):
    """Short Chinese names of what is sold in the stories, and their codes."""

    goods: dict[str, str]


@cache
def stories() -> tuple[Story, ...]:
    """Return all stories, city by city in the order of the data files."""
    return tuple(story for part in _files() for story in part.story)


def ordinal_of(story: Story) -> int:
    """Return the number of a story among all, from 1; person numbers are made of it."""
    return stories().index(story) + 1


def psn_no_of(story: Story) -> str:
    """Return the person number of a story's patient; the leading 9 keeps them apart from everybody else."""
    return f"{story.region}9{ordinal_of(story):09d}"


def region_of(story: Story) -> Region:
    """Return the home region of a story."""
    return next(r for r in regions() if r.admdvs == story.region)


def institution_of(story: Story, visit: Visit) -> Blueprint:
    """Return the institution of a visit: the named one, else the home region's first with scheme none."""
    for plan in blueprints().institution:
        if visit.at and plan.name.startswith(visit.at):
            return plan
        if not visit.at and plan.region == story.region and plan.scheme == "none":
            return plan
    raise LookupError(f"{story.key}: no institution {visit.at!r}")


def certificate_of(story: Story, *, today: date) -> tuple[str, date]:
    """Return identity number and birth date of a patient who has the story's age on ``today`` and for months after."""
    ordinal = ordinal_of(story)
    month, day = (today.month - ordinal % 6 - 2) % 12 + 1, 1 + ordinal % 28
    birth_on = date(today.year - story.person.age, month, day)
    if age_on(birth_on, today) < story.person.age:
        birth_on = birth_on.replace(year=birth_on.year - 1)
    serial = ordinal * 2 % 1000 + (story.person.sex == "1")
    return identity_number.make(region_of(story).story_identity_division, birth_on, serial), birth_on


@cache
def _files() -> tuple[StoryFile, ...]:
    names = sorted(f.name for f in resources.files(DATA).iterdir() if f.name.startswith("stories_"))
    return tuple(
        msgspec.convert(tomllib.loads(read_data(name).decode(), parse_float=Decimal), StoryFile) for name in names
    )


@cache
def _goods() -> dict[str, str]:
    return msgspec.toml.decode(read_data("goods.toml"), type=GoodsFile).goods


def _line(raw: tuple[Any, ...]) -> StoryLine:
    name, cnt, *rest = raw
    good = formulary()[_goods()[name]]
    pric = Decimal(rest[0]) if rest and rest[0] else good.price
    return StoryLine(good, Decimal(cnt), pric, str(rest[1]) if len(rest) > 1 else "0")
