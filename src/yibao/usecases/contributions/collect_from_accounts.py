"""Take dues from personal accounts where the law says so: long-term care, a retiree's large-amount subsidy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.usecases.personal_accounts.take_due import TakeDue, take_dues

CHUNK = 2_000
NAMES = """
select distinct due_id from contributions.due
where admdvs = $1 and payer_kind = 'account' and state in ('assessed', 'sent') and month <= $2 order by due_id
"""
OPEN = """
select psn_no, due_id, funds, amounts, total_fen from contributions.due
where admdvs = $1 and payer_kind = 'account' and state in ('assessed', 'sent') and due_id = $2 and psn_no > $3
order by psn_no limit $4 for update
"""
ARRIVE = """
update contributions.due d set state = 'arrived', paid_on = $3, paid_at = $4, arrived_on = $3, arrived_at = $4
from unnest($1::text[], $2::text[]) x(psn_no, due_id) where d.psn_no = x.psn_no and d.due_id = x.due_id
"""


class Collected(msgspec.Struct, frozen=True):
    """How many dues the accounts paid, their sum in fen, and how many could not: their accounts hold too little."""

    taken: int
    taken_fen: int
    too_low: int


async def collect_from_accounts(
    database: Database, *, admdvs: str, now: datetime, progress: Callable[[str], None] | None = None,
) -> Collected:
    """Take every open due of the accounts that can pay it, a chunk in each transaction; the rest is tried the next time.

    Such dues never cut benefit: they are of other insurances (330, 410). Taken twice is impossible, the ledger's key is the
    due's.
    """
    on = business_date(now)
    async with database.transaction() as tx:
        names = [row["due_id"] for row in await tx.fetch(NAMES, admdvs, on)]
    taken = fen = too_low = 0
    # One due of a person at a time: what an account can pay of the next one is known only then.
    for name in names:
        after = ""
        while True:
            async with database.transaction() as tx:
                rows = await tx.fetch(OPEN, admdvs, name, after, CHUNK)
                if not rows:
                    break
                unpaid = await take_dues(tx, [
                    TakeDue(psn_no=r["psn_no"], admdvs=admdvs, due_id=name,
                            funds=tuple(zip(r["funds"], r["amounts"], strict=True))) for r in rows
                ], now=now)
                paid = [r for r in rows if r["psn_no"] not in unpaid]
                await tx.execute(ARRIVE, [r["psn_no"] for r in paid], [name] * len(paid), on, now)
            after = rows[-1]["psn_no"]
            taken, too_low, fen = taken + len(paid), too_low + len(unpaid), fen + sum(r["total_fen"] for r in paid)
            if progress:
                progress(f"已划扣 {taken} 笔，余额不足 {too_low} 笔")
    return Collected(taken, fen, too_low)
