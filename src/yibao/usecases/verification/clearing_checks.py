"""What must hold between settlements, claims, payments and the ledger."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

CLEARING_CHECKS = (
    Check("I2", "机构应付余额=未申报的结算+已申报未支付的申报", """
        with owed as (
            select substr(leg.account, 9) as code, sum(leg.amount) as fen
            from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
            where leg.account like 'payable:%' group by 1),
        parts as (
            select s.fixmedins_code as code, s.fund_fen + s.account_fen as fen from settlements.settlement s
            where not claims.is_desk(s.fixmedins_code)
              and not exists (select from clearing.claim_item i
                              where i.psn_no = s.psn_no and i.setl_id = s.setl_id and i.is_live)
            union all
            -- Deductions, and what the year's clearing adds, move at approval.
            select c.fixmedins_code, case when c.state in ('approved', 'ordered') then c.payable_fen - c.deducted_fen
                                          when c.kind = 'monthly' then c.payable_fen else 0 end
            from clearing.claim c where c.state in ('claimed', 'reviewed', 'approved', 'ordered')),
        expected as (select code, sum(fen) as fen from parts group by 1)
        select coalesce(o.code, e.code) from owed o full join expected e using (code)
        where coalesce(o.fen, 0) <> coalesce(e.fen, 0)"""),
    Check("I2", "每个清算申报的合计等于其结算之和，撤销或退回的申报不再占用结算", """
        select c.claim_id from clearing.claim c
        left join lateral (
            select count(*) as n, sum(case when s.kind = 'refund' then -1 else 1 end) as visits, sum(s.medfee_fen) as medfee,
                   sum(s.scope_fen) as scope, sum(s.fund_fen) as fund, sum(s.account_fen) as account, sum(s.cash_fen) as cash,
                   sum(s.fund_fen + s.account_fen) as payable, sum(i.payable_fen) as kept,
                   bool_and(i.is_live) as all_live, bool_or(i.is_live) as any_live
            from clearing.claim_item i
            left join settlements.settlement s on s.psn_no = i.psn_no and s.setl_id = i.setl_id
                and s.fixmedins_code = c.fixmedins_code and s.clr_type = c.clr_type
            where i.claim_id = c.claim_id) t on true
        where c.kind = 'monthly' and (
            (c.settlements, c.visits, c.medfee_fen, c.scope_fen, c.fund_fen, c.account_fen, c.cash_fen, c.payable_fen,
             c.payable_fen) is distinct from (t.n, t.visits::bigint, t.medfee::bigint, t.scope::bigint, t.fund::bigint,
             t.account::bigint, t.cash::bigint, t.payable::bigint, t.kept::bigint)
            or case when c.state in ('withdrawn', 'rejected') then t.any_live else not t.all_live end)"""),
    Check("I2", "扣款合计等于各笔扣款，监管扣款与决定一致，且经两人办理", """
        select c.claim_id from clearing.claim c
        where (c.state not in ('withdrawn', 'rejected') and c.deducted_fen <> (
                  select coalesce(sum(d.amount_fen), 0) from clearing.deduction d where d.claim_id = c.claim_id and d.is_live))
           or c.approved_by = c.reviewed_by
           or exists (select from clearing.deduction d where d.claim_id = c.claim_id and d.decided_by = c.approved_by
                      and d.source = 'manual' and d.is_live)
        union all
        select d.deduction_no from clearing.deduction d
        left join supervision.deduction x on x.psn_no = d.psn_no and x.deduction_id = d.deduction_no
        where d.source = 'supervision' and (x.deduction_id is null or x.amount_fen <> d.amount_fen)"""),
    Check("I2", "已复核的扣款和年终清算都有分录，应付一腿与之相符", """
        select c.claim_id from clearing.claim c
        left join ledger.posting p on p.psn_no = c.fixmedins_code and p.posting_id = c.claim_id
        left join lateral (select sum(amount) as owed from unnest(p.accounts, p.amounts) leg(account, amount)
                           where leg.account = 'payable:' || c.fixmedins_code) g on true
        where coalesce(g.owed, 0) <> case when c.state not in ('approved', 'ordered', 'paid') then 0
            when c.kind = 'year_end' then c.payable_fen - c.deducted_fen else -c.deducted_fen end"""),
    Check("I2", "已支付的申报恰有一笔支付，支付有分录且金额等于申报应付之和", """
        select p.payment_id from clearing.payment p
        left join lateral (select sum(c.payable_fen - c.deducted_fen) as due, bool_and(c.state =
                case when p.state = 'ordered' then 'ordered' else 'paid' end) as in_state
            from clearing.claim c where c.payment_id = p.payment_id) t on true
        left join ledger.posting b on b.psn_no = p.fixmedins_code and b.posting_id = p.payment_id and b.kind = 'payment'
        left join lateral (select sum(amount) as owed from unnest(b.accounts, b.amounts) leg(account, amount)
                           where leg.account = 'payable:' || p.fixmedins_code) g on true
        where (p.state <> 'failed' and (t.due is distinct from p.amount_fen or t.in_state is not true))
           or coalesce(g.owed, 0) <> case when p.state = 'paid' then -p.amount_fen else 0 end
        union all
        select c.claim_id from clearing.claim c
        where c.state in ('ordered', 'paid') and not exists (
            select from clearing.payment p where p.payment_id = c.payment_id and p.state <> 'failed')
        union all
        select posting_id from ledger.posting b where b.kind = 'payment' and not exists (
            select from clearing.payment p where p.payment_id = b.posting_id and p.state = 'paid')
          and not exists (select from exchange.payout o where o.payout_id || '-paid' = b.posting_id)"""),
    Check("I2", "支付文件的笔数和金额等于其支付单之和", """
        select f.file_no from clearing.payment_file f
        where (f.payments, f.sum_fen) <> (select count(*), coalesce(sum(p.amount_fen), 0)::bigint
                                          from clearing.payment p where p.file_no = f.file_no)"""),
    Check("I7", "每次复核、支付与回盘都有审计记录", """
        select c.claim_id from clearing.claim c
        where c.approved_by is not null and not exists (
            select from platform.audit_entry e where e.object = c.claim_id and e.verb = 'approve_claim')
        union all
        select f.file_no from clearing.payment_file f where not exists (
            select from platform.audit_entry e where e.object = f.file_no and e.verb = 'order_payments')"""),
)
