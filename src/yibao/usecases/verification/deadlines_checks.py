"""Invariants of moved deadlines and dues in transit."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

DEADLINES_CHECKS = (
    Check("I4", "缴费在途的月份，应缴尚未缴清", """
        select t.psn_no || '/' || t.insutype || '/' || t.month from deadlines.transit t
        join contributions.due d on d.psn_no = t.psn_no and d.due_id = t.due_id
        where t.state = 'in_transit' and d.state in ('paid', 'arrived', 'credited')"""),
    Check("I4", "缴费到账后，因在途暂缓的病例、登记和申请均已放行", """
        select h.psn_no || '/' || h.object_id from (
            select psn_no, 'episode' as object_kind, episode_id as object_id, received_at as at from episodes.episode
            where cause = 'contribution_in_transit' and state in ('held', 'entered')
            union all
            select applicant_no, 'application', application_id, submitted_at from services.application
            where window_id = 'contribution_in_transit' and state = 'suspended') h
        where exists (select from deadlines.transit t where t.psn_no = h.psn_no and t.state = 'arrived' and t.ended_at > h.at)
          and not exists (select from deadlines.transit t where t.psn_no = h.psn_no and t.state = 'in_transit')
          and not exists (select from deadlines.release r where r.psn_no = h.psn_no and r.object_kind = h.object_kind
                          and r.object_id = h.object_id)"""),
    Check("I4", "停机期间照常享受的待遇都有方案的规则作依据", """
        select s.psn_no || '/' || s.begin_on from entitlement.spell s
        where s.known_to is null and s.reason in ('window_waived', 'contribution_in_transit')
          and not exists (select from deadlines.term t where t.admdvs = s.admdvs and t.rule = any(s.rules))"""),
    Check("I4", "时限只会顺延，每一步都有规则", """
        select m.object_kind || '/' || m.object_id || '/' || m.rule from deadlines.move m
        where m.due_on <= m.was_on or m.rule = ''"""),
)
