"""Reads of claims, what they ask for, and what was deducted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.clearing.model import Claim, Deduction
from yibao.infra.database import Connection

_COLUMNS = ", ".join(f"c.{f.name}" for f in msgspec.structs.fields(Claim))
_CLAIMS = f"{_COLUMNS} from clearing.claim c"
BY_ID = f"select {_CLAIMS} where c.claim_id = $1"
LISTED = f"""
select {_CLAIMS} where ($1 = '' or c.admdvs = $1) and ($2 = '' or c.fixmedins_code = $2) and ($3 = '' or c.state = $3)
order by c.claimed_at, c.claim_id
"""
OF_PAYMENTS = f"select {_CLAIMS} where c.payment_id = any($1::text[]) order by c.claim_id for update"
APPROVED = f"select {_CLAIMS} where c.admdvs = $1 and c.state = 'approved' order by c.fixmedins_code, c.claim_id for update"
YEAR_END = f"""
select {_CLAIMS} where c.kind = 'year_end' and c.fixmedins_code = $1 and c.admdvs = $2 and c.period = $3 and c.fund_type = $4
  and c.state <> 'rejected'
"""
# What was settled and no live claim asks for yet; half-open days of business time.
_UNCLAIMED = """
from settlements.settlement s
where s.fixmedins_code = $1 and s.clr_type = $2 and ($3 = '' or s.clr_way = $3)
  and s.settled_at >= ($4::date)::timestamp at time zone 'Asia/Shanghai'
  and s.settled_at < ($5::date)::timestamp at time zone 'Asia/Shanghai'
  and not exists (select from clearing.claim_item i where i.psn_no = s.psn_no and i.setl_id = s.setl_id and i.is_live)
"""
TAKE_ITEMS = f"""
insert into clearing.claim_item (psn_no, setl_id, claim_id, admdvs, payable_fen, is_live)
select s.psn_no, s.setl_id, $6, s.admdvs, s.fund_fen + s.account_fen, true {_UNCLAIMED}
"""
SUMS = """
select count(*) as settlements, coalesce(sum(case when s.kind = 'refund' then -1 else 1 end), 0)::bigint as visits,
       coalesce(sum(s.medfee_fen), 0)::bigint as medfee, coalesce(sum(s.scope_fen), 0)::bigint as scope,
       coalesce(sum(s.fund_fen), 0)::bigint as fund, coalesce(sum(s.account_fen), 0)::bigint as account,
       coalesce(sum(s.cash_fen), 0)::bigint as cash, coalesce(sum(i.payable_fen), 0)::bigint as payable
from clearing.claim_item i join settlements.settlement s on s.psn_no = i.psn_no and s.setl_id = i.setl_id
where i.claim_id = $1
"""
FUNDS_OF_CLAIM = """
select s.admdvs, f.fund_type, sum(f.amount)::bigint as amount
from clearing.claim_item i join settlements.settlement s on s.psn_no = i.psn_no and s.setl_id = i.setl_id,
     unnest(s.fund_types, s.fund_amounts) f(fund_type, amount)
where i.claim_id = $1 group by 1, 2 having sum(f.amount) > 0 order by 1, 2
"""
FUNDS_OF_SETTLEMENTS = """
select s.setl_id, f.fund_type, f.amount from unnest($1::text[], $2::text[]) o(psn_no, setl_id)
join settlements.settlement s on s.psn_no = o.psn_no and s.setl_id = o.setl_id,
     unnest(s.fund_types, s.fund_amounts) f(fund_type, amount)
"""
ITEM = """
select i.psn_no, i.admdvs, s.fund_fen, s.kind,
       (select coalesce(sum(d.amount_fen), 0)::bigint from supervision.deduction d
         where d.psn_no = i.psn_no and d.setl_id = i.setl_id)
       + (select coalesce(sum(d.amount_fen), 0)::bigint from clearing.deduction d
           where d.claim_id = i.claim_id and d.setl_id = i.setl_id and d.source = 'manual' and d.is_live) as taken
from clearing.claim_item i join settlements.settlement s on s.psn_no = i.psn_no and s.setl_id = i.setl_id
where i.claim_id = $1 and i.setl_id = $2
"""
DEDUCTIONS = """
select claim_id, deduction_no, admdvs, source, psn_no, setl_id, amount_fen, reason, decided_by, taken_at, is_live
from clearing.deduction where claim_id = $1 order by source, deduction_no
"""
DECIDED = """
select '' as claim_id, d.deduction_id, d.admdvs, 'supervision', d.psn_no, d.setl_id, d.amount_fen, d.reason, d.confirmed_by,
       $2::timestamptz
from supervision.deduction d
where d.fixmedins_code = $1 and not exists (
    select from clearing.deduction x where x.psn_no = d.psn_no and x.deduction_no = d.deduction_id
    and x.source = 'supervision' and x.is_live)
order by d.decided_at, d.deduction_id
"""
INSTITUTION = "select fixmedins_code, name, region from institutions.institution where fixmedins_code = $1"


async def find_claim(tx: Connection, claim_id: str, *, lock: bool = False) -> Claim | None:
    """Return a claim; with ``lock`` it stays as it is until the transaction ends."""
    row = await tx.fetchrow(BY_ID + (" for update" if lock else ""), claim_id)
    return None if row is None else Claim(*row)


async def list_claims(
    tx: Connection, *, admdvs: str = "", fixmedins_code: str = "", state: str = ""
) -> list[Claim]:
    """List claims in the order they were made; ``""`` selects all."""
    return [Claim(*row) for row in await tx.fetch(LISTED, admdvs, fixmedins_code, state)]


async def list_approved(tx: Connection, admdvs: str) -> list[Claim]:
    """List and lock a region's claims that wait for payment, by institution."""
    return [Claim(*row) for row in await tx.fetch(APPROVED, admdvs)]


async def list_of_payments(tx: Connection, payment_ids: Sequence[str]) -> list[Claim]:
    """List and lock the claims behind some payments."""
    return [Claim(*row) for row in await tx.fetch(OF_PAYMENTS, payment_ids)]


async def find_year_end(
    tx: Connection, *, fixmedins_code: str, admdvs: str, year: str, fund_type: str
) -> Claim | None:
    """Return the year-end claim of an institution, region, year and fund."""
    row = await tx.fetchrow(YEAR_END, fixmedins_code, admdvs, year, fund_type)
    return None if row is None else Claim(*row)


async def sum_items(tx: Connection, claim_id: str) -> asyncpg.Record:
    """Return counts and sums (fen) of the settlements that a claim holds."""
    row = await tx.fetchrow(SUMS, claim_id)
    if row is None:
        raise AssertionError("an aggregate returned no row")
    return row


async def funds_of_claim(tx: Connection, claim_id: str) -> list[asyncpg.Record]:
    """Return (region, fund, fen) of every fund that pays for a claim on balance."""
    return await tx.fetch(FUNDS_OF_CLAIM, claim_id)


async def funds_of_settlements(tx: Connection, deductions: Sequence[Deduction]) -> dict[str, dict[str, int]]:
    """Return what each fund bore (fen) of the settlements that deductions are about, by settlement."""
    about = [d for d in deductions if d.setl_id is not None]
    rows = await tx.fetch(FUNDS_OF_SETTLEMENTS, [d.psn_no for d in about], [d.setl_id for d in about])
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["setl_id"], {})[row["fund_type"]] = row["amount"]
    return found


async def find_item(tx: Connection, *, claim_id: str, setl_id: str) -> asyncpg.Record | None:
    """Return person, region, fund share and what was deducted so far (fen) of a settlement that a claim asks for."""
    return await tx.fetchrow(ITEM, claim_id, setl_id)


async def list_deductions(tx: Connection, claim_id: str) -> list[Deduction]:
    """List what was deducted from a claim."""
    return [Deduction(*row) for row in await tx.fetch(DEDUCTIONS, claim_id)]


async def list_decided(tx: Connection, fixmedins_code: str, now: datetime) -> list[Deduction]:
    """List what supervision decided about an institution and no live claim has taken yet."""
    return [Deduction(*row) for row in await tx.fetch(DECIDED, fixmedins_code, now)]


async def find_institution(tx: Connection, fixmedins_code: str) -> asyncpg.Record | None:
    """Return code, name and region of an institution."""
    return await tx.fetchrow(INSTITUTION, fixmedins_code)
