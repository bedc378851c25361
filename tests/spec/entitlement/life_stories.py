"""Reads the life stories whose tables were made by hand."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.deadline import Extension, Window
from yibao.policy.reckoning.benefit_facts import (
    DueFact,
    IdentityFact,
    LifeFacts,
    RelationFact,
    StandstillFact,
    TransitFact,
    WaiverFact,
)

LIVES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("life_stories.toml").read_text())["life"]


class Line(NamedTuple):
    """One line of a table: days from begin to before end (None: for ever) with status, reason and clause."""

    begin: date
    end: date | None
    insutype: str
    is_due: bool
    reason: str
    rule: str


def facts_of(life: dict[str, Any]) -> LifeFacts:
    """Return the facts of a story. A payment is known at noon of its day, a due from the first day of its month."""
    region = life.get("region", "370300")
    relations = tuple(
        RelationFact(
            relation_id=f"r{n}", admdvs=region, insutype=insutype, psn_type=psn_type, kind=kind,
            insured_on=date.fromisoformat(begin), paused_on=date.fromisoformat(end) if end else None,
            recorded_at=_noon(date.fromisoformat(begin)),
            ended_recorded_at=life.get("ended_at") or (_noon(date.fromisoformat(end)) if end else None),
        )
        for n, (begin, end, insutype, psn_type, kind) in enumerate(life["relations"], 1)
    )
    monthly = [
        ["310", f"{month:%Y-%m}", 1, month.replace(day=day).isoformat(), "regular"]
        for first, last, day in life.get("monthly", ())
        for month in _months(first, last)
    ]
    dues = tuple(_due(*row) for row in [*monthly, *life.get("dues", ())])
    identities = tuple(
        IdentityFact(code, date.fromisoformat(a), date.fromisoformat(b) if b else None)
        for code, a, b in life.get("identities", ())
    )
    elsewhere = tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in life.get("elsewhere", ()))
    return LifeFacts(
        birth_on=life.get("birth_on", date(1975, 5, 5)), died_on=life.get("died_on"),
        died_recorded_at=life.get("died_at"), relations=relations, dues=dues, identities=identities,
        elsewhere=elsewhere, **_windows(life, region),
    )


def _windows(life: dict[str, Any], region: str) -> dict[str, Any]:
    """Return what windows did to paying."""
    return {
        "waivers": tuple(
            WaiverFact(admdvs=region, insutype=insutype, first=_begin(a), until=_end(b), pay_by=date.fromisoformat(pay_by),
                       keeps=keeps, rule=rule)
            for insutype, a, b, pay_by, keeps, rule in life.get("waivers", ())
        ),
        "transits": tuple(
            TransitFact(insutype=insutype, month=_begin(month), until_on=date.fromisoformat(until), rule=rule)
            for insutype, month, until, rule in life.get("transits", ())
        ),
        "standstills": tuple(
            StandstillFact(
                admdvs=region, clock=clock, window=Window(date.fromisoformat(a), date.fromisoformat(b) + timedelta(days=1)),
                extension=Extension(way="fixed" if until else "window", until=date.fromisoformat(until) if until else None,
                                    rule=rule), year=year)
            for clock, a, b, until, year, rule in life.get("standstills", ())
        ),
    }


def lines_of(table: list[list[Any]]) -> list[Line]:
    """Return the lines of a table with exact days."""
    return [
        Line(_begin(a), _end(b) if b else None, insutype, is_due, reason, rule)
        for a, b, insutype, is_due, reason, rule in table
    ]


def _due(insutype: str, month: str, months: int, paid_on: str, kind: str) -> DueFact:
    first = date.fromisoformat(f"{month}-01")
    paid = date.fromisoformat(paid_on) if paid_on else None
    known = min(first, paid) if paid else first
    return DueFact(
        insutype=insutype, month=first, months=months, kind=kind, paid_on=paid,
        assessed_at=_noon(paid) if kind == "back" and paid else datetime.combine(known, time(0), SHANGHAI),
        paid_at=_noon(paid) if paid else None,
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SHANGHAI)


def _begin(text: str) -> date:
    return date.fromisoformat(text if len(text) == 10 else f"{text}-01")


def _end(text: str) -> date:
    """Return the day after the last one."""
    if len(text) == 10:
        return date.fromisoformat(text) + timedelta(days=1)
    return (date.fromisoformat(f"{text}-01") + timedelta(days=32)).replace(day=1)


def _months(first: str, last: str) -> list[date]:
    months, month = [], date.fromisoformat(f"{first}-01")
    while month <= date.fromisoformat(f"{last}-01"):
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months
