"""The inspector's reads. They look across schemas on purpose: one visit is told by many tables.

Every statement is keyed by the institution ($1) and runs under row-level security of its region.
"""

from __future__ import annotations

_DEED = """
select 'deed' as source, msgid as ref, msgid, infno, state as outcome, '' as refusal_code, psn_no, mdtrt_id, setl_id,
       received_at, (extract(epoch from replied_at - received_at) * 1000000)::bigint as took_us
"""
_LOG = """
select 'log' as source, id as ref, msgid, infno, outcome, coalesce(refusal_code, '') as refusal_code, psn_no, mdtrt_id,
       null as setl_id, received_at, took_us
"""

# $1 sender, $2 from, $3 to, $4 infno, $5 outcome, $6 msgids, $7 persons, $8 visits; null = any. Deeds are not looked
# up by person or settlement: what is known of those leads to visits and msgids, for which there are indexes.
_DEEDS_FOUND = """
    from platform.message
    where sender = $1
        and ($2::timestamptz is null or received_at >= $2) and ($3::timestamptz is null or received_at < $3)
        and ($4::text is null or infno = $4) and ($5::text is null or state = $5)
        and ($6::text[] is null or msgid = any($6) or mdtrt_id = any($8::text[]))
"""
_LOGS_FOUND = """
    from platform.traffic
    where sender = $1
        and ($2::timestamptz is null or received_at >= $2) and ($3::timestamptz is null or received_at < $3)
        and ($4::text is null or infno = $4) and ($5::text is null or outcome = $5)
        and ($6::text[] is null or msgid = any($6) or psn_no = any($7::text[]) or mdtrt_id = any($8::text[]))
"""
# Each side gives its newest rows up to the end of the page, so that neither is sorted as a whole.
_NEWEST = " order by received_at desc, ref desc limit $9::bigint + $10::bigint"
PAGE = (
    "(" + _DEED + _DEEDS_FOUND + _NEWEST + ") union all (" + _LOG + _LOGS_FOUND + _NEWEST + ")"
    " order by received_at desc, ref desc limit $9 offset $10"
)
# One row per outcome, and one with outcome null over all of them.
SUMS = (
    "select outcome, count(*) as entries, percentile_disc(0.95) within group (order by nullif(took_us, 0)) as p95_us "
    "from (" + _DEED + _DEEDS_FOUND + " union all " + _LOG + _LOGS_FOUND + ") entry "
    "where $7::text[] is not null group by grouping sets ((outcome), ())"
)

# What a number ($2) that somebody typed stands for. A person counts only if this institution met them.
# $3 are the kinds of certificate a number may belong to.
REFERENCES = """
with met as (
    select p.psn_no from people.person p
    where p.cert_type = any($3::text[]) and p.certno = upper($2) and (
        exists (select from encounters.encounter e where e.psn_no = p.psn_no and e.fixmedins_code = $1)
        or exists (select from platform.traffic t where t.psn_no = p.psn_no and t.sender = $1))
), visit as (
    select psn_no, mdtrt_id from encounters.encounter where fixmedins_code = $1 and mdtrt_id = $2
    union select psn_no, mdtrt_id from encounters.encounter where fixmedins_code = $1 and psn_no = $2
    union select psn_no, mdtrt_id from encounters.encounter
          where fixmedins_code = $1 and ipt_otp_no = $2 and state <> 'cancelled'
), bill as (
    select s.setl_id, s.msgid from visit v
    join settlements.settlement s on s.psn_no = v.psn_no and s.mdtrt_id = v.mdtrt_id
    where s.fixmedins_code = $1
    union select same.setl_id, same.msgid from settlements.settlement s
    join settlements.settlement same
        on same.psn_no = s.psn_no and same.mdtrt_id = s.mdtrt_id and same.chrg_bchno = s.chrg_bchno
    where s.setl_id = $2 and s.fixmedins_code = $1
    union select m.setl_id, m.msgid from platform.message m
    where m.sender = $1 and m.msgid = $2 and m.setl_id is not null
)
select 'person' as kind, psn_no as id from met
union all select 'visit', mdtrt_id from visit
union all select 'settlement', setl_id from bill
union all select 'msgid', msgid from bill
"""

DEED = _DEED + ", request, reply from platform.message where sender = $1 and msgid = $2"
LOG = _LOG + ", request, reply from platform.traffic where sender = $1 and id = $2"

TIMELINE = f"""
{_DEED} from platform.message where sender = $1 and mdtrt_id = $2
union all {_LOG} from platform.traffic where sender = $1 and mdtrt_id = $2
order by received_at, ref limit $3
"""
SAME_MSGID = f"""
{_DEED} from platform.message where sender = $1 and msgid = $2
union all {_LOG} from platform.traffic where sender = $1 and msgid = $2
order by received_at, ref limit $3
"""
