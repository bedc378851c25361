"""What benefit status rests on, and what it comes to: frozen records, complete in themselves."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import msgspec

from yibao.kernel.deadline import Extension, Window

EMPLOYEE, RESIDENT = "310", "390"
ONCE, MONTHLY = "past_retirement_once", "past_retirement"
RETIRED_CLASS = "12"
REGULAR_KINDS = ("regular", "back")
LUMP = "lump"


class RelationFact(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolment relation: ``insured_on`` is the first day, ``paused_on`` the first day not insured any more.

    Attributes:
        kind: word of the law (``employed``, ``flexible``, ``past_retirement_once`` ...).
        loaded_from, loaded_to: half-open benefit period of a relation that was loaded with its benefits; these stand
            until the first month for which a due is known. None for a relation that was begun here.
        loaded_months: months of continuous payment as they were loaded.
        recorded_at, ended_recorded_at: when its beginning and its end became known; None: always.
    """

    relation_id: str
    admdvs: str
    insutype: str
    psn_type: str
    account_kind: str = "none"
    kind: str = ""
    insured_on: date
    paused_on: date | None = None
    is_ended: bool = False
    loaded_from: date | None = None
    loaded_to: date | None = None
    loaded_months: int = 0
    recorded_at: datetime | None = None
    ended_recorded_at: datetime | None = None


class DueFact(msgspec.Struct, frozen=True, kw_only=True):
    """One due that stands (neither cancelled nor refunded).

    Attributes:
        month, months: first day of the first month it is for, and for how many.
        kind: ``regular``, ``back`` or ``lump``.
        paid_on: day of payment, None while unpaid. Paid and on its way is paid: transit never cuts a benefit.
        assessed_at, paid_at: when the due and its payment became known; None: always.
    """

    insutype: str
    month: date
    months: int = 1
    kind: str = "regular"
    paid_on: date | None = None
    assessed_at: datetime | None = None
    paid_at: datetime | None = None


class IdentityFact(msgspec.Struct, frozen=True):
    """A special identity (table ``psn_idet_type``) and its half-open period."""

    identity_type: str
    valid_from: date
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether the identity is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class WaiverFact(msgspec.Struct, frozen=True, kw_only=True):
    """Months that a window kept people from paying: paid by a day they cost nothing.

    Attributes:
        first, until: first days of months, half-open. pay_by: last day, ``date.max`` while nobody knows it.
        keeps: benefits go on until that day while a month is unpaid.
    """

    admdvs: str
    insutype: str
    first: date
    until: date
    pay_by: date
    keeps: bool
    rule: str

    def covers(self, admdvs: str, month: date) -> bool:
        """Say whether a month of a region is one of them."""
        return self.admdvs == admdvs and self.first <= month < self.until


class TransitFact(msgspec.Struct, frozen=True, kw_only=True):
    """Dues of a month (a resident's: of a year) that are paid, or taken to be, and not told; believed until a day."""

    insutype: str
    month: date
    until_on: date
    rule: str


class StandstillFact(msgspec.Struct, frozen=True, kw_only=True):
    """A time limit of a region that a window moves: ``season``, ``newborn`` or ``gap``; ``year`` 0: of every year."""

    admdvs: str
    clock: str
    extension: Extension
    window: Window
    year: int = 0


class LifeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one person that benefit status rests on.

    Attributes:
        died_recorded_at: when the death became known; None: always.
        elsewhere: months paid to another region and taken over, as half-open periods of first days of months.
        waivers, transits, standstills: what windows did to paying.
    """

    birth_on: date
    died_on: date | None = None
    died_recorded_at: datetime | None = None
    relations: tuple[RelationFact, ...] = ()
    dues: tuple[DueFact, ...] = ()
    identities: tuple[IdentityFact, ...] = ()
    elsewhere: tuple[tuple[date, date], ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    transits: tuple[TransitFact, ...] = ()
    standstills: tuple[StandstillFact, ...] = ()


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """A half-open period of one status; the spells of an insurance follow each other without a hole, the last is open.

    Attributes:
        reason: why, a code of ``benefit_words``.
        rules: ids of the rows of the law behind it.
        paid_months: months of continuous payment when it begins; inside a spell that is due every month adds one.
    """

    insutype: str
    begin_on: date
    end_on: date | None
    is_due: bool
    reason: str
    rules: tuple[str, ...]
    relation_id: str
    admdvs: str
    psn_type: str
    account_kind: str
    paid_months: int = 0

    def holds(self, day: date) -> bool:
        """Say whether a day lies inside."""
        return self.begin_on <= day and (self.end_on is None or day < self.end_on)


class Cover(msgspec.Struct, frozen=True):
    """A half-open period of one status before it is known under which relation it falls."""

    begin_on: date
    end_on: date | None
    is_due: bool
    reason: str
    rules: tuple[str, ...] = ()
    paid_months: int = 0


def known_at(facts: LifeFacts, instant: datetime) -> LifeFacts:
    """Return the facts as they were known at an instant: what was recorded later is left out."""

    def is_known(at: datetime | None) -> bool:
        return at is None or at <= instant

    relations = tuple(
        r if is_known(r.ended_recorded_at) else msgspec.structs.replace(r, paused_on=None, is_ended=False)
        for r in facts.relations if is_known(r.recorded_at)
    )
    dues = tuple(
        d if is_known(d.paid_at) else msgspec.structs.replace(d, paid_on=None)
        for d in facts.dues if is_known(d.assessed_at)
    )
    died_on = facts.died_on if is_known(facts.died_recorded_at) else None
    return msgspec.structs.replace(facts, relations=relations, dues=dues, died_on=died_on)


def month_of(day: date) -> int:
    """Return the number of a day's month, counted through the years."""
    return day.year * 12 + day.month - 1


@lru_cache(maxsize=4096)
def first_day(month: int) -> date:
    """Return the first day of a numbered month."""
    year, index = divmod(month, 12)
    return date(year, index + 1, 1)
