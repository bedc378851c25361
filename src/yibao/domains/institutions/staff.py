"""Which departments and practitioners an institution has registered on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import asyncpg

from yibao.infra.database import Connection

PRACTITIONERS = """
select code, name from institutions.practitioner
where fixmedins_code = $1 and code = any ($2) and registered_on <= $3 and (left_on is null or left_on > $3)
"""
DEPARTMENTS = """
select dept_code, name, caty from institutions.department
where fixmedins_code = $1 and (dept_code = $2 or name = $2) and opened_on <= $3 and (closed_on is null or closed_on > $3)
limit 1
"""


async def registered_practitioners(
    tx: Connection, fixmedins_code: str, *, codes: Iterable[str], on: date
) -> frozenset[str]:
    """Return those of ``codes`` that are registered at the institution on a day."""
    rows = await tx.fetch(PRACTITIONERS, fixmedins_code, sorted(set(codes)), on)
    return frozenset(row["code"] for row in rows)


async def find_department(
    tx: Connection, fixmedins_code: str, *, code_or_name: str, on: date
) -> asyncpg.Record | None:
    """Return a department by its code; some clients send its name instead."""
    return await tx.fetchrow(DEPARTMENTS, fixmedins_code, code_or_name, on)
