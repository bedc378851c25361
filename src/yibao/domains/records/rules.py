"""The quality check of settlement lists: every rule by its number, pure, in one table.

A rule is a function that yields a hit for each thing wrong; its sentence, its field and what a hit does stand in
``data/records/quality_rules.csv``. Rules R01 to R05 are about the upload itself and are judged where it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time

import msgspec

from yibao.domains.records.model import Finding, ListFacts, QualityTables, Rule, SettlementList
from yibao.kernel.business_time import SHANGHAI, business_date


class Hit(msgspec.Struct, frozen=True):
    """One thing wrong: what stood there, and what it was held against."""

    received: str = ""
    because: str = ""


Check = Callable[[SettlementList, ListFacts, QualityTables], Iterator[Hit]]
CHECKS: dict[str, Check] = {}
"""Rule number -> check; filled by the modules ``check_*`` of this package."""
UPLOAD_RULES = frozenset({"R01", "R02", "R03", "R04", "R05"})
"""Rules about the upload, not about what the list says."""


def check(number: str) -> Callable[[Check], Check]:
    """Register the check of a rule."""

    def register(call: Check) -> Check:
        if number in CHECKS:
            raise AssertionError(f"{number} has two checks")
        CHECKS[number] = call
        return call

    return register


def finding(rule: Rule, *, received: str = "", because: str = "") -> Finding:
    """Return what a rule found as a sentence that begins with its number."""
    text = f"{rule.code} {rule.sentence}" + (f"（{because}）" if because else "")
    return Finding(rule.code, rule.severity, rule.field, text, received)


def judge(
    submitted: SettlementList, facts: ListFacts, *, tables: QualityTables, rules: Mapping[str, Rule]
) -> list[Finding]:
    """Apply every check to a list and return everything found, by rule number."""
    found = []
    if facts.today > facts.due_on:
        found.append(finding(rules["R05"], received=str(facts.today), because=f"应于{facts.due_on}前上报"))
    for number in sorted(CHECKS):
        rule = rules[number]
        found += [
            finding(rule, received=hit.received, because=hit.because)
            for hit in CHECKS[number](submitted, facts, tables)
        ]
    return found


def age_in_days(birth_on: date, on: date) -> int:
    """Return the age in days; the day of birth is day 0."""
    return (on - birth_on).days


def stay_days(began_on: date, ended_on: date) -> int:
    """Return the days of a stay: the day of admission counts, that of discharge does not, one day at least."""
    return max((ended_on - began_on).days, 1)


def tells_only_day(at: datetime) -> bool:
    """Say whether an instant is the midnight that stands for a day whose time was not told."""
    return at.astimezone(SHANGHAI).time() == time()


def is_before(first: datetime, second: datetime) -> bool:
    """Say whether an instant lies before another; by day where one of them tells only the day."""
    if tells_only_day(first) or tells_only_day(second):
        return business_date(first) < business_date(second)
    return first < second


NOTHING = frozenset({"", "-", "--", "/", "—", "无", "null", "NULL", "N/A", "0"})
"""What systems write into a text that does not apply; numbers that do not apply they send as 0."""


def said(text: str) -> str:
    """Return a text, "" where it says that there is nothing to say."""
    return "" if text in NOTHING else text


def said_duration(text: str) -> str:
    """Return the text of a duration, "" where it says nothing or no time at all, however that is written."""
    return said(text) and ("" if not text.strip("0/-:. 天日小时分钟") else text)
