"""What must hold of backfills: each has its settlement, its cash ties, no bill is paid twice, every year is in order."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

BACKFILL_CHECKS = (
    Check("I3", "同一机构同一就诊号的停机病例至多一次有效结算，且就是该病例所记的那一笔", """
        select x.episode_id from episodes.episode x
        left join settlements.settlement s on s.psn_no = x.psn_no and s.setl_id = x.setl_id
        where x.state = 'settled' and (s.setl_id is null or s.kind <> 'settlement' or s.state <> 'active'
           or s.mdtrt_id <> x.mdtrt_id or s.fixmedins_code <> x.fixmedins_code)"""),
    Check("I6", "补录结算的病例应付现金等于结算现金，已交加补交等于应付加退还，与收款流水相符", """
        select x.episode_id from episodes.episode x
        join settlements.settlement s on s.psn_no = x.psn_no and s.setl_id = x.setl_id
        where x.state = 'settled' and (x.due_fen <> s.cash_fen or x.paid_fen + x.topup_fen <> x.due_fen + x.back_fen)"""),
    Check("I3", "手工报销受理中的票据没有同时在机构结算", """
        select b.claim_id || '/' || b.bill_no from backfill.claimed_bill b
        join settlements.settlement s on s.psn_no = b.psn_no and s.kind = 'settlement' and s.state = 'active'
            and s.fixmedins_code = b.fixmedins_code
        join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
        where s.mdtrt_id = nullif(b.mdtrt_id, '') or e.ipt_otp_no = nullif(b.visit_no, '')
           or s.invono = nullif(b.bill_no, '')"""),
    Check("I6", "停机期间的费用都已按就诊先后结算", """
        select psn_no || '/' || mdtrt_id from backfill.late_entry where reorder"""),
)
