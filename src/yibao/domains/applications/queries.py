"""Reads of filings."""

from __future__ import annotations

from datetime import date

import asyncpg

from yibao.infra.database import Connection

CHRONIC = """
select disease_code, disease_name, valid_from, valid_to from applications.chronic_recognition
where psn_no = $1 and (valid_to is null or valid_to > $2) order by disease_code, valid_from
"""


async def list_chronic_recognitions(tx: Connection, psn_no: str, *, on: date) -> list[asyncpg.Record]:
    """Return the recognitions of chronic diseases of a person that have not ended on a day."""
    return await tx.fetch(CHRONIC, psn_no, on)
