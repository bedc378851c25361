"""What must hold between closed months, their reports and vouchers, the ledger and the cases behind it."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

CLOSING_CHECKS = (
    Check("I2", "已结账月份的分录笔数未变，各基金收支等于分录合计", """
        with closed as (
            select admdvs, month, revision, postings, month::timestamp at time zone 'Asia/Shanghai' as begin_at,
                   (month + interval '1 month') at time zone 'Asia/Shanghai' as end_at
            from closing.month where state <> 'open'),
        booked as (
            select c.admdvs, c.month, split_part(l.account, ':', 3) as fund, sum(l.amount) as fen
            from closed c
            join ledger.posting p on p.admdvs = c.admdvs and p.posted_at >= c.begin_at and p.posted_at < c.end_at
            cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
            where starts_with(l.account, 'fund:') group by 1, 2, 3
            union all
            select c.admdvs, c.month, 'accounts', sum(l.amount)
            from closed c
            join ledger.posting p on p.admdvs = c.admdvs and p.posted_at >= c.begin_at and p.posted_at < c.end_at
            cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
            where starts_with(l.account, 'account:') group by 1, 2),
        by_month as (select admdvs, month, sum(fen) as fen from booked group by 1, 2),
        by_fund as (select admdvs, month, fund, sum(fen) as fen from booked group by 1, 2, 3)
        select c.admdvs || ' ' || c.month from closed c
        left join by_month b using (admdvs, month)
        where coalesce(b.fen, 0) <> (select coalesce(sum(f.amount_fen), 0) from closing.flow f
                                     where f.admdvs = c.admdvs and f.month = c.month and f.revision = c.revision)
           or c.postings <> (select count(*) from ledger.posting p
                             where p.admdvs = c.admdvs and p.posted_at >= c.begin_at and p.posted_at < c.end_at)
        union all
        -- The personal accounts are reported with the fund of that name: only that one may differ from its own legs.
        select b.admdvs || ' ' || b.month || ' ' || b.fund from by_fund b join closed c using (admdvs, month)
        where b.fund <> 'accounts' and b.fen <> (
            select coalesce(sum(f.amount_fen), 0) from closing.flow f
            where f.admdvs = b.admdvs and f.month = b.month and f.revision = c.revision and f.fund = b.fund)
          and b.fen + coalesce((select a.fen from by_fund a where a.admdvs = b.admdvs and a.month = b.month
                                and a.fund = 'accounts'), 0) <> (
            select coalesce(sum(f.amount_fen), 0) from closing.flow f
            where f.admdvs = b.admdvs and f.month = b.month and f.revision = c.revision and f.fund = b.fund)"""),
    Check("I2", "基金结余逐月结转，期末结余等于期初加收入减支出，也等于至月末的分录合计", """
        select b.admdvs || ' ' || b.month || ' ' || b.fund from closing.balance b
        join closing.month m on m.admdvs = b.admdvs and m.month = b.month and m.revision = b.revision and m.state <> 'open'
        left join closing.month e on e.admdvs = b.admdvs and e.month = (b.month - interval '1 month')::date
            and e.state <> 'open'
        left join closing.balance o on o.admdvs = e.admdvs and o.month = e.month and o.revision = e.revision and o.fund = b.fund
        where b.carried_fen <> b.opening_fen + b.income_fen - b.spending_fen
           or (e.month is not null and coalesce(o.carried_fen, 0) <> b.opening_fen)
           or b.income_fen - b.spending_fen <> (
               select coalesce(sum(f.amount_fen), 0) from closing.flow f
               where f.admdvs = b.admdvs and f.month = b.month and f.revision = b.revision and f.fund = b.fund)
        union all
        select m.admdvs || ' ' || m.month from closing.month m
        where m.state <> 'open' and not exists (
                  select from closing.month n where n.admdvs = m.admdvs and n.month > m.month and n.state <> 'open')
          and (select coalesce(sum(b.carried_fen), 0) from closing.balance b
               where b.admdvs = m.admdvs and b.month = m.month and b.revision = m.revision) <> (
              select coalesce(sum(l.amount), 0) from ledger.posting p
              cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
              where p.admdvs = m.admdvs and p.posted_at < (m.month + interval '1 month') at time zone 'Asia/Shanghai'
                and (starts_with(l.account, 'fund:') or starts_with(l.account, 'account:')))"""),
    Check("I2", "报表的待遇支出等于当月各笔结算的基金和个人账户支付", """
        with reported as (
            select f.admdvs, f.month, -sum(f.amount_fen) as fen
            from closing.flow f
            join closing.month m on m.admdvs = f.admdvs and m.month = f.month and m.revision = f.revision and m.state <> 'open'
            where f.kind in ('settlement', 'refund', 'reinstatement') group by 1, 2),
        cases as (
            select s.admdvs, date_trunc('month', s.settled_at at time zone 'Asia/Shanghai')::date as month,
                   sum(s.fund_fen + s.account_fen) as fen
            from settlements.settlement s group by 1, 2)
        select coalesce(r.admdvs, m.admdvs) || ' ' || m.month from closing.month m
        left join reported r on r.admdvs = m.admdvs and r.month = m.month
        left join cases c on c.admdvs = m.admdvs and c.month = m.month
        where m.state <> 'open' and coalesce(r.fen, 0) <> coalesce(c.fen, 0)"""),
    Check("I2", "报表的保险费、财政补贴和滞纳金等于当月到账的各笔应缴", """
        with reported as (
            select f.admdvs, f.month, f.fund, sum(f.amount_fen) as fen
            from closing.flow f
            join closing.month m on m.admdvs = f.admdvs and m.month = f.month and m.revision = f.revision and m.state <> 'open'
            where f.kind in ('contribution', 'subsidy', 'surcharge') group by 1, 2, 3),
        cases as (
            select d.admdvs, date_trunc('month', d.arrived_at at time zone 'Asia/Shanghai')::date as month, l.fund,
                   sum(l.fen) as fen
            from contributions.due d
            cross join lateral (
                select u.fund, u.fen from unnest(d.funds, d.amounts) u(fund, fen)
                union all select d.funds[1], d.surcharge_fen) l(fund, fen)
            where d.arrived_at is not null and d.payer_kind <> 'account' and d.bill_id <> '' group by 1, 2, 3)
        select m.admdvs || ' ' || m.month || ' ' || x.fund from closing.month m
        join (select admdvs, month, fund from reported union select admdvs, month, fund from cases where fen <> 0) x
            on x.admdvs = m.admdvs and x.month = m.month
        left join reported r on r.admdvs = x.admdvs and r.month = x.month and r.fund = x.fund
        left join cases c on c.admdvs = x.admdvs and c.month = x.month and c.fund = x.fund
        where m.state <> 'open' and coalesce(r.fen, 0) <> coalesce(c.fen, 0)"""),
    Check("I2", "凭证借贷相等、编号连续，结转到结余的金额等于基金收支", """
        select v.admdvs || ' ' || v.month || ' ' || v.book || '-' || v.number from closing.voucher v
        left join lateral (
            select sum(l.debit_fen) as debit, sum(l.credit_fen) as credit from closing.voucher_line l
            where l.admdvs = v.admdvs and l.month = v.month and l.revision = v.revision and l.book = v.book
              and l.number = v.number) t on true
        where (v.debit_fen, v.credit_fen) is distinct from (t.debit::bigint, t.credit::bigint) or v.debit_fen <> v.credit_fen
           or v.number > (select count(*) from closing.voucher o where o.admdvs = v.admdvs and o.month = v.month
                          and o.revision = v.revision and o.book = v.book)
        union all
        select b.admdvs || ' ' || b.month || ' ' || b.fund from closing.balance b
        where b.income_fen - b.spending_fen <> (
            select coalesce(sum(l.credit_fen - l.debit_fen), 0) from closing.voucher_line l
            join closing.voucher v using (admdvs, month, revision, book, number)
            where l.admdvs = b.admdvs and l.month = b.month and l.revision = b.revision and l.detail = b.fund
              and v.kind <> 'carry')"""),
    Check("I2", "逐月结账没有缺月；重新打开经两人办理", """
        select m.admdvs || ' ' || m.month from closing.month m
        where exists (select from closing.month e where e.admdvs = m.admdvs and e.month < m.month)
          and not exists (select from closing.month e where e.admdvs = m.admdvs
                          and e.month = (m.month - interval '1 month')::date)
        union all
        select m.admdvs || ' ' || m.month from closing.month m
        where m.state <> 'open' and exists (
            select from closing.month e where e.admdvs = m.admdvs and e.month < m.month and e.state = 'open')
        union all
        select o.admdvs || ' ' || o.month from closing.event o
        where o.verb = 'opened' and not exists (
            select from closing.event a where a.admdvs = o.admdvs and a.month = o.month and a.verb = 'asked'
              and a.revision = o.revision and a.at <= o.at and a.by <> o.by)"""),
    Check("I7", "每次结账都有审计记录", """
        select m.admdvs || ' ' || m.month from closing.month m
        where not exists (select from platform.audit_entry e
                          where e.object = m.admdvs || '-' || to_char(m.month, 'YYYYMM') and e.verb = 'close_month')"""),
)
