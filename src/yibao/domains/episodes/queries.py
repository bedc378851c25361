"""Reads of episodes, their cash and their steps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.episodes.model import Cash, Episode, RemoteFiling, Step
from yibao.infra.database import Connection

BY_ID = """
select * from episodes.episode where psn_no = $1 and episode_id = $2
"""
BY_VISIT = """
select * from episodes.episode where fixmedins_code = $1 and kind = $2 and visit_no = $3
  and state not in ('withdrawn', 'returned')
"""
OF_STAY = """
select * from episodes.episode where psn_no = $1 and mdtrt_id = $2 and kind = 'stay'
  and state not in ('withdrawn', 'returned') order by received_at desc limit 1
"""
FIND = """
select * from episodes.episode
where ($1 = '' or admdvs = $1) and ($2 = '' or fixmedins_code = $2) and ($3 = '' or psn_no = $3)
  and ($4 = '' or state = $4) and ($5 = '' or plan = $5) and ($6 = '' or cause = $6)
order by begin_at, episode_id limit $7
"""
STAY_WITHIN = """
select * from episodes.episode
where psn_no = $1 and kind = 'stay' and state not in ('withdrawn', 'returned')
  and begin_at < coalesce($3, 'infinity'::timestamptz) and coalesce(end_at, 'infinity'::timestamptz) > $2
order by begin_at limit 1
"""
OVERDUE = """
select * from episodes.episode
where admdvs = $1 and state in ('held', 'entered') and settle_by < $2 order by psn_no, episode_id limit $3
"""
JUDGED_BEFORE = """
select * from episodes.episode
where admdvs = $1 and plan = $2 and plan_version < $3 and state in ('held', 'entered') order by psn_no, episode_id limit $4
"""
CASH_OF = "select * from episodes.cash where psn_no = $1 and episode_id = $2 order by ordinal"
STEPS_OF = "select * from episodes.step where psn_no = $1 and episode_id = $2 order by ordinal"
REMOTE_ON = """
select * from episodes.remote_filing
where psn_no = $1 and left(care_admdvs, 4) = left($2, 4) and valid_from <= $3 and (valid_to is null or valid_to > $3)
order by filed_at desc limit 1
"""
CASH_REPORT = """
select kind, count(*) as n, sum(amount_fen)::bigint as amount_fen from episodes.cash
where fixmedins_code = $1 and at >= $2 and at < $3 group by kind order by kind
"""
RECEIPT_TAKEN = "select episode_id from episodes.cash where fixmedins_code = $1 and receipt_no = $2"
ENCOUNTER = """
select e.psn_no, e.mdtrt_id, e.admdvs, e.care_admdvs, e.fixmedins_code, e.insutype, e.psn_type, e.med_type, e.begin_at, e.state,
       s.mdtrt_id is not null as is_stay, s.discharged_at
from encounters.encounter e left join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
where e.fixmedins_code = $1 and e.ipt_otp_no = $2 and e.state <> 'cancelled'
"""


def read(row: Any) -> Episode:
    """Return a row as an episode."""
    return msgspec.convert(dict(row), Episode)


async def find_episode(tx: Connection, psn_no: str, episode_id: str, *, lock: bool = False) -> Episode | None:
    """Return an episode; with ``lock`` its row stays locked until the transaction ends."""
    row = await tx.fetchrow(BY_ID + ("for update" if lock else ""), psn_no, episode_id)
    return None if row is None else read(row)


async def find_by_visit(tx: Connection, *, fixmedins_code: str, kind: str, visit_no: str) -> Episode | None:
    """Return the live episode that an institution's number stands for."""
    row = await tx.fetchrow(BY_VISIT, fixmedins_code, kind, visit_no)
    return None if row is None else read(row)


async def find_of_stay(tx: Connection, *, psn_no: str, mdtrt_id: str) -> Episode | None:
    """Return the live episode of a stay that has its id."""
    row = await tx.fetchrow(OF_STAY, psn_no, mdtrt_id)
    return None if row is None else read(row)


async def find_stay_within(
    tx: Connection, psn_no: str, *, begin: datetime, end: datetime | None
) -> Episode | None:
    """Return a noted stay of a person that meets ``[begin, end)``; None goes on."""
    row = await tx.fetchrow(STAY_WITHIN, psn_no, begin, end)
    return None if row is None else read(row)


async def list_episodes(
    tx: Connection, *, admdvs: str = "", fixmedins_code: str = "", psn_no: str = "", state: str = "", plan: str = "",
    cause: str = "", limit: int = 200,
) -> list[Episode]:
    """Return episodes in the order of service; ``""`` selects all."""
    return [read(r) for r in await tx.fetch(FIND, admdvs, fixmedins_code, psn_no, state, plan, cause, limit)]


async def list_overdue(tx: Connection, *, admdvs: str, on: date, limit: int) -> list[Episode]:
    """Return open episodes whose last day for backfill lies before a day."""
    return [read(r) for r in await tx.fetch(OVERDUE, admdvs, on, limit)]


async def list_judged_before(
    tx: Connection, *, admdvs: str, plan: str, version: int, limit: int
) -> list[Episode]:
    """Return open episodes that an older version of a plan has judged."""
    return [read(r) for r in await tx.fetch(JUDGED_BEFORE, admdvs, plan, version, limit)]


async def list_cash(tx: Connection, *, psn_no: str, episode_id: str) -> list[Cash]:
    """Return the cash of an episode in its order."""
    return [Cash(*r) for r in await tx.fetch(CASH_OF, psn_no, episode_id)]


async def list_steps(tx: Connection, *, psn_no: str, episode_id: str) -> list[Step]:
    """Return what happened to an episode."""
    return [Step(*r) for r in await tx.fetch(STEPS_OF, psn_no, episode_id)]


async def cash_report(
    tx: Connection, *, fixmedins_code: str, begin: datetime, end: datetime
) -> list[asyncpg.Record]:
    """Return number and sum of each kind of cash at an institution in ``[begin, end)``."""
    return await tx.fetch(CASH_REPORT, fixmedins_code, begin, end)


async def taken_receipts(tx: Connection, *, fixmedins_code: str, receipts: Iterable[str]) -> list[str]:
    """Return those of an institution's receipt numbers that stand for cash already."""
    return [r for r in receipts if r and await tx.fetchval(RECEIPT_TAKEN, fixmedins_code, r)]


async def find_visit(tx: Connection, *, fixmedins_code: str, visit_no: str) -> asyncpg.Record | None:
    """Return the encounter that uses an institution's number, with ``is_stay`` and ``discharged_at``; None without one."""
    return await tx.fetchrow(ENCOUNTER, fixmedins_code, visit_no)


async def find_remote_filing(
    tx: Connection, *, psn_no: str, care_admdvs: str, on: date
) -> RemoteFiling | None:
    """Return the late filing for care in a city that holds on a day, the newest first."""
    row = await tx.fetchrow(REMOTE_ON, psn_no, care_admdvs, on)
    return None if row is None else RemoteFiling(**dict(row))
