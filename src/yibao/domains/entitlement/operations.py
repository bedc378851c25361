"""Writes of spells, and of what a relation shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from yibao.infra.database import Connection

DROP = """
delete from entitlement.spell s using unnest($1::text[], $2::text[], $3::date[]) k(psn_no, insutype, begin_on)
where s.psn_no = k.psn_no and s.insutype = k.insutype and s.begin_on = k.begin_on and s.known_to is null
  and s.known_from >= $4
"""
CLOSE = """
update entitlement.spell s set known_to = $4 from unnest($1::text[], $2::text[], $3::date[]) k(psn_no, insutype, begin_on)
where s.psn_no = k.psn_no and s.insutype = k.insutype and s.begin_on = k.begin_on and s.known_to is null
"""
ADD = "insert into entitlement.spell select * from unnest($1::entitlement.spell[])"
KEEP_OPENINGS = """
insert into entitlement.opening select * from unnest($1::entitlement.opening[]) on conflict (psn_no, relation_id) do nothing
"""
PROJECT = """
update enrolment.relation r set benefit_from = k.benefit_from, benefit_to = k.benefit_to, paid_months = k.paid_months,
    status_reason = k.status_reason
from unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::integer[], $6::text[])
    k(psn_no, relation_id, benefit_from, benefit_to, paid_months, status_reason)
where r.psn_no = k.psn_no and r.relation_id = k.relation_id
"""
MOVE = "update people.person set version = version + 1 where psn_no = any($1::text[])"

Key = tuple[str, str, date]
"""Person, insurance and first day: what names a spell among those known now."""


async def close_spells(tx: Connection, keys: Sequence[Key], *, at: datetime) -> None:
    """Close what is known no longer; what would have been known for no time at all goes."""
    if keys:
        columns = [list(column) for column in zip(*keys, strict=True)]
        await tx.execute(DROP, *columns, at)
        await tx.execute(CLOSE, *columns, at)


async def add_spells(tx: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write spells; each is a row in the order of the table."""
    if rows:
        await tx.execute(ADD, rows)


async def keep_openings(tx: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Keep what loaded relations said before their columns are written for the first time."""
    if rows:
        await tx.execute(KEEP_OPENINGS, rows)


async def project(
    tx: Connection, rows: Sequence[tuple[str, str, date, date | None, int, str]], people: Sequence[str]
) -> None:
    """Write into the relations what their newest spell says, and move the persons' versions."""
    if rows:
        await tx.execute(PROJECT, *[list(column) for column in zip(*rows, strict=True)])
    if people:
        await tx.execute(MOVE, people)
