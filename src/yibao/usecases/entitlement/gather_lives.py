"""Gather what the benefit status of persons rests on, as it stands in this transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.deadlines.model import EXTENSION, WAIVER, Term, Transit
from yibao.domains.deadlines.queries import terms_of, transits_of
from yibao.domains.entitlement.operations import keep_openings
from yibao.domains.entitlement.queries import DUES, ELSEWHERE, IDENTITIES, OPENINGS, RELATIONS, take_people
from yibao.infra.database import Connection
from yibao.kernel.deadline import OPEN
from yibao.policy.reckoning.benefit_facts import (
    DueFact,
    IdentityFact,
    LifeFacts,
    RelationFact,
    StandstillFact,
    TransitFact,
    WaiverFact,
)


class Life(msgspec.Struct, frozen=True):
    """The facts of a person, and the rows of the relations they were read from."""

    facts: LifeFacts
    relations: Sequence[asyncpg.Record]


async def gather_lives(tx: Connection, psn_nos: Sequence[str], *, now: datetime) -> dict[str, Life]:
    """Return the facts of persons; the persons are locked until the transaction ends.

    What a loaded relation says of its benefits is kept the first time, before anything is written over it.
    """
    people = await take_people(tx, psn_nos)
    known = [p["psn_no"] for p in people]
    relations = _grouped(await tx.fetch(RELATIONS, known))
    openings = await _openings(tx, known, relations, now)
    dues = _grouped(await tx.fetch(DUES, known))
    identities = _grouped(await tx.fetch(IDENTITIES, known))
    elsewhere = _grouped(await tx.fetch(ELSEWHERE, known))
    waivers, standstills = _promises(await terms_of(tx, sorted({r["admdvs"] for rows in relations.values() for r in rows})))
    transits = _in_transit(await transits_of(tx, known))
    lives = {}
    for p in people:
        no = p["psn_no"]
        facts = LifeFacts(
            birth_on=p["birth_on"], died_on=p["died_on"],
            relations=tuple(_relation(r, openings) for r in relations[no]),
            dues=tuple(_due(d) for d in dues[no]),
            identities=tuple(IdentityFact(i["identity_type"], i["valid_from"], i["valid_to"]) for i in identities[no]),
            elsewhere=tuple((e["first_month"], e["until_month"]) for e in elsewhere[no]),
            waivers=waivers, transits=tuple(transits[no]), standstills=standstills,
        )
        lives[no] = Life(facts, relations[no])
    return lives


def _promises(terms: Sequence[Term]) -> tuple[tuple[WaiverFact, ...], tuple[StandstillFact, ...]]:
    """Return what published plans promise about paying: months that cost nothing, and limits that move."""
    waivers = tuple(
        WaiverFact(admdvs=t.admdvs, insutype=t.what, first=t.first_month, until=t.until_month, pay_by=t.until_on or OPEN,
                   keeps=t.is_wide, rule=t.rule)
        for t in terms if t.kind == WAIVER and t.first_month is not None and t.until_month is not None
    )
    standstills = tuple(
        StandstillFact(admdvs=t.admdvs, clock=t.what, extension=t.extension, window=t.window, year=t.year)
        for t in terms if t.kind == EXTENSION and t.what in ("season", "newborn", "gap")
    )
    return waivers, standstills


def _in_transit(transits: Iterable[Transit]) -> Mapping[str, list[TransitFact]]:
    found: dict[str, list[TransitFact]] = defaultdict(list)
    for t in transits:
        found[t.psn_no].append(TransitFact(insutype=t.insutype, month=t.month, until_on=t.until_on, rule=t.rule))
    return found


def _grouped(rows: Iterable[asyncpg.Record]) -> Mapping[str, list[asyncpg.Record]]:
    grouped: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        grouped[row["psn_no"]].append(row)
    return grouped


_Openings = dict[tuple[str, str], asyncpg.Record]


async def _openings(
    tx: Connection, known: Sequence[str], relations: Mapping[str, list[asyncpg.Record]], now: datetime
) -> _Openings:
    """Return what loaded relations said of their benefits; a relation nobody recorded was loaded."""
    openings: _Openings = {(o["psn_no"], o["relation_id"]): o for o in await tx.fetch(OPENINGS, known)}
    loaded = [r for rows in relations.values() for r in rows if r["recorded_at"] is None]
    new = [r for r in loaded if (r["psn_no"], r["relation_id"]) not in openings]
    await keep_openings(tx, [
        (r["psn_no"], r["relation_id"], r["admdvs"], r["benefit_from"], r["benefit_to"], r["paid_months"], now)
        for r in new
    ])
    return openings | {(r["psn_no"], r["relation_id"]): r for r in new}


def _relation(row: asyncpg.Record, openings: _Openings) -> RelationFact:
    opening = openings.get((row["psn_no"], row["relation_id"]))
    return RelationFact(
        relation_id=row["relation_id"], admdvs=row["admdvs"], insutype=row["insutype"], psn_type=row["psn_type"],
        account_kind=row["account_kind"], kind=row["enrolment_kind"], insured_on=row["insured_on"],
        paused_on=row["paused_on"], is_ended=row["is_ended"],
        loaded_from=opening["benefit_from"] if opening else None, loaded_to=opening["benefit_to"] if opening else None,
        loaded_months=opening["paid_months"] if opening else 0, recorded_at=row["recorded_at"],
        ended_recorded_at=row["ended_recorded_at"],
    )


def _due(row: asyncpg.Record) -> DueFact:
    return DueFact(
        insutype=row["insutype"], month=row["month"], months=row["months"], kind=row["kind"], paid_on=row["paid_on"],
        assessed_at=row["assessed_at"], paid_at=row["paid_at"],
    )
