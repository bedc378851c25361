"""Reads that find whom a window concerns: who has to do something before the stop, and who waits while it lasts.

Every read returns the same columns, so that one rule's selector judges all of them:

``psn_no, emp_no, fixmedins_code`` whom it is about (the institution beside a person treats or serves him or her),
``about`` the thing, ``on_day`` its day, ``amount_fen``, ``business`` (or ``item`` of the service book), ``insutype``,
``psn_type``, ``county`` (6 digits), ``institution_kind``, ``care_admdvs``, ``name`` of the institution or thing.
"""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from yibao.infra.database import Connection

_CARE = """
e.psn_no, '' as emp_no, e.fixmedins_code, e.mdtrt_id as about, (e.begin_at at time zone 'Asia/Shanghai')::date as on_day,
e.insutype, e.psn_type, left(p.division, 6) as county, i.kind as institution_kind, e.care_admdvs, i.name, e.med_type, e.maternity
"""
# Admitted, or discharged and not finally settled. What was cut off before and goes on is admitted still.
STAYS = f"""
select {_CARE}, e.state = 'discharged' as has_ended,
    (select coalesce(sum(l.amount_fen), 0)::bigint from encounters.fee_line l
     where l.psn_no = e.psn_no and l.mdtrt_id = e.mdtrt_id) as amount_fen
from encounters.encounter e join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
join people.person p on p.psn_no = e.psn_no join institutions.institution i on i.fixmedins_code = e.fixmedins_code
where e.admdvs = $1 and e.state in ('admitted', 'discharged') and e.begin_at < $2
  and not exists (select from settlements.stay_in_force c where c.psn_no = e.psn_no and c.mdtrt_id = e.mdtrt_id
                  and not c.is_interim)
order by e.psn_no, e.mdtrt_id
"""  # noqa: S608 - constants
# Visits with charges that nobody has settled yet; what was left so long ago is left for good.
VISITS = f"""
select {_CARE}, true as has_ended, u.amount_fen
from encounters.encounter e
join people.person p on p.psn_no = e.psn_no join institutions.institution i on i.fixmedins_code = e.fixmedins_code
cross join lateral (
    select sum(l.amount_fen)::bigint as amount_fen from encounters.fee_line l
    where l.psn_no = e.psn_no and l.mdtrt_id = e.mdtrt_id and not exists (
        select from settlements.settlement s where s.psn_no = l.psn_no and s.mdtrt_id = l.mdtrt_id
        and s.chrg_bchno = l.chrg_bchno and s.kind = 'settlement' and s.state = 'active')) u
where e.admdvs = $1 and e.state in ('registered', 'visited') and e.begin_at >= $2 and e.begin_at < $3 and u.amount_fen > 0
order by e.psn_no, e.mdtrt_id
"""  # noqa: S608 - constants
# Whoever has to pay a bill: the employer, the person, or everybody of the household who is on it.
DUES = """
select x.psn_no, case when b.payer_kind = 'unit' then b.payer_no else '' end as emp_no, '' as fixmedins_code,
    b.bill_id as about, b.due_on as on_day, b.amount_fen, d.insutype, '' as psn_type,
    left(coalesce(p.division, r.division, ''), 6) as county, '' as institution_kind, b.admdvs as care_admdvs,
    b.payer_name as name, b.payer_kind, b.kind
from contributions.bill b
cross join lateral (select min(d.insutype) as insutype from contributions.due d where d.bill_id = b.bill_id) d
cross join lateral (
    select '' as psn_no where b.payer_kind = 'unit'
    union select b.payer_no where b.payer_kind = 'person'
    union select d.psn_no from contributions.due d where b.payer_kind = 'household' and d.bill_id = b.bill_id) x
left join people.person p on p.psn_no = x.psn_no
left join enrolment.employer r on b.payer_kind = 'unit' and r.emp_no = b.payer_no
where b.admdvs = $1 and b.state in ('open', 'sent') and b.amount_fen > 0 and b.payer_kind <> 'state'
order by b.bill_id, x.psn_no
"""
APPLICATIONS = """
select case when a.applicant_kind in ('person', 'heir') then a.applicant_no else '' end as psn_no,
    case when a.applicant_kind in ('employer', 'school') then a.applicant_no else '' end as emp_no,
    case when a.applicant_kind = 'institution' then a.applicant_no else '' end as fixmedins_code,
    a.application_id as about, (a.submitted_at at time zone 'Asia/Shanghai')::date as on_day, 0::bigint as amount_fen,
    '' as insutype, '' as psn_type, left(a.division, 6) as county, '' as institution_kind, a.admdvs as care_admdvs,
    '' as name, a.item_code as item, a.channel, a.state, a.due_on, a.phone, a.register_no, a.window_id, a.submitted_at
from services.application a
where a.admdvs = $1 and a.applicant_no <> '' and a.state in ('submitted', 'registered', 'returned_for_material', 'accepted',
    'reviewing', 'suspended', 'approved', 'paying', 'pay_failed')
order by a.application_id
"""
TRANSFERS = """
select t.psn_no, '' as emp_no, '' as fixmedins_code, t.transfer_id as about, t.begun_on as on_day, 0::bigint as amount_fen,
    t.insutype, '' as psn_type, left(p.division, 6) as county, '' as institution_kind, t.other_admdvs as care_admdvs,
    t.other_name as name, t.direction
from transfers.transfer t join people.person p on p.psn_no = t.psn_no
where t.admdvs = $1 and t.state not in ('closed', 'refused', 'cancelled') order by t.psn_no, t.transfer_id
"""
# Everybody who is recognised and insured on the day.
CHRONIC = """
select c.psn_no, '' as emp_no, '' as fixmedins_code, min(c.disease_code) as about, $2::date as on_day, 0::bigint as amount_fen,
    min(r.insutype) as insutype, min(r.psn_type) as psn_type, min(left(p.division, 6)) as county, '' as institution_kind,
    c.admdvs as care_admdvs, string_agg(distinct c.disease_name, '、' order by c.disease_name) as name
from applications.chronic_recognition c
join people.person p on p.psn_no = c.psn_no and p.died_on is null
join enrolment.relation r on r.psn_no = c.psn_no and r.admdvs = c.admdvs and r.status = '1'
where c.admdvs = $1 and c.valid_from <= $2 and (c.valid_to is null or c.valid_to > $2)
group by c.psn_no, c.admdvs order by c.psn_no
"""
# Whoever bought a negotiated drug lately.
NEGOTIATED = """
select e.psn_no, '' as emp_no, '' as fixmedins_code, min(l.item_code) as about,
    max(l.occurred_at at time zone 'Asia/Shanghai')::date as on_day, sum(l.amount_fen)::bigint as amount_fen,
    min(e.insutype) as insutype, min(e.psn_type) as psn_type, min(left(p.division, 6)) as county, '' as institution_kind,
    e.admdvs as care_admdvs, string_agg(distinct l.item_name, '、' order by l.item_name) as name
from encounters.encounter e
join people.person p on p.psn_no = e.psn_no and p.died_on is null
join encounters.fee_line l on l.psn_no = e.psn_no and l.mdtrt_id = e.mdtrt_id and l.line_group = 'negotiated'
where e.admdvs = $1 and e.state <> 'cancelled' and e.begin_at >= $2 and e.begin_at < $3 and l.quantity_e4 > 0
group by e.psn_no, e.admdvs order by e.psn_no
"""
# Whoever came through a channel before: applications and payments.
USERS = """
select distinct u.psn_no, u.emp_no, '' as fixmedins_code, u.channel as about, $2::date as on_day, 0::bigint as amount_fen,
    '' as insutype, '' as psn_type, '' as county, '' as institution_kind, $1 as care_admdvs, '' as name, u.channel
from (select case when a.applicant_kind in ('person', 'heir') then a.applicant_no else '' end as psn_no,
             case when a.applicant_kind in ('employer', 'school') then a.applicant_no else '' end as emp_no, a.channel
      from services.application a where a.admdvs = $1 and a.channel = any ($3) and a.applicant_kind <> 'institution'
      union
      select case when p.psn_no is null then '' else y.payer_no end, case when r.emp_no is null then '' else y.payer_no end,
             y.channel
      from contributions.payment y left join people.person p on p.psn_no = y.payer_no
      left join enrolment.employer r on r.emp_no = y.payer_no where y.admdvs = $1 and y.channel = any ($3)) u
where u.psn_no <> '' or u.emp_no <> '' order by 1, 2, 4
"""
# Rows of registers that wait: whom they are for, and until when. What waits for dues is told by their arrival.
ENTRIES = """
select e.psn_no, e.emp_no, e.fixmedins_code, e.register_no as about, e.business, e.kind, e.due_on, e.moved_from, e.phone,
    e.received_at as since, e.body ->> 'cause' as cause, '' as rule
from registers.entry e where e.admdvs = $1 and e.plan = $2 and e.ended_at is null order by e.register_no
"""
EPISODES = """
select e.psn_no, '' as emp_no, e.fixmedins_code, e.episode_id as about, e.business, e.kind, e.settle_by as due_on,
    null::date as moved_from, '' as phone, e.received_at as since, e.cause, e.register_no, e.rule_id as rule,
    coalesce(i.name, e.institution_name) as name, (e.begin_at at time zone 'Asia/Shanghai')::date as on_day
from episodes.episode e left join institutions.institution i on i.fixmedins_code = e.fixmedins_code
where e.admdvs = $1 and e.plan = $2 and e.state in ('held', 'entered') order by e.psn_no, e.episode_id
"""

async def list_stays(tx: Connection, admdvs: str, *, before: datetime) -> list[asyncpg.Record]:
    """Return stays that began before an instant and are not finally settled."""
    return await tx.fetch(STAYS, admdvs, before)


async def list_visits(tx: Connection, admdvs: str, *, begin: datetime, end: datetime) -> list[asyncpg.Record]:
    """Return visits of ``[begin, end)`` with charges that are not settled."""
    return await tx.fetch(VISITS, admdvs, begin, end)


async def list_unpaid(tx: Connection, admdvs: str) -> list[asyncpg.Record]:
    """Return bills that wait to be paid, one row for each who has to."""
    return await tx.fetch(DUES, admdvs)


async def list_open_applications(tx: Connection, admdvs: str) -> list[asyncpg.Record]:
    """Return applications that have not ended, with whoever asked."""
    return await tx.fetch(APPLICATIONS, admdvs)


async def list_open_transfers(tx: Connection, admdvs: str) -> list[asyncpg.Record]:
    """Return transfers on their way, in and out."""
    return await tx.fetch(TRANSFERS, admdvs)


async def list_chronic(tx: Connection, admdvs: str, *, on: date) -> list[asyncpg.Record]:
    """Return who is recognised with a chronic disease on a day."""
    return await tx.fetch(CHRONIC, admdvs, on)


async def list_negotiated(tx: Connection, admdvs: str, *, begin: datetime, end: datetime) -> list[asyncpg.Record]:
    """Return who had a negotiated drug in ``[begin, end)``."""
    return await tx.fetch(NEGOTIATED, admdvs, begin, end)


async def list_users(tx: Connection, admdvs: str, *, channels: list[str], on: date) -> list[asyncpg.Record]:
    """Return who came through some channels before."""
    return await tx.fetch(USERS, admdvs, on, channels)


async def list_waiting_rows(tx: Connection, admdvs: str, plan: str) -> list[asyncpg.Record]:
    """Return rows of a plan's registers that have no end yet."""
    return await tx.fetch(ENTRIES, admdvs, plan)


async def list_held(tx: Connection, admdvs: str, plan: str) -> list[asyncpg.Record]:
    """Return episodes that a plan holds up and that are not settled yet."""
    return await tx.fetch(EPISODES, admdvs, plan)
