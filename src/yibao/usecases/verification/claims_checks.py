"""What must hold of claims by hand: each receipt paid once, by two people, with the money it says."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

CLAIMS_CHECKS = (
    Check("I3", "每张手工报销的票据没有被联网结算或补录结算", """
        select b.claim_id || '/' || b.bill_no from claims.bill b
        where b.is_live and b.fixmedins_code <> '' and (
            exists (select from settlements.settlement s
                    join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
                    where s.psn_no = b.psn_no and s.fixmedins_code = b.fixmedins_code and s.kind = 'settlement'
                      and s.state = 'active' and ((b.visit_no <> '' and e.ipt_otp_no = b.visit_no) or s.invono = b.bill_no))
            or exists (select from episodes.episode x
                       where x.psn_no = b.psn_no and x.fixmedins_code = b.fixmedins_code and x.state = 'settled'
                         and x.visit_no in (b.visit_no, b.bill_no)))"""),
    Check("I3", "同一张票据至多在一个有效的手工报销中，金额始终相同", """
        select b.party || '/' || b.bill_no
        from claims.bill b join claims.claim c on c.psn_no = b.psn_no and c.claim_id = b.claim_id
        where c.state <> 'released' or c.calculated_at is not null group by b.party, b.bill_no
        having count(*) filter (where b.is_live) > 1 or count(distinct b.total_fen) > 1"""),
    Check("I2", "每个已支付的手工报销，其结算之和、支付单与核定金额相等", """
        select c.claim_id from claims.claim c
        left join claims.claim f on f.psn_no = c.psn_no and f.claim_id = c.appeal_of
            and f.settled_at is not null and f.ended_at = c.settled_at
        left join lateral (
            select count(*) as n, count(s.setl_id) as active, coalesce(sum(s.fund_fen), 0)::bigint as fund,
                   coalesce(sum(s.medfee_fen), 0)::bigint as total
            from claims.bill b left join settlements.settlement s on s.psn_no = b.psn_no and s.setl_id = b.setl_id
                and s.state = 'active' and s.fixmedins_code = claims.desk(c.admdvs)
            where b.psn_no = c.psn_no and b.claim_id = c.claim_id) g on true
        left join exchange.payout o on o.payout_id = c.payout_id
        where c.state = 'settled' and (g.n <> g.active or g.fund <> c.fund_fen or g.total <> c.total_fen
            or coalesce(o.amount_fen, 0) <> c.fund_fen - coalesce(f.fund_fen, 0))"""),
    Check("I2", "经办机构的每笔结算都属于一张手工报销的票据，款项付给个人", """
        select s.setl_id from settlements.settlement s
        where claims.is_desk(s.fixmedins_code) and (
            (s.kind = 'settlement' and not exists (
                select from claims.bill b where b.psn_no = s.psn_no and b.setl_id = s.setl_id))
            or exists (select from ledger.posting p, unnest(p.accounts) a
                       where p.psn_no = s.psn_no and p.posting_id = s.setl_id and a like 'payable:%')
            or (s.kind = 'settlement' and s.state = 'active' and not exists (
                select from claims.bill b join claims.claim c on c.psn_no = b.psn_no and c.claim_id = b.claim_id
                where b.psn_no = s.psn_no and b.setl_id = s.setl_id and c.state = 'settled')))"""),
    Check("I2", "应追回的款项等于账上未追回的余额", """
        with owed as (
            select substr(leg.account, 6) as admdvs, -sum(leg.amount) as fen
            from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
            where leg.account like 'owed:%' group by 1),
        left_over as (select admdvs, sum(owed_fen - received_fen) as fen from claims.recovery group by 1)
        select coalesce(o.admdvs, l.admdvs) from owed o full join left_over l using (admdvs)
        where coalesce(o.fen, 0) <> coalesce(l.fen, 0)
        union all
        select r.claim_id from claims.recovery r where r.received_fen <> (
            select coalesce(sum(x.amount_fen), 0) from claims.repayment x
            where x.psn_no = r.psn_no and x.claim_id = r.claim_id)"""),
    Check("I7", "每个手工报销由不同的人录入、审核、审批，且与办件状态相符", """
        select c.claim_id from claims.claim c
        left join services.application a on a.application_id = c.application_id
        where a.application_id is null
           or (c.settled_by <> '' and c.settled_by in (c.entered_by, c.calculated_by, c.reviewed_by))
           or (c.state in ('entered', 'calculated') and a.state in ('rejected', 'not_accepted', 'withdrawn', 'paying', 'paid'))
           or (c.state = 'settled' and not exists (
                select from platform.audit_entry e where e.object = c.claim_id and e.verb = 'settle_claim'))
           or (c.state in ('entered', 'calculated') or c.state = 'settled' and not exists (
                select from claims.claim p where p.psn_no = c.psn_no and p.appeal_of = c.claim_id
                and p.state in ('entered', 'calculated'))) <> coalesce((
                select bool_and(b.is_live) from claims.bill b where b.psn_no = c.psn_no and b.claim_id = c.claim_id), false)"""),
)
