"""Who owes dues for a month or a year, read in the order of the keys, a chunk at a time."""

from __future__ import annotations

from datetime import date

import asyncpg

from yibao.infra.database import Connection

# The base is the newest one declared by the month, else the wage said at joining. has_due: a live basic due that begins
# in the month, whatever the insurance.
_HEAD = """
select r.psn_no, r.relation_id, r.psn_type, r.account_kind, r.enrolment_kind, r.flexible, r.insured_on,
    coalesce(r.emp_no, '') as emp_no, p.birth_on, p.household_no,
    coalesce((select b.wage_fen from contributions.base b where b.psn_no = r.psn_no and b.relation_id = r.relation_id
              and b.valid_from <= $2 order by b.valid_from desc limit 1), r.wage_fen) as wage_fen,
    (select d.due_id from contributions.due d where d.psn_no = r.psn_no
        and d.month = greatest($2, date_trunc('month', r.insured_on::timestamp)::date)
        and d.insutype in ('310', '390') and d.kind in ('regular', 'back') and d.state not in ('cancelled', 'refunded')
    ) as has_due,
    case when $6 then array(select x.identity_type from enrolment.special_identity x where x.psn_no = r.psn_no
        and x.valid_from <= $7 and (x.valid_to is null or x.valid_to > $7) order by x.identity_type) end as identities
from {relations} r
cross join lateral (select x.birth_on, x.household_no from people.person x where x.psn_no = r.psn_no offset 0) p
"""
# The chunk is cut off before anything is joined to it, and its people are looked up one by one (offset 0): else a million
# of them are read and sorted for each ten thousand.
_CHUNK = """(select * from enrolment.relation r where r.admdvs = $1 and r.insutype = {insutype} and r.insured_on < $3
    and (r.paused_on is null or {still_there}) and (r.psn_no, r.relation_id) > ($4, $5)
    order by r.psn_no, r.relation_id limit $8)"""
_IN_ORDER = "order by r.psn_no, r.relation_id"
EMPLOYEES = _HEAD.format(
    relations=_CHUNK.format(insutype="'310'", still_there="r.paused_on >= $3")
) + _IN_ORDER
# A resident relation that is open on the day owes the year; who begins within the year owes from that month on.
RESIDENTS = _HEAD.format(
    relations=_CHUNK.format(insutype="'390'", still_there="r.paused_on > greatest($2::date, $7::date)")
) + _IN_ORDER
ONE = _HEAD.format(relations="enrolment.relation") + """
where r.admdvs = $1 and r.psn_no = $4 and ($5 = '' or r.relation_id = $5) and r.insured_on < $3
  and (r.paused_on is null or r.paused_on >= $3) and r.insutype = $8
order by r.insured_on desc
"""


async def list_members(
    tx: Connection, sql: str, *, admdvs: str, month: date, before: date, after: tuple[str, str], with_identities: bool, on: date,
    most: int,
) -> list[asyncpg.Record]:
    """List the next members after a key who owe for a period; ``sql`` is ``EMPLOYEES`` or ``RESIDENTS``.

    Args:
        month, before: half-open period; a relation begun before its end and not ended before it.
        on: day on which special identities are looked at.
    """
    return await tx.fetch(sql, admdvs, month, before, after[0], after[1], with_identities, on, most)


async def find_members(
    tx: Connection, psn_no: str, *, admdvs: str, insutype: str, month: date, before: date, relation_id: str = ""
) -> list[asyncpg.Record]:
    """List the relations of one person that owe for a month, the newest first."""
    return await tx.fetch(ONE, admdvs, month, before, psn_no, relation_id, True, month, insutype)
