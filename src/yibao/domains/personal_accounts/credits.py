"""Reads and writes of a month's credits, a chunk of people at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.personal_accounts.crediting import CreditFacts
from yibao.domains.personal_accounts.reasons import REMOVALS
from yibao.infra.database import Connection

TAKE = "select pg_advisory_xact_lock(hashtextextended('credit/' || $1 || '/' || $2::date, 0))"
NEXT = """
select max(psn_no) from (select psn_no from enrolment.relation where psn_no > $1 order by psn_no limit $2) next_people
"""
# One relation of a person stands for the month: the newest that began in it or before. It owes the month's dues unless it
# ended in the month or before; a retiree's that an employer ended is looked at all the same.
FACTS = """
select p.psn_no, p.relation_id, p.psn_type, p.status, p.account_kind, p.enrolment_kind, p.is_in_month, n.died_on, n.birth_on,
       d.base_fen, coalesce(d.state in ('arrived', 'credited'), false) as has_arrived,
       exists (select from enrolment.relation x where x.psn_no = p.psn_no and x.insutype = '390'
               and x.insured_on < $4 and (x.paused_on is null or x.paused_on >= $4)) as is_double,
       -- A lump is one sum of the whole completion: the retirement says that it is owed, the due that it was paid.
       exists (select from enrolment.retirement t where t.psn_no = p.psn_no and t.completion = 'lump')
           and not exists (select from contributions.due l where l.psn_no = p.psn_no and l.insutype = '310'
                           and l.kind = 'lump' and l.state in ('arrived', 'credited')) as owes_lump,
       c.kind as channel, c.card_no is not distinct from n.card_no as is_card_same,
       coalesce(c.bank_account, '') <> '' as has_account, coalesce(c.has_finance, true) as has_finance,
       coalesce(c.is_active, true) as is_active
from (
    select distinct on (x.psn_no) x.psn_no, x.relation_id, x.psn_type, x.status, x.account_kind, x.enrolment_kind, x.end_cause,
           x.paused_on is null or x.paused_on >= $4 as is_in_month
    from enrolment.relation x
    where x.psn_no > $5 and x.psn_no <= $6 and x.admdvs = $1 and x.insutype = '310' and x.insured_on < $4
    order by x.psn_no, x.insured_on desc, x.relation_id desc
) p
join people.person n on n.psn_no = p.psn_no and n.psn_no > $5 and n.psn_no <= $6 and n.merged_into is null
left join lateral (
    select u.base_fen, u.state from contributions.due u
    where u.psn_no = p.psn_no and u.insutype in ('310', '390') and u.insutype = '310' and u.kind in ('regular', 'back')
      and u.state not in ('cancelled', 'refunded') and u.month > $3::date - interval '12 months' and u.month <= $3
      and u.month + make_interval(months => u.months) > $3
    order by u.month desc limit 1) d on true
left join personal_accounts.channel c on c.psn_no = p.psn_no and c.psn_no > $5 and c.psn_no <= $6
where p.account_kind = 'with_account'
  and (p.is_in_month or left(p.psn_type, 2) = any($2::text[]) and p.end_cause = any($7::text[]))
  and not exists (select from personal_accounts.credit k
                  where k.psn_no = p.psn_no and k.month = $3 and k.outcome = 'credited')
order by p.psn_no
"""
STAGE = """
create temp table if not exists credit_stage (psn_no text, outcome text, reason text, relation_id text, psn_type text,
    base_fen bigint, amount_fen bigint, fund text) on commit delete rows
"""
KEEP = """
insert into personal_accounts.credit as k (psn_no, month, admdvs, outcome, reason, relation_id, psn_type, base_fen, amount_fen,
    first_seen_at, decided_at, run_no, policy_version)
select psn_no, $1, $2, outcome, reason, relation_id, psn_type, base_fen, amount_fen, $3, $3, $4, $5 from pg_temp.credit_stage
on conflict (psn_no, month) do update set outcome = excluded.outcome, reason = excluded.reason,
    relation_id = excluded.relation_id, psn_type = excluded.psn_type, base_fen = excluded.base_fen,
    amount_fen = excluded.amount_fen, decided_at = excluded.decided_at, run_no = excluded.run_no,
    policy_version = excluded.policy_version
"""
TO_LEDGER = """
insert into pg_temp.ledger_moves (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts, cash_fen, delta)
select psn_no, $1, $2, 'account_credit', $3, array['fund:' || $2 || ':' || fund, 'account:' || psn_no],
       array[-amount_fen, amount_fen], 0, amount_fen
from pg_temp.credit_stage where outcome = 'credited' and amount_fen > 0
"""
DROP = """
update personal_accounts.credit set outcome = 'dropped', decided_at = $4, run_no = $3
where admdvs = $1 and month = $2 and outcome = 'held' and run_no < $3
"""
OPEN_RUN = "select max(run_no), bool_or(ended_at is null) from personal_accounts.credit_run where admdvs = $1 and month = $2"
BEGIN_RUN = """
insert into personal_accounts.credit_run (admdvs, month, run_no, started_at, policy_version) values ($1, $2, $3, $4, $5)
"""
END_RUN = """
update personal_accounts.credit_run r set ended_at = $4, credited = c.n, credited_fen = c.fen, held = h.n, reasons = h.reasons
from (select count(*) as n, coalesce(sum(amount_fen), 0) as fen from personal_accounts.credit
      where admdvs = $1 and month = $2 and outcome = 'credited' and run_no = $3) c,
     (select coalesce(sum(n), 0) as n, coalesce(jsonb_object_agg(reason, n), '{}') as reasons from (
          select reason, count(*) as n from personal_accounts.credit
          where admdvs = $1 and month = $2 and outcome = 'held' group by reason) x) h
where r.admdvs = $1 and r.month = $2 and r.run_no = $3
returning r.credited, r.credited_fen, r.held, r.reasons
"""
# Months with people held, or with a due that arrived for somebody who has no credit of that month.
BEHIND = """
select distinct month from (
    select c.month from personal_accounts.credit c where c.admdvs = $1 and c.outcome = 'held' and c.month < $2
    union all
    select m::date from contributions.due d
    cross join lateral generate_series(
        d.month, d.month + make_interval(months => greatest(d.months, 1) - 1), interval '1 month') m
    join personal_accounts.credit_run r on r.admdvs = $1 and r.month = m::date
    where d.admdvs = $1 and d.insutype = '310' and d.kind in ('regular', 'back') and d.state in ('arrived', 'credited')
      and d.month < $2 and m < $2
      and exists (select from enrolment.relation x where x.psn_no = d.psn_no and x.relation_id = d.relation_id
                  and x.account_kind = 'with_account')
      and not exists (select from personal_accounts.credit c where c.psn_no = d.psn_no and c.month = m::date)
) late order by month
"""
HELD = """
select c.psn_no, n.name, c.reason, c.amount_fen, c.first_seen_at, c.decided_at
from personal_accounts.credit c join people.person n on n.psn_no = c.psn_no
where c.admdvs = $1 and c.month = $2 and c.outcome = 'held' and ($3 = '' or c.reason = $3) order by c.reason, c.psn_no limit $4
"""


class CreditRow(msgspec.Struct, frozen=True, gc=False):
    """What came of a person's month; the fields stand in the order of the temporary table."""

    psn_no: str
    outcome: str
    reason: str
    relation_id: str
    psn_type: str
    base_fen: int | None
    amount_fen: int
    fund: str


class HeldCredit(msgspec.Struct, frozen=True):
    """Somebody whose month was not credited."""

    psn_no: str
    name: str
    reason: str
    amount_fen: int
    first_seen_at: datetime
    decided_at: datetime


async def take_month(tx: Connection, *, admdvs: str, month: date) -> None:
    """Let nobody else work on the credits of a region's month until the transaction ends."""
    await tx.execute(TAKE, admdvs, month)


async def last_run(tx: Connection, *, admdvs: str, month: date) -> tuple[int, bool]:
    """Return the number of the last run of a month (0 if none) and whether it did not come to its end."""
    row = await tx.fetchrow(OPEN_RUN, admdvs, month)
    return (0, False) if row is None or row[0] is None else (row[0], row[1])


async def facts_after(
    tx: Connection, *, admdvs: str, month: date, next_month: date, after: str, upto: str, retired: Sequence[str]
) -> list[CreditFacts]:
    """Return who may be owed the month's credit and has none yet, of the numbers in (after, upto]."""
    rows = await tx.fetch(FACTS, admdvs, list(retired), month, next_month, after, upto, sorted(REMOVALS))
    return [CreditFacts(*row) for row in rows]


async def keep_credits(
    tx: Connection, rows: Iterable[CreditRow], *, admdvs: str, month: date, run_no: int, now: datetime, policy_version: str
) -> None:
    """Write what came of some people's month, and lay the credits out for the ledger (``ledger_moves``)."""
    await tx.execute(STAGE)
    records: list[tuple[Any, ...]] = [msgspec.structs.astuple(row) for row in rows]
    await tx.copy_records_to_table(
        "credit_stage", schema_name="pg_temp", records=records, columns=list(CreditRow.__struct_fields__)
    )
    await tx.execute(KEEP, month, admdvs, now, run_no, policy_version)
    await tx.execute(TO_LEDGER, posting_id(month), admdvs, now)
    await tx.execute("truncate pg_temp.credit_stage")


def posting_id(month: date) -> str:
    """Return the id that a month's credit has in a person's postings: there can be one only."""
    return f"cr-{month:%Y%m}"


async def months_behind(tx: Connection, *, admdvs: str, before: date) -> list[date]:
    """Return the months before one that still have somebody to credit."""
    return [row[0] for row in await tx.fetch(BEHIND, admdvs, before)]


async def list_held(tx: Connection, *, admdvs: str, month: date, reason: str = "", most: int = 200) -> list[HeldCredit]:
    """Return who was not credited in a month, by reason."""
    return [HeldCredit(*row) for row in await tx.fetch(HELD, admdvs, month, reason, most)]
