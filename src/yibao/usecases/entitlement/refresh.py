"""Make the benefit spells of persons anew from the facts; whoever changes such facts calls it in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import asyncpg

from yibao.domains.entitlement.operations import Key, add_spells, close_spells, project
from yibao.domains.entitlement.queries import KNOWN_NOW, NEWEST
from yibao.infra.database import Connection
from yibao.policy.reckoning.benefit_facts import Spell
from yibao.policy.reckoning.benefit_law import BenefitLaw
from yibao.policy.reckoning.benefit_status import benefit_spells
from yibao.policy.reckoning.benefit_words import words_of
from yibao.usecases.entitlement.gather_lives import Life, gather_lives
from yibao.usecases.settlement.shelf import PolicyShelf

_Projection = tuple[str, str, date, date | None, int, str]


async def refresh_entitlement(
    tx: Connection, psn_nos: Sequence[str], *, now: datetime, shelf: PolicyShelf
) -> int:
    """Recompute the spells of persons and write what differs; return how many persons changed.

    Facts are relations, dues, identities, death and months taken over, as they stand in this transaction. Superseded
    spells are closed at ``now``. The newest spell of each relation is written into the relation, and the person's version
    moves, whether or not a spell changed: the caller has changed something that settlements rest on.
    """
    lives = await gather_lives(tx, sorted(set(psn_nos)), now=now)
    known = list(lives)
    stored: dict[str, dict[Key, asyncpg.Record]] = defaultdict(dict)
    for row in await tx.fetch(KNOWN_NOW, known):
        stored[row["psn_no"]][row["psn_no"], row["insutype"], row["begin_on"]] = row
    newest = {r["psn_no"]: r["known_from"] for r in await tx.fetch(NEWEST, known)}
    # A clock that stands behind what is known already adds nothing before it.
    at = max([now, *newest.values()])
    law = law_of(shelf)
    closed: list[Key] = []
    added: list[tuple[object, ...]] = []
    projected: list[_Projection] = []
    changed = set()
    for no, life in lives.items():
        if not all(law.knows(r.admdvs) for r in life.facts.relations):
            continue
        spells = benefit_spells(life.facts, law)
        gone, new = _differences(no, spells, stored[no])
        if gone or new:
            changed.add(no)
            closed += gone
            added += [_row(no, s, at, law) for s in new]
        projected += _projected(no, life, spells)
    await close_spells(tx, closed, at=at)
    await add_spells(tx, added)
    await project(tx, projected, known)
    return len(changed)


_laws: dict[int, tuple[PolicyShelf, BenefitLaw]] = {}


def law_of(shelf: PolicyShelf) -> BenefitLaw:
    """Return the law of a shelf with what it has answered so far; a process holds one shelf at a time."""
    kept = _laws.get(id(shelf))
    if kept is None or kept[0] is not shelf:
        _laws.clear()
        kept = _laws[id(shelf)] = (shelf, BenefitLaw(shelf.of))
    return kept[1]


def _differences(
    no: str, spells: Sequence[Spell], stored: Mapping[Key, asyncpg.Record]
) -> tuple[list[Key], list[Spell]]:
    """Return which stored spells are known no longer, and which are new."""
    made: dict[Key, Spell] = {(no, s.insutype, s.begin_on): s for s in spells}
    same = {key for key, row in stored.items() if key in made and _says(row) == made[key]}
    return [key for key in stored if key not in same], [s for key, s in made.items() if key not in same]


def _says(row: asyncpg.Record) -> Spell:
    return Spell(
        insutype=row["insutype"], begin_on=row["begin_on"], end_on=row["end_on"], is_due=row["is_due"],
        reason=row["reason"], rules=tuple(row["rules"]), relation_id=row["relation_id"], admdvs=row["admdvs"],
        psn_type=row["psn_type"], account_kind=row["account_kind"], paid_months=row["paid_months"],
    )


def _row(no: str, s: Spell, at: datetime, law: BenefitLaw) -> tuple[object, ...]:
    return (
        no, s.insutype, s.begin_on, s.end_on, at, None, s.admdvs, s.is_due, s.reason, list(s.rules), s.relation_id,
        s.psn_type, s.account_kind, s.paid_months, law.version(s.admdvs),
    )


def _projected(no: str, life: Life, spells: Sequence[Spell]) -> list[_Projection]:
    """Return what changes in the relations: the newest period with benefits, and why they stop or have not begun."""
    rows = []
    for r in life.relations:
        own = [s for s in spells if s.relation_id == r["relation_id"]]
        if not own:
            continue
        due = [s for s in own if s.is_due]
        first = due[-1] if due else own[0]
        last = own[-1]
        row = (
            no, r["relation_id"], first.begin_on, first.end_on if due else first.begin_on,
            first.paid_months, "" if last.is_due else words_of(last.reason, last.begin_on, last.end_on),
        )
        if row[2:] != (r["benefit_from"], r["benefit_to"], r["paid_months"], r["status_reason"]):
            rows.append(row)
    return rows
