"""Who lives in the region and what happens to them: drawn from a seed, pure, in the order of the days.

A happening says only what the world outside would say (somebody is hired, dies, pays late); what follows from it is the
platform's business and, beside it, that of the plain books.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from yibao.demo.names import credit_code, person_name
from yibao.kernel import identity_number

FIRST_MONTH, MONTHS = date(2024, 7, 1), 18
DIVISION = "370303"
EMPLOYED, FLEXIBLE, RETIRED = 0.45, 0.05, 0.10
"""Shares of the population; the rest are residents."""
MEMBERS_PER_EMPLOYER = 30
HIRED, LEAVES, RETIRES, DIES, BORN, MOVES_OUT = 0.010, 0.008, 0.002, 0.0008, 0.0008, 0.0006
"""Shares of the population a month to whom it happens."""


@dataclass
class Soul:
    """Somebody, as the outside world knows him or her; what is known of the platform is filled in by the clerks."""

    number: int
    certno: str
    name: str
    is_male: bool
    born_on: date
    kind: str                       # employed, flexible, retired, adult, child, poor
    wage_fen: int = 0
    employer: int | None = None
    psn_no: str = ""
    died_on: date | None = None
    gone_on: date | None = None

    def age_on(self, day: date) -> int:
        """Return full years on a day."""
        return day.year - self.born_on.year - ((day.month, day.day) < (self.born_on.month, self.born_on.day))


@dataclass
class Firm:
    """An employer; ``pays`` says how: in time, a month late, double, or a fen short at first."""

    number: int
    uscc: str
    name: str
    emp_no: str = ""


@dataclass(frozen=True)
class Happening:
    """Something on a day: ``what`` names the clerk's deed, ``who`` a soul, ``where`` an employer."""

    on: date
    what: str
    who: int = -1
    where: int = -1


@dataclass
class World:
    """Everybody and everything that happens, drawn once."""

    souls: list[Soul] = field(default_factory=list)
    firms: list[Firm] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)


def month_of(number: int) -> date:
    """Return the first day of the month with a number, 0 being the first."""
    year, month = divmod(FIRST_MONTH.month - 1 + number, 12)
    return date(FIRST_MONTH.year + year, month + 1, 1)


def draw_world(n: int, seed: int, *, months: range) -> World:
    """Draw about ``n`` people and what happens to them in some of the eighteen months."""
    rng = Random(seed)
    world = World()
    firms = max(3, int(n * EMPLOYED) // MEMBERS_PER_EMPLOYER)
    for number in range(firms):
        code = credit_code(DIVISION, 10_000_000 + number, kind="91")
        world.firms.append(Firm(number, code, f"淄博示例{number + 1:04d}号有限公司"))
    taken: set[str] = set()
    for number in range(n):
        soul = _soul(rng, number, n, firms)
        while soul.certno in taken:
            soul.born_on += timedelta(days=1)
            soul.certno = certno_of(number, soul.born_on, is_male=soul.is_male)
        taken.add(soul.certno)
        world.souls.append(soul)
    first = month_of(months.start)
    world.happenings.append(Happening(first, "open"))
    for number in months:
        world.happenings += _month(rng, world, month_of(number))
    world.happenings.sort(key=lambda h: h.on)
    return world


def _soul(rng: Random, number: int, n: int, firms: int) -> Soul:
    share = number / n
    is_male = rng.random() < 0.5
    if share < EMPLOYED + FLEXIBLE:
        kind, years = "employed" if share < EMPLOYED else "flexible", (1968, 2002)
    elif share < EMPLOYED + FLEXIBLE + RETIRED:
        kind, years = "retired", (1938, 1962)
    elif rng.random() < 0.25:
        kind, years = "child", (2008, 2024)
    else:
        kind, years = ("poor" if rng.random() < 0.05 else "adult"), (1945, 2004)
    born = date(rng.randrange(*years), rng.randrange(1, 7), rng.randrange(1, 29))
    # Wages below the floor, inside the band and above the ceiling, in whole yuan.
    wage = rng.randrange(*rng.choice(((2200, 4000), (4500, 9000), (4500, 14000), (21000, 30000))))
    return Soul(
        number, certno_of(number, born, is_male=is_male), person_name(rng, is_male=is_male), is_male, born, kind,
        wage_fen=wage * 100 if kind in ("employed", "flexible") else 0,
        employer=rng.randrange(firms) if kind == "employed" else None,
    )


def certno_of(number: int, born: date, *, is_male: bool) -> str:
    """Return a synthetic identity number with a valid check digit; equal serials meet other days or divisions."""
    division = f"3703{2 + number // 400 % 5:02d}"
    return identity_number.make(division, born, number % 400 * 2 + is_male)


def _month(rng: Random, world: World, month: date) -> Iterator[Happening]:
    """Yield what happens in a month beside the agency's own calendar."""
    n = len(world.souls)
    for what, share in (("hire", HIRED), ("leave", LEAVES), ("retire", RETIRES), ("die", DIES), ("move_out", MOVES_OUT)):
        for _ in range(_times(rng, n * share)):
            yield Happening(month + timedelta(days=rng.randrange(2, 24)), what, rng.randrange(n), rng.randrange(len(world.firms)))
    for _ in range(_times(rng, n * BORN)):
        yield Happening(month + timedelta(days=rng.randrange(2, 24)), "birth", rng.randrange(n))


def _times(rng: Random, expected: float) -> int:
    whole = int(expected)
    return whole + (rng.random() < expected - whole)
