"""Reads of enrolment relations and special identities."""

from __future__ import annotations

from datetime import date

import asyncpg

from yibao.infra.database import Connection

RELATIONS = """
select r.*, coalesce(e.name, '') as emp_name
from enrolment.relation r left join enrolment.employer e on e.emp_no = r.emp_no
where r.psn_no = $1 order by r.insured_on desc
"""
IDENTITIES = "select * from enrolment.special_identity where psn_no = $1 order by valid_from"


async def list_relations(tx: Connection, psn_no: str) -> list[asyncpg.Record]:
    """Return all enrolment relations of a person, the newest first, with the employer's name."""
    return await tx.fetch(RELATIONS, psn_no)


async def find_relation(tx: Connection, psn_no: str, *, insutype: str, on: date) -> asyncpg.Record | None:
    """Return the relation for an insurance that counts on a day: the newest begun by then."""
    for row in await list_relations(tx, psn_no):
        if row["insutype"] == insutype and row["insured_on"] <= on:
            return row
    return None


async def list_identities(tx: Connection, psn_no: str) -> list[asyncpg.Record]:
    """Return all special identities of a person with their periods."""
    return await tx.fetch(IDENTITIES, psn_no)
