"""What the twin knows of one visit and what a city grants for it: plain records, decimals in yuan, nothing of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
Figure = TypeVar("Figure")
Bands = tuple[tuple[Decimal | None, Decimal], ...]


class NotCovered(Exception):
    """The city has no rule for this visit, so a settlement must be refused."""


def cents(value: Decimal) -> Decimal:
    """Round half up to cents."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def latest(by_year: Mapping[int, Figure], year: int) -> Figure:
    """Return the figure that holds in a year: that of the latest year not after it."""
    years = [y for y in by_year if y <= year]
    if not years:
        raise NotCovered(f"no figure for {year}")
    return by_year[max(years)]


@dataclass
class TwinPerson:
    """Who is treated. ``psn_type`` as on the wire (``1101``); ``recognised`` lists chronic diseases (M-codes).

    ``identity`` is the one word for a household in need (``destitute``, ``low_income``, ...), "" for most people.
    """

    psn_no: str
    insutype: str
    psn_type: str
    account_kind: str = "none"
    paid_months: int = 12
    recognised: tuple[str, ...] = ()
    identity: str = ""
    civil_servant: bool = False


@dataclass
class TwinLine:
    """One fee line in yuan. ``first_pay`` None: the city's default; ``price_limit`` None: no limit."""

    price: Decimal
    quantity: Decimal = Decimal(1)
    list_type: str = "101"
    class_level: str = "01"
    first_pay: Decimal | None = None
    price_limit: Decimal | None = None
    restricted: bool = False
    hosp_appr_flag: str = "0"
    not_paid: bool = False
    group: str = ""


@dataclass(frozen=True)
class Circumstances:
    """How the person came to be treated; the words are those of the case facts.

    ``borne_in_stay`` is what earlier settlements of the same stay took as its deductible.
    """

    admission: int = 1
    remote: str = ""
    referred_from: str = ""
    maternity: str = ""
    pregnancy_months: int = 0
    traits: tuple[str, ...] = ()
    cause: str = ""
    borne_in_stay: Decimal = ZERO


USUAL = Circumstances()


@dataclass
class Visit:
    """What the rules of a city look at. ``scope`` is what counts once a remote first-pay has been taken off."""

    person: TwinPerson
    level: str
    day: date
    med_type: str
    disease: str
    institution_kind: str
    children_hospital: bool
    scope: Decimal
    amount: Decimal = ZERO
    how: Circumstances = USUAL

    @property
    def person_class(self) -> str:
        """Say active, retired or resident, from the first two digits of the kind of person."""
        first_two = self.person.psn_type[:2]
        if first_two == "11":
            return "active"
        if first_two == "12":
            return "retired"
        if first_two in ("14", "15", "16", "17"):
            return "resident"
        raise NotCovered(f"no rule for persons of kind {first_two}")

    def has(self, beginning: str) -> bool:
        """Say whether the person has a disease, as the one treated or as a recognised one."""
        return any(code.startswith(beginning) for code in (self.disease, *self.person.recognised))


@dataclass
class Rule:
    """What applies to one visit: deductible (None: none), share or bands, and every ceiling by its counter.

    A deductible without a counter is charged at each admission anew. ``bands`` hold the cumulative cost of the bill,
    deductible included. ``overflow`` names the ceiling whose cut the large-amount fund takes up.
    """

    benefit: str
    deductible: Decimal | None
    deductible_counter: str
    share: Decimal
    caps: dict[str, Decimal]
    bands: Bands = ()
    floor: Decimal | None = None
    lump: Decimal | None = None
    overflow: str = ""
    layers: tuple[str, ...] = field(default=())
