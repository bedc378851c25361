"""Who comes for care around a window, when, where and for what: drawn from a seed, played in the order of time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec

from yibao.demo.orders import Desk, OrderLine

VISIT, STAY, SALE = "visit", "stay", "sale"
EMPLOYEES = "310"
_LEAD, _TAIL = timedelta(days=9), timedelta(days=9)
_AT_ONCE = timedelta(minutes=5)
"""How long before the stop and after the restart the rehearsal looks."""


class Patient(msgspec.Struct, frozen=True):
    """Somebody insured, in the words of the wire."""

    psn_no: str
    psn_name: str
    certno: str
    insutype: str
    admdvs: str


class Care(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of care.

    Attributes:
        number: of the rehearsal; names the visit at its institution.
        end: of a stay; None for a visit or a sale.
        given: what the patient pays at the counter when the platform is away: ten-thousandths of the bill.
        entered: when the institution sends it, at the earliest the restart where the window lies between.
    """

    number: int
    kind: str
    patient: Patient
    desk: Desk
    begin: datetime
    end: datetime | None
    lines: tuple[OrderLine, ...]
    given: int
    entered: datetime

    @property
    def visit_no(self) -> str:
        """Return the institution's own number."""
        return f"YL{self.number:014d}"


class Season(msgspec.Struct, frozen=True):
    """The instants of the settlement track."""

    stop: datetime
    restart: datetime

    @property
    def begin(self) -> datetime:
        """Return when the rehearsal begins."""
        return self.stop - _LEAD

    @property
    def end(self) -> datetime:
        """Return when it ends."""
        return self.restart + _TAIL

    def is_stopped(self, at: datetime) -> bool:
        """Say whether an instant lies in the stop."""
        return self.stop <= at < self.restart

    def touches(self, care: Care) -> bool:
        """Say whether the window holds a piece of care up: it ends or is handed over inside the stop, or begins there."""
        return self.is_stopped(care.begin) or (care.end is not None and self.is_stopped(care.end))


class People(msgspec.Struct, frozen=True):
    """Whom and what the script draws from."""

    patients: Sequence[Patient]
    hospitals: Sequence[Desk]
    pharmacies: Sequence[Desk]
    goods: Sequence[OrderLine]
    """One piece of each, from which lines are made."""
    drugs: Sequence[OrderLine]


def write_script(people: People, season: Season, *, cares: int, seed: int) -> list[Care]:
    """Return that many pieces of care in the order of their beginning; nobody is in two places at once."""
    rng = Random(seed)
    busy: dict[str, list[tuple[datetime, datetime]]] = {}
    script: list[Care] = []
    while len(script) < cares:
        patient = rng.choice(people.patients)
        # Residents buy at pharmacies with their own money.
        kind = rng.choices((VISIT, STAY, SALE), (60, 25, 15 if patient.insutype == EMPLOYEES else 0))[0]
        begin = _when(rng, season)
        end = begin + timedelta(hours=rng.randrange(24, 24 * 12)) if kind == STAY else None
        taken = (begin - timedelta(hours=1), (end or begin) + timedelta(hours=1))
        if any(a < taken[1] and taken[0] < b for a, b in busy.get(patient.psn_no, ())):
            continue
        busy.setdefault(patient.psn_no, []).append(taken)
        desk = rng.choice(people.pharmacies if kind == SALE else people.hospitals)
        lines = _lines(rng, people.drugs if kind == SALE else people.goods, many=kind == STAY)
        script.append(Care(
            number=len(script) + 1, kind=kind, patient=patient, desk=desk, begin=begin, end=end, lines=lines,
            given=rng.choice((10_000, 10_000, 5_000)) if kind == STAY else 10_000,
            entered=_entered(rng, season, end or begin),
        ))
    return sorted((_sent_when_free(care, script, season) for care in script), key=lambda c: (c.begin, c.number))


def _sent_when_free(care: Care, script: Sequence[Care], season: Season) -> Care:
    """Send what is late so that its patient lies in one hospital at a time.

    Who was admitted before the stop and has left is discharged first of all; who was admitted inside it is admitted when the
    later stay is over.
    """
    if care.kind != STAY or care.end is None or care.entered <= care.end + _AT_ONCE:
        return care
    later = [c for c in script if c.kind == STAY and c.patient == care.patient and c.begin > care.begin]
    if care.begin < season.stop:
        return msgspec.structs.replace(care, entered=season.restart + 2 * _AT_ONCE) if later else care
    ends = [max(c.entered, c.end) for c in later if c.end and c.begin <= care.entered <= max(c.entered, c.end)]
    return msgspec.structs.replace(care, entered=max(ends) + _AT_ONCE) if ends else care


def _when(rng: Random, season: Season) -> datetime:
    """Return an instant of the working day; the window is drawn as often as the days around it together."""
    inside = rng.random() < 0.5
    first, last = (season.stop, season.restart) if inside else (season.begin, season.end)
    at = first + (last - first) * rng.random()
    return at.replace(hour=rng.randrange(8, 18), minute=rng.randrange(60), second=rng.randrange(60), microsecond=0)


def _entered(rng: Random, season: Season, done: datetime) -> datetime:
    """Return when the institution sends what is done: at once, or within four days after the restart in any order."""
    if not season.is_stopped(done):
        return done + _AT_ONCE
    return season.restart + timedelta(minutes=rng.randrange(10, 4 * 24 * 60))


def _lines(rng: Random, goods: Sequence[OrderLine], *, many: bool) -> tuple[OrderLine, ...]:
    lines = []
    for good in rng.sample(list(goods), k=min(len(goods), rng.randrange(3, 7) if many else rng.randrange(1, 4))):
        count = rng.randrange(5, 40) if many else rng.randrange(1, 4)
        lines.append(msgspec.structs.replace(good, cnt=good.cnt * count, det_item_fee_sumamt=good.pric * count))
    return tuple(lines)
