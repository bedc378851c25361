"""What is stored of one person, as one digest: equal before and after means that nothing was written."""

from __future__ import annotations

import asyncio

import asyncpg

TABLES = (
    "people.person", "encounters.encounter", "encounters.stay", "encounters.stay_flag", "encounters.diagnosis",
    "encounters.fee_line", "settlements.settlement", "settlements.stay_settlement", "settlements.counter",
    "ledger.posting", "ledger.personal_account", "platform.message",
)


def stored_of(url: str, psn_no: str) -> str:
    """Return a digest of every row that names the person."""

    async def look() -> str:
        connection = await asyncpg.connect(url)
        try:
            digests = [
                await connection.fetchval(
                    f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t where psn_no = $1",
                    psn_no,
                )
                for table in TABLES
            ]
        finally:
            await connection.close()
        return "".join(digests)

    return asyncio.run(look())
