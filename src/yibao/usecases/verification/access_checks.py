"""Invariants of agents, keys, proposals and corrections."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

ACCESS_CHECKS = (
    Check("I8", "没有经办账号兼任受理、审核与审批、支付，稽核与管理不兼任他岗", """
        select login from access.agent
        where (roles && array['intake', 'review'] and roles && array['approve', 'pay'])
           or (roles && array['audit', 'admin'] and cardinality(roles) > 1) or cardinality(roles) = 0"""),
    Check("I8", "每个密钥属于在册账号，并有失效日期", """
        select k.key_id from access.api_key k left join access.agent a on a.login = k.login and a.admdvs = k.admdvs
        where a.login is null or k.expires_at is null or (k.revoked_at is not null and k.revoked_by = '')"""),
    Check("I7", "每件待复核事项由另一人复核，提出与处理各有审计记录", """
        select p.proposal_id from access.proposal p
        where (p.state in ('approved', 'rejected') and p.decided_by = p.made_by)
           or not exists (select from platform.audit_entry e where e.object = p.proposal_id and e.verb = 'propose:' || p.verb
                          and e.actor = p.made_by)
           or (p.state <> 'proposed' and not exists (
               select from platform.audit_entry e where e.object = p.proposal_id and e.verb = p.state || ':' || p.verb
               and e.actor = p.decided_by))"""),
    Check("I7", "每件办结的个人信息更正由另一人审批；同意更正的记入人员变更", """
        select c.correction_id from access.correction c
        where c.state <> 'asked' and (c.decided_by in ('', c.made_by)
           or (c.state = 'corrected' and not exists (
               select from people.change h where h.psn_no = c.psn_no and h.field = c.field and h.cause = 'correction'
               and h.recorded_at = c.decided_at)))"""),
)
