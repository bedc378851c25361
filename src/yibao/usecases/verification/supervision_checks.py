"""What must hold of suspicions and deductions: they tie to each other, to the settlement and to two people."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

SUPERVISION_CHECKS = (
    Check("I2", "每个疑点的扣款余额等于其扣款与退回之和，不超过基金为其支付的部分", """
        select s.suspicion_id from supervision.suspicion s
        left join lateral (select coalesce(sum(d.amount_fen), 0) as total from supervision.deduction d
                           where d.psn_no = s.psn_no and d.suspicion_id = s.suspicion_id) d on true
        where s.deducted_fen <> d.total or s.deducted_fen > s.fund_fen or s.fund_fen > s.amount_fen"""),
    Check("I2", "每笔结算的扣款合计在零与基金支付之间", """
        select d.setl_id from supervision.deduction d
        left join settlements.settlement s on s.psn_no = d.psn_no and s.setl_id = d.setl_id
        group by d.psn_no, d.setl_id, s.fund_fen
        having s.fund_fen is null or sum(d.amount_fen) not between 0 and s.fund_fen"""),
    Check("I2", "每笔退回都指明所退的扣款，合计不超过它", """
        select r.origin_id from supervision.deduction r
        left join supervision.deduction o on o.psn_no = r.psn_no and o.deduction_id = r.origin_id
            and o.kind = 'deduction' and o.suspicion_id = r.suspicion_id
        where r.kind = 'return'
        group by r.psn_no, r.origin_id, o.amount_fen having o.amount_fen is null or -sum(r.amount_fen) > o.amount_fen"""),
    Check("I7", "每笔扣款由两人作出，有复核的步骤和审计记录", """
        select d.deduction_id from supervision.deduction d
        where d.kind = 'deduction' and (d.proposed_by = d.confirmed_by
           or not exists (select from supervision.step t where t.psn_no = d.psn_no and t.suspicion_id = d.suspicion_id
                          and t.what in ('upheld', 'closed') and t.actor = d.confirmed_by and t.at = d.decided_at)
           or not exists (select from platform.audit_entry e where e.object = d.suspicion_id
                          and e.verb = 'confirm_decision' and e.actor = d.confirmed_by))"""),
)
