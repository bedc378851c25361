"""When dues are to be paid: last day of a month, the residents' season, from when a newcomer may pay, what an account pays."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import msgspec

from yibao.policy.law.conditions import Facts
from yibao.policy.law.parameters import RegionPolicy, Row, first_match

_AUTUMN = 7
"""A season that begins in this month or later begins in the year before the one it is for."""


class Season(msgspec.Struct, frozen=True):
    """The residents' season for a year: first and last day (both counted), and the rule behind it."""

    first: date
    last: date
    rule: str


def collection_row(policy: RegionPolicy, key: str, on: date, *, insutype: str, **facts: str) -> Row | None:
    """Return the row of a collecting rule (``due_day``, ``resident_season`` ...) that applies on a day, None if none.

    Args:
        facts: ``person`` (class of the region), ``account_kind``, ``enrolment_kind``, ``payer``, ``part``; absent ones are
            empty, so that a row which asks for them does not apply.
    """
    law = policy.law_on(on)
    if law is None:
        return None
    known: Facts = {
        "insutype": insutype, "person": "", "age": 0, "identity": (), "account_kind": "", "enrolment_kind": "",
        "maternity": "", "pregnancy_months": 0, "foetuses": 1, "paid_months": 0, "payer": "", "part": "", "missed_years": 0,
        **facts,
    }
    return first_match(law.reckoning.get(key, ()), known)


def last_day(policy: RegionPolicy, month: date, *, insutype: str, enrolment_kind: str = "") -> date:
    """Return the last day on which a month's dues are paid in time: ``due_day`` of that month, else the month's last day."""
    end = monthrange(month.year, month.month)[1]
    row = collection_row(policy, "due_day", month, insutype=insutype, enrolment_kind=enrolment_kind)
    return month.replace(day=min(row.number, end) if row is not None and not row.absent else end)


def season_of(policy: RegionPolicy, year: int, *, insutype: str) -> Season | None:
    """Return when residents pay for a year, None where the law has no season.

    ``09-01/12-31`` lies in the year before; ``09-01/02-28`` begins there and ends in the year itself. The law of
    1 January of the year decides.
    """
    row = collection_row(policy, "resident_season", date(year, 1, 1), insutype=insutype)
    if row is None or row.absent:
        return None
    first, last = ((int(t[:2]), int(t[3:])) for t in row.word.split("/"))
    begins = year - 1 if first[0] >= _AUTUMN else year
    ends = begins if last >= first else begins + 1
    return Season(date(begins, *first), date(ends, *last), row.used.rule)


def late_pays_subsidy(policy: RegionPolicy, on: date, *, insutype: str, enrolment_kind: str = "") -> Row | None:
    """Return the row by which who pays after the season also owes the public subsidy, None where he does not."""
    row = collection_row(policy, "late_pays_subsidy", on, insutype=insutype, enrolment_kind=enrolment_kind)
    return row if row is not None and row.number else None


def may_pay_from(policy: RegionPolicy, enrolled_on: date, *, insutype: str) -> date:
    """Return the first day on which who enrolled on a day can pay: the same day, or the next (``pay_after_enrolment``)."""
    row = collection_row(policy, "pay_after_enrolment", enrolled_on, insutype=insutype)
    return enrolled_on + timedelta(days=1) if row is not None and row.word == "next_day" else enrolled_on


def is_taken_from_account(
    policy: RegionPolicy, on: date, *, insutype: str, part: str, person: str, account_kind: str
) -> bool:
    """Say whether a part of the dues is taken from the personal account (``dues_from_account``)."""
    row = collection_row(
        policy, "dues_from_account", on, insutype=insutype, part=part, person=person, account_kind=account_kind
    )
    return row is not None and bool(row.number)
