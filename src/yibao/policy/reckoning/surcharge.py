"""The surcharge on late dues: so much a day from the last day of payment, in one rounding."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.kernel.money import share
from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.lookup import look_up


class Surcharge(msgspec.Struct, frozen=True):
    """A surcharge in fen, the days it is for, the daily ratio in ten-thousandths, and the rule behind it."""

    amount: int
    days: int
    ratio: int
    rule: str


NO_SURCHARGE = Surcharge(0, 0, 0, "")


def surcharge_on(case: DuesCase, policy: RegionPolicy, amount: int, *, due_on: date, paid_on: date) -> Surcharge | Refusal:
    """Return what is added to ``amount`` (fen) that was due until ``due_on`` and is paid on ``paid_on``.

    The first day counted is the one after ``due_on``, the last one the day of payment: ratio × days × amount, rounded
    half up once. The law of the day ``due_on`` decides; where it names no rate for the case, nothing is added.
    """
    days = (paid_on - due_on).days
    if days <= 0:
        return NO_SURCHARGE
    lookup = look_up(msgspec.structs.replace(case, on=due_on), policy)
    if isinstance(lookup, Refusal):
        return lookup
    row = lookup.first("surcharge_daily")
    if row is None or row.absent:
        return NO_SURCHARGE
    return Surcharge(share(amount, row.number * days), days, row.number, row.used.rule)
