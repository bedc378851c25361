"""Invariants of benefit status."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

ENTITLEMENT_CHECKS = (
    Check("I7", "每人每险种在任何时刻所知的待遇区间首尾相接、互不重叠", """
        select s.psn_no || '/' || s.insutype || '/' || s.begin_on from entitlement.spell s
        join entitlement.spell o on o.psn_no = s.psn_no and o.insutype = s.insutype and o.begin_on > s.begin_on
             and o.known_from < coalesce(s.known_to, 'infinity') and s.known_from < coalesce(o.known_to, 'infinity')
        where s.end_on is null or s.end_on > o.begin_on
        union all
        select s.psn_no || '/' || s.insutype || '/' || s.begin_on from entitlement.spell s
        where s.known_to is null and s.end_on is not null and not exists (
            select from entitlement.spell o where o.psn_no = s.psn_no and o.insutype = s.insutype and o.known_to is null
               and o.begin_on = s.end_on)"""),
    Check("I4", "任何一日至多享受职工、居民医保之一", """
        select a.psn_no || '/' || a.begin_on from entitlement.spell a
        join entitlement.spell b on b.psn_no = a.psn_no and b.insutype = '390' and b.is_due and b.known_to is null
        where a.insutype = '310' and a.is_due and a.known_to is null
          and a.begin_on < coalesce(b.end_on, 'infinity'::date) and b.begin_on < coalesce(a.end_on, 'infinity'::date)"""),
    Check("I4", "参保关系上的待遇起止与其最近的待遇区间一致", """
        select r.psn_no || '/' || r.relation_id from enrolment.relation r
        join lateral (
            select s.begin_on, s.end_on, s.is_due from entitlement.spell s
            where s.psn_no = r.psn_no and s.relation_id = r.relation_id and s.known_to is null
            order by s.is_due desc, case when s.is_due then s.begin_on end desc, s.begin_on limit 1) s on true
        where r.benefit_from <> s.begin_on
           or r.benefit_to is distinct from case when s.is_due then s.end_on else s.begin_on end"""),
    Check("I4", "死亡次日起不再享受待遇", """
        select s.psn_no || '/' || s.insutype from entitlement.spell s
        join people.person p on p.psn_no = s.psn_no
        where s.known_to is null and s.is_due and p.died_on is not null
          and (s.end_on is null or s.end_on > p.died_on + 1)"""),
)
