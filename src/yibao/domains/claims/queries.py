"""Reads of claims, and of everything a receipt may have been paid by before."""

from __future__ import annotations

from datetime import date

import asyncpg
import msgspec

from yibao.domains.claims.model import Bill, Claim, Line, Recovery
from yibao.infra.database import Connection

_SELECT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Claim))
_BILL = "select " + ", ".join(f.name for f in msgspec.structs.fields(Bill))
_LINE = "select " + ", ".join(f.name for f in msgspec.structs.fields(Line))
_RECOVERY = "select " + ", ".join(f.name for f in msgspec.structs.fields(Recovery))
# Whom a clerk of a county may not see is not seen here either.
_SEEN = "exists (select from people.person p where p.psn_no = claim.psn_no)"
OF_CLAIM = f"{_SELECT} from claims.claim where claim_id = $1 and {_SEEN}"
OF_APPLICATION = f"{_SELECT} from claims.claim where application_id = $1"
LOCKED = f"{_SELECT} from claims.claim where psn_no = $1 and claim_id = $2 for update"
LISTED = f"""
{_SELECT} from claims.claim
where admdvs = $1 and ($2 = '' or state = $2) and ($3 = '' or psn_no = $3) and {_SEEN}
order by entered_at desc, claim_id desc limit $4
"""
BILLS = f"{_BILL} from claims.bill where psn_no = $1 and claim_id = $2 order by ordinal"
BILL_OF_SETTLEMENT = f"{_BILL} from claims.bill where psn_no = $1 and setl_id = $2 for update"
LINES = f"{_LINE} from claims.line where psn_no = $1 and claim_id = $2 order by ordinal, line_no"
APPEAL = "select claim_id, state from claims.claim where psn_no = $1 and appeal_of = $2"
RECOVERY = f"{_RECOVERY} from claims.recovery where psn_no = $1 and claim_id = $2 for update"
RECOVERIES = f"""
{_RECOVERY} from claims.recovery where admdvs = $1 and ($2 or closed_at is null) order by opened_at, claim_id
"""
# Whoever issues a receipt gives its number once: another claim of it, live or not, whosever. A slip of the pen that was
# taken back before its lines confirmed the amount is none.
SAME_NUMBER = """
select b.psn_no, b.claim_id, b.total_fen, b.is_live
from claims.bill b join claims.claim c on c.psn_no = b.psn_no and c.claim_id = b.claim_id
where b.party = $1 and b.bill_no = $2 and (c.state <> 'released' or c.calculated_at is not null)
order by b.is_live desc, b.claim_id
"""
SAME_VISIT = """
select psn_no, claim_id, bill_no, care from claims.bill
where psn_no = $1 and party = $2 and visit_no = $3 and visit_no <> '' and is_live order by claim_id limit 1
"""
# What was settled at an institution here with the number of the receipt.
SETTLED_NUMBER = """
select s.setl_id, s.state, s.medfee_fen from settlements.settlement s
where s.psn_no = $1 and s.fixmedins_code = $2 and s.invono = $3 and s.kind = 'settlement'
order by s.state = 'active' desc, s.settled_at desc limit 1
"""
VISIT = """
select e.psn_no, e.mdtrt_id,
       (select s.setl_id from settlements.settlement s where s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
           and s.kind = 'settlement' and s.state = 'active' order by s.settled_at limit 1) as setl_id
from encounters.encounter e where e.fixmedins_code = $1 and e.ipt_otp_no = $2 and e.state <> 'cancelled'
"""
ALIKE = """
select setl_id from settlements.settlement
where psn_no = $1 and fixmedins_code = $2 and service_on = $3 and medfee_fen = $4 and kind = 'settlement' and state = 'active'
limit 1
"""
# A person lies in one bed at a time: settled or claimed stays that share more than a day of change with this one.
OVERLAPPING = """
select e.mdtrt_id from encounters.encounter e join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
where e.psn_no = $1 and e.state = 'discharged' and (s.admitted_at at time zone 'Asia/Shanghai')::date < $3
  and (s.discharged_at at time zone 'Asia/Shanghai')::date > $2
  and exists (select from settlements.settlement x where x.psn_no = e.psn_no and x.mdtrt_id = e.mdtrt_id
              and x.kind = 'settlement' and x.state = 'active')
limit 1
"""
OVERLAPPING_BILL = """
select bill_no from claims.bill
where psn_no = $1 and care = 'stay' and is_live and (begin_at at time zone 'Asia/Shanghai')::date < $3
  and (end_at at time zone 'Asia/Shanghai')::date > $2 limit 1
"""
EPISODE = """
select episode_id, state, settle_by, disposition, total_fen from episodes.episode
where psn_no = $1 and fixmedins_code = $2 and kind = $3 and (visit_no = $4 or visit_no = $5)
  and state not in ('withdrawn', 'returned') limit 1
"""
FACTS = "select * from claims.person_facts($1, $2, $3, $4, $5)"
COUNTERS = "select year, insutype, code, used_fen, cap_fen from settlements.counter where psn_no = $1 and insutype = $2"


async def find_claim(tx: Connection, claim_id: str) -> Claim | None:
    """Return a claim by its number."""
    row = await tx.fetchrow(OF_CLAIM, claim_id)
    return None if row is None else Claim(**dict(row))


async def lock_claim(tx: Connection, *, psn_no: str, claim_id: str) -> Claim | None:
    """Return a claim, held for this transaction."""
    row = await tx.fetchrow(LOCKED, psn_no, claim_id)
    return None if row is None else Claim(**dict(row))


async def find_of_application(tx: Connection, application_id: str) -> Claim | None:
    """Return the claim of an application."""
    row = await tx.fetchrow(OF_APPLICATION, application_id)
    return None if row is None else Claim(**dict(row))


async def find_appeal(tx: Connection, *, psn_no: str, claim_id: str) -> tuple[str, str] | None:
    """Return number and state of the claim by which somebody asked to look at this one again."""
    row = await tx.fetchrow(APPEAL, psn_no, claim_id)
    return None if row is None else (row["claim_id"], row["state"])


async def list_claims(tx: Connection, *, admdvs: str, state: str = "", psn_no: str = "", most: int = 50) -> list[Claim]:
    """List claims of a region, the newest first; ``""`` is any."""
    return [Claim(**dict(row)) for row in await tx.fetch(LISTED, admdvs, state, psn_no, most)]


async def list_bills(tx: Connection, *, psn_no: str, claim_id: str) -> list[Bill]:
    """List the receipts of a claim in the order they were entered."""
    return [Bill(**dict(row)) for row in await tx.fetch(BILLS, psn_no, claim_id)]


async def find_bill_of(tx: Connection, *, psn_no: str, setl_id: str) -> Bill | None:
    """Return the receipt that a settlement pays, held for this transaction."""
    row = await tx.fetchrow(BILL_OF_SETTLEMENT, psn_no, setl_id)
    return None if row is None else Bill(**dict(row))


async def list_lines(tx: Connection, *, psn_no: str, claim_id: str) -> list[Line]:
    """List the lines of all receipts of a claim."""
    return [Line(**dict(row)) for row in await tx.fetch(LINES, psn_no, claim_id)]


async def find_recovery(tx: Connection, *, psn_no: str, claim_id: str) -> Recovery | None:
    """Return what is owed back of a claim, held for this transaction."""
    row = await tx.fetchrow(RECOVERY, psn_no, claim_id)
    return None if row is None else Recovery(**dict(row))


async def list_recoveries(tx: Connection, *, admdvs: str, also_closed: bool = False) -> list[Recovery]:
    """List what people owe back, the oldest first."""
    return [Recovery(**dict(row)) for row in await tx.fetch(RECOVERIES, admdvs, also_closed)]


async def find_facts(
    tx: Connection, *, psn_no: str, insutype: str, at: str, first: date, last: date
) -> asyncpg.Record | None:
    """Return who somebody is on the last day of some care, and what was filed for it."""
    return await tx.fetchrow(FACTS, psn_no, insutype, at, first, last)


async def find_episode(
    tx: Connection, *, psn_no: str, fixmedins_code: str, kind: str, visit_no: str, bill_no: str
) -> asyncpg.Record | None:
    """Return an episode of a window by the institution's number; a sale goes by its receipt."""
    return await tx.fetchrow(EPISODE, psn_no, fixmedins_code, kind, visit_no, bill_no)
