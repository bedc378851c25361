"""Years that must have been paid or recognised before somebody is insured as retired."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy, Row, first_match
from yibao.policy.reckoning.cases import WaitingCase
from yibao.policy.reckoning.lookup import Lookup, look_up

KEY = "years_needed"
_MONTHS = {"年": 12, "个月": 1}
_WORDS = {"1": "male", "2": "female"}


class Needed(msgspec.Struct, frozen=True):
    """Months the law asks for, in all and paid in this region (0 where it asks for none), with the rules behind them."""

    total_months: int
    actual_months: int
    rules: tuple[str, ...]


def years_needed(
    policy: RegionPolicy, *, on: date, sex: str, psn_type: str, account_kind: str, insutype: str = "310"
) -> Needed | Refusal:
    """Return what the law of a day asks of somebody who retires, or why it cannot be told.

    Where the law tells men and women apart it does so by the word ``male`` or ``female``; a row without it is for both.
    """
    case = WaitingCase(admdvs=policy.admdvs, on=on, insutype=insutype, psn_type=psn_type, account_kind=account_kind,
                       enrolment_kind=_WORDS.get(sex, ""))
    lookup = look_up(case, policy)
    if isinstance(lookup, Refusal):
        return lookup
    total, actual = _row(lookup, "total"), _row(lookup, "actual")
    if total is None:
        return refuse("NO_LAW_FOR_DAY", f"{policy.name}未载入{on.isoformat()}退休所需缴费年限", field="approved_on",
                      received=on.isoformat(), remedy="请核对日期，或由医保部门补充当日的政策参数", basis=KEY)
    rows = [row for row in (total, actual) if row is not None]
    return Needed(_months(total), _months(actual) if actual is not None else 0, tuple(dict.fromkeys(r.used.rule for r in rows)))


def _row(lookup: Lookup, kind: str) -> Row | None:
    return first_match(tuple(r for r in lookup.rows(KEY) if r.extra.get("kind", "total") == kind), lookup.facts)


def _months(row: Row) -> int:
    return 0 if row.absent else row.number * _MONTHS[row.word]
