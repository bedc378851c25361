"""What must hold of dues, bills, payments and their money in the ledger."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

CONTRIBUTION_CHECKS = (
    Check("I2", "同一人同一月份至多一笔有效的基本医保应缴，职工与居民合计", """
        select psn_no || '/' || month from contributions.due
        where insutype in ('310', '390') and kind in ('regular', 'back') and state not in ('cancelled', 'refunded')
        group by psn_no, month having count(*) > 1"""),
    Check("I2", "每张缴费单的人次和金额等于其有效应缴之和", """
        select b.bill_id from contributions.bill b
        left join (select bill_id, count(*) as n, sum(total_fen + surcharge_fen)::bigint as fen from contributions.due
                   where state <> 'cancelled' group by 1) d on d.bill_id = b.bill_id
        where b.state <> 'cancelled' and (b.count, b.amount_fen) is distinct from (coalesce(d.n, 0), coalesce(d.fen, 0))"""),
    Check("I2", "应缴的状态与缴费单一致，作废的缴费单上没有有效应缴", """
        select d.psn_no || '/' || d.due_id from contributions.due d join contributions.bill b on b.bill_id = d.bill_id
        where d.state not in ('cancelled', 'refunded') and case b.state
            when 'open' then d.state <> 'assessed' when 'sent' then d.state not in ('assessed', 'sent')
            when 'paid' then d.state <> 'paid' when 'arrived' then d.state not in ('arrived', 'credited') else true end"""),
    Check("I2", "已缴清的缴费单恰由各笔缴费的抵缴金额缴清，缴费的抵缴额等于其分配之和", """
        select b.bill_id from contributions.bill b
        left join (select bill_id, sum(amount_fen)::bigint as fen from contributions.allocation group by 1) a
            on a.bill_id = b.bill_id
        left join (select bill_id, sum(total_fen + surcharge_fen)::bigint as fen from contributions.due
                   where state = 'refunded' group by 1) r on r.bill_id = b.bill_id
        where b.payer_kind <> 'state' and b.state in ('paid', 'arrived')
          and coalesce(a.fen, 0) <> b.amount_fen - coalesce(r.fen, 0)
        union all
        select p.payment_id from contributions.payment p
        left join (select payment_id, sum(amount_fen)::bigint as fen from contributions.allocation group by 1) a
            on a.payment_id = p.payment_id
        where p.allocated_fen <> coalesce(a.fen, 0)"""),
    Check("I2", "到账的缴费都有一笔分录，暂收款等于到账缴费减去已入基金和已退的金额", """
        select p.payment_id from contributions.payment p
        left join ledger.posting g on g.posting_id = 'arrival-' || p.payment_id
            and g.psn_no = case when p.payer_no = '' then p.bill_id else p.payer_no end
        where (p.state = 'arrived') <> (g.posting_id is not null)
           or (g.posting_id is not null and not (g.accounts @> array['bank:' || p.admdvs] and -p.amount_fen = any(g.amounts)))
        union all
        select r.admdvs from (select distinct admdvs from contributions.payment) r
        where (select coalesce(sum(l.amount), 0) from ledger.posting p, unnest(p.accounts, p.amounts) l(account, amount)
               where l.account = 'unallocated:' || r.admdvs)
           <> (select coalesce(sum(amount_fen), 0) from contributions.payment x where x.admdvs = r.admdvs and x.state = 'arrived')
            - (select coalesce(sum(d.total_fen + d.surcharge_fen), 0) from contributions.due d
               join contributions.bill b on b.bill_id = d.bill_id
               where d.admdvs = r.admdvs and d.state in ('arrived', 'credited') and b.payer_kind <> 'state')
            - (select coalesce(sum(f.amount_fen), 0) from contributions.refund f
               where f.admdvs = r.admdvs and f.state in ('approved', 'done'))"""),
    Check("I2", "缴费、滞纳金、财政补助和退费进出各基金的金额等于应缴各部分之和", """
        with parts as (
            select d.admdvs, u.fund, u.fen from contributions.due d join contributions.bill b on b.bill_id = d.bill_id,
                   unnest(d.funds, d.amounts) u(fund, fen) where d.state in ('arrived', 'credited')
            union all
            select d.admdvs, d.funds[1], d.surcharge_fen from contributions.due d
            where d.state in ('arrived', 'credited') and d.surcharge_fen > 0),
        owed as (select 'fund:' || admdvs || ':' || fund as account, sum(fen) as fen from parts group by 1),
        booked as (select l.account, sum(l.amount) as fen from ledger.posting p, unnest(p.accounts, p.amounts) l(account, amount)
                   where p.kind in ('contribution', 'surcharge', 'subsidy', 'contribution_refund') and l.account like 'fund:%'
                   group by 1)
        select coalesce(o.account, b.account) from owed o full join booked b using (account)
        where coalesce(o.fen, 0) <> coalesce(b.fen, 0)"""),
    Check("I2", "从个人账户划扣的应缴到账的，恰有一笔划扣分录", """
        with taken as (
            select p.psn_no, substr(p.posting_id, 4) as due_id from ledger.posting p
            where p.kind = 'account_due' and p.posting_id like 'ad-%'),
        drawn as (
            select psn_no, due_id from taken union
            select m.merged_into, t.due_id from taken t join people.person m on m.psn_no = t.psn_no
            where m.merged_into is not null)
        select d.psn_no || '/' || d.due_id from contributions.due d
        left join drawn x on x.psn_no = d.psn_no and x.due_id = d.due_id
        where d.payer_kind = 'account' and d.total_fen > 0
          and (d.state in ('arrived', 'credited')) <> (x.due_id is not null)"""),
    Check("I6", "退费均由两人办理，已退的有分录；余额不足的缴费没有多退", """
        select f.refund_id from contributions.refund f
        left join ledger.posting p on p.psn_no = f.payer_no and p.posting_id = f.refund_id || '-done'
        where f.checked_by = f.made_by or (f.state = 'done') <> (p.posting_id is not null)
        union all
        select p.payment_id from contributions.payment p
        left join (select payment_id, sum(amount_fen)::bigint as fen from contributions.refund where state in ('approved', 'done')
                   group by 1) f on f.payment_id = p.payment_id
        where p.refunded_fen < coalesce(f.fen, 0)"""),
)
