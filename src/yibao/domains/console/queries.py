"""Counts of the window desk; none of them names a person."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from yibao.domains.console.model import Day, Problem, Rate, YearByHand
from yibao.infra.database import Connection

PROBLEMS = """
select p.admdvs, p.problem_id, p.business, p.title, p.says, p.workaround,
       case when p.book = '' or p.closed_at is not null then p.people
            else (select count(*) from registers.entry e
                  where e.admdvs = p.admdvs and e.kind = p.book and e.ended_at is null)::integer end as people,
       p.book, p.opened_at, p.opened_by, p.close_by, p.moved, p.closed_at, p.closed_by, p.outcome
from console.problem p
where p.admdvs = $1 and ($2 = '' or p.problem_id = $2) and ($3 or p.closed_at is null)
order by p.closed_at is not null, p.close_by, p.problem_id
"""
# The day before the first is what was open when the count begins.
BURN_DOWN = """
with entry as (
    select (received_at at time zone 'Asia/Shanghai')::date as came, (ended_at at time zone 'Asia/Shanghai')::date as went
    from registers.entry where admdvs = $1 and plan = $2
), day as (select generate_series($3::date, $4::date, interval '1 day')::date as on_day)
select on_day, (select count(*) from entry where came = on_day)::integer as received,
       (select count(*) from entry where went = on_day)::integer as ended,
       (select count(*) from entry where came <= on_day and (went is null or went > on_day))::integer as open
from day order by on_day
"""
THEMES = """
select theme, count(*)::integer as calls from console.call where admdvs = $1 and at >= $2 group by theme order by 2 desc, 1
"""
EPISODES = """
select state, count(*)::integer as episodes, min(received_at) as oldest, min(settle_by) as settle_by,
       sum(paid_fen)::bigint as paid_fen, sum(due_fen)::bigint as due_fen, sum(back_fen)::bigint as back_fen,
       sum(topup_fen)::bigint as topup_fen
from episodes.episode where admdvs = $1 and plan = $2 group by state order by state
"""
BY_HAND = """
select psn_no, insutype, year, max(at) as at, (array_agg(refusal order by at desc))[1] as why
from backfill.reordering where admdvs = $1 and refusal <> '' group by psn_no, insutype, year order by 4 desc limit $2
"""
# A refusal that names what is wrong with a message is the sender's; what the platform owes is in the other three.
RATES = """
with seen as (
    select sender, 'answered' as outcome, null as refusal_code from platform.message where admdvs = $1 and received_at >= $2
    union all
    select sender, outcome, refusal_code from platform.traffic where admdvs = $1 and received_at >= $2
)
select sender, count(*)::integer as messages,
       (count(*) filter (where outcome in ('refused', 'unavailable', 'defect')))::integer as failed,
       coalesce(mode() within group (order by coalesce(refusal_code, outcome))
                filter (where outcome in ('refused', 'unavailable', 'defect')), '') as most
from seen group by sender order by 3 desc, 2 desc, 1 limit $3
"""


async def list_problems(tx: Connection, admdvs: str, *, with_closed: bool = False) -> list[Problem]:
    """Return what is known to be wrong in a region, the first to be mended first; what is mended last."""
    return [Problem(**dict(row)) for row in await tx.fetch(PROBLEMS, admdvs, "", with_closed)]


async def find_problem(tx: Connection, admdvs: str, problem_id: str) -> Problem | None:
    """Return a problem, mended or not."""
    row = await tx.fetchrow(PROBLEMS, admdvs, problem_id, True)
    return None if row is None else Problem(**dict(row))


async def count_days(tx: Connection, admdvs: str, *, plan: str, first: date, last: date) -> list[Day]:
    """Return how the registers of a plan filled and emptied, day by day, both days included."""
    return [Day(*row) for row in await tx.fetch(BURN_DOWN, admdvs, plan, first, last)]


async def count_themes(tx: Connection, admdvs: str, *, since: datetime) -> list[asyncpg.Record]:
    """Return what people called about, the most frequent first: theme, calls."""
    return await tx.fetch(THEMES, admdvs, since)


async def count_episodes(tx: Connection, admdvs: str, *, plan: str) -> list[asyncpg.Record]:
    """Return episodes that a plan held up, by state, with the cash of each in fen."""
    return await tx.fetch(EPISODES, admdvs, plan)


async def list_years_by_hand(tx: Connection, admdvs: str, *, limit: int = 50) -> list[YearByHand]:
    """Return benefit years that could not be put into the order of service by themselves, the newest first."""
    return [YearByHand(*row) for row in await tx.fetch(BY_HAND, admdvs, limit)]


async def count_failures(tx: Connection, admdvs: str, *, since: datetime, limit: int = 50) -> list[Rate]:
    """Return messages and failures by institution since an instant, the most failures first."""
    return [Rate(*row) for row in await tx.fetch(RATES, admdvs, since, limit)]
