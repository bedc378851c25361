"""Say whether somebody has benefits on a day, as known now or as known at any other instant: why, by which clause, what next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.enrolment.queries import find_relation
from yibao.domains.enrolment.rules import benefit_faults
from yibao.domains.entitlement.queries import list_spells
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.benefit_words import REASONS, words_of
from yibao.usecases.settlement.shelf import PolicyShelf


class Clause(msgspec.Struct, frozen=True):
    """A row of the law behind a status: its id, what it is about, what it says, who published it, how sure it is."""

    rule: str
    name: str
    clause: str
    source: str
    mark: str


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one status. Half-open; ``end_on`` null: until something changes.

    Attributes:
        known_from: since when this was known; null for what was loaded with the enrolment.
        paid_months: months of continuous payment when the period begins.
    """

    psn_no: str
    insutype: str
    admdvs: str
    is_due: bool
    reason: str
    sentence: str
    next_step: str
    begin_on: date
    end_on: date | None
    clauses: list[Clause]
    psn_type: str
    account_kind: str
    paid_months: int
    known_from: datetime | None = None


async def benefit_on(
    tx: Connection, psn_no: str, *, insutype: str, on: date, now: datetime, shelf: PolicyShelf,
    known_at: datetime | None = None,
) -> Benefit | Refusal:
    """Return the status of an insurance on a day; ``known_at`` asks what was known at an earlier instant.

    Refuses somebody unknown, and somebody who had never been enrolled by that day as far as was known.
    """
    for benefit in await _history(tx, psn_no, insutype=insutype, known_at=known_at or now, shelf=shelf):
        if benefit.begin_on <= on and (benefit.end_on is None or on < benefit.end_on):
            return benefit
    person = await find_person(tx, psn_no)
    if person is None:
        return _unknown(psn_no)
    loaded = await _loaded(tx, psn_no, insutype=insutype, on=on, died_on=person["died_on"]) if known_at is None else None
    if loaded is not None:
        return loaded
    return refuse("NOT_ENROLLED", f"截至所问时刻，参保人在{on.isoformat()}没有险种{insutype}的参保关系", field="insutype",
                  received=insutype, remedy="请核对险种和日期，或办理参保登记")


async def benefit_history(
    tx: Connection, psn_no: str, *, insutype: str = "", known_at: datetime, shelf: PolicyShelf
) -> list[Benefit] | Refusal:
    """Return all periods of a person, by insurance and day, as they were known at an instant."""
    if await find_person(tx, psn_no) is None:
        return _unknown(psn_no)
    return await _history(tx, psn_no, insutype=insutype, known_at=known_at, shelf=shelf)


async def benefits_today(
    tx: Connection, psn_no: str, *, now: datetime, shelf: PolicyShelf
) -> list[Benefit]:
    """Return the status of each insurance today, as known now; for certificates and pages."""
    today = business_date(now)
    rows = await _history(tx, psn_no, insutype="", known_at=now, shelf=shelf)
    return [b for b in rows if b.begin_on <= today and (b.end_on is None or today < b.end_on)]


async def _history(
    tx: Connection, psn_no: str, *, insutype: str, known_at: datetime, shelf: PolicyShelf
) -> list[Benefit]:
    rows = await list_spells(tx, psn_no, known_at=known_at, insutype=insutype)
    return [_benefit(dict(row), shelf) for row in rows]


def _benefit(row: Mapping[str, Any], shelf: PolicyShelf) -> Benefit:
    policy, reason = shelf.of(row["admdvs"]), REASONS[row["reason"]]
    return Benefit(
        psn_no=row["psn_no"], insutype=row["insutype"], admdvs=row["admdvs"], is_due=row["is_due"], reason=row["reason"],
        sentence=words_of(row["reason"], row["begin_on"], row["end_on"]), next_step=reason.remedy,
        begin_on=row["begin_on"], end_on=row["end_on"],
        clauses=[] if isinstance(policy, Refusal) else _clauses(policy, row["rules"], row["begin_on"]),
        psn_type=row["psn_type"], account_kind=row["account_kind"], paid_months=row["paid_months"],
        known_from=row["known_from"],
    )


def _clauses(policy: RegionPolicy, rules: list[str], day: date) -> list[Clause]:
    """Return what the rows say, in the wording of the day or, before the law began, in the first one."""
    found = []
    for rule in rules:
        rows = [r for r in policy.rows if r.used.rule == rule]
        used = next((r.used for r in rows if r.in_force(day)), rows[0].used if rows else None)
        if used is not None:
            found.append(Clause(used.rule, used.name, used.clause, used.source, used.mark))
    return found


async def _loaded(
    tx: Connection, psn_no: str, *, insutype: str, on: date, died_on: date | None
) -> Benefit | None:
    """Return what the enrolment was loaded with, for somebody whose facts have not changed since."""
    r = await find_relation(tx, psn_no, insutype=insutype, on=on)
    if r is None:
        return None
    faults = benefit_faults(
        insutype=insutype, status=r["status"], status_reason=r["status_reason"], benefit_from=r["benefit_from"],
        benefit_to=r["benefit_to"], died_on=died_on, on=on,
    )
    return Benefit(
        psn_no=psn_no, insutype=insutype, admdvs=r["admdvs"], is_due=not faults, reason="loaded",
        sentence=faults[0].reason if faults else words_of("loaded", r["benefit_from"], r["benefit_to"]),
        next_step=faults[0].remedy if faults else "", begin_on=r["benefit_from"], end_on=r["benefit_to"], clauses=[],
        psn_type=r["psn_type"], account_kind=r["account_kind"], paid_months=r["paid_months"],
    )


def _unknown(psn_no: str) -> Refusal:
    return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
