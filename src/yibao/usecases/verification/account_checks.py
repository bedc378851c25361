"""Personal accounts: every reason to move money has its posting, every such posting its reason."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

ACCOUNT_CHECKS = (
    Check("I2", "个人账户只由账户本人名下的分录变动", """
        select p.psn_no || '/' || p.posting_id from ledger.posting p, unnest(p.accounts) account
        where account like 'account:%' and account <> 'account:' || p.psn_no"""),
    Check("I2", "每个人每月的划入恰有一笔同额分录，未划入的没有分录", """
        select coalesce(c.psn_no || '/' || to_char(c.month, 'YYYYMM'), p.psn_no || '/' || p.posting_id)
        from (select psn_no, month, 'cr-' || to_char(month, 'YYYYMM') as posting_id, amount_fen from personal_accounts.credit
              where outcome = 'credited' and amount_fen > 0) c
        full join (select psn_no, posting_id, amounts[2] as fen from ledger.posting where kind = 'account_credit') p
            on p.psn_no = c.psn_no and p.posting_id = c.posting_id
        where c.amount_fen is distinct from p.fen"""),
    Check("I2", "每个账户每年的利息恰有一笔同额分录", """
        select coalesce(i.psn_no, p.psn_no) || '/' || coalesce('in-' || i.year, p.posting_id)
        from (select psn_no, year, amount_fen from personal_accounts.interest where amount_fen > 0) i
        full join (select psn_no, posting_id, amounts[2] as fen from ledger.posting
                   where kind = 'interest' and posting_id like 'in-%') p
            on p.psn_no = i.psn_no and p.posting_id = 'in-' || i.year
        where i.amount_fen is distinct from p.fen"""),
    Check("I2", "每笔结算的共济支付等于各共济人账户的分录之和", """
        select s.setl_id from settlements.settlement s
        left join (select u.member_no, u.setl_id, sum(u.amount_fen) as fen,
                          bool_and(p.posting_id is not null and p.kind = x.kind and leg.amount = -u.amount_fen) as is_posted
                   from personal_accounts.shared_use u
                   join settlements.settlement x on x.psn_no = u.member_no and x.setl_id = u.setl_id
                   left join ledger.posting p on p.psn_no = u.psn_no and p.posting_id = u.setl_id
                   left join lateral (select sum(l.amount) as amount from unnest(p.accounts, p.amounts) l(account, amount)
                                      where l.account = 'account:' || u.psn_no) leg on true
                   group by u.member_no, u.setl_id) g on g.member_no = s.psn_no and g.setl_id = s.setl_id
        where s.shared_fen <> coalesce(g.fen, 0) or not coalesce(g.is_posted, true)"""),
    Check("I2", "共济支付不超过授权的年度限额和单次限额", """
        select h.share_id from personal_accounts.share h
        join (select psn_no, share_id, year, sum(amount_fen) as fen, max(amount_fen) as most
              from personal_accounts.shared_use group by psn_no, share_id, year) u
            on u.psn_no = h.sharer_no and u.share_id = h.share_id
        where u.fen > h.year_limit_fen or u.most > h.once_limit_fen or u.fen < 0"""),
    Check("I6", "冻结的账户恰有一条未解冻的冻结记录", """
        select coalesce(a.psn_no, f.psn_no) from (select psn_no from ledger.personal_account where is_frozen) a
        full join (select psn_no from personal_accounts.freeze where released_at is null) f on f.psn_no = a.psn_no
        where a.psn_no is null or f.psn_no is null"""),
    Check("I6", "批准的支取和继承恰有一笔同额分录，经办人与复核人不同", """
        select w.withdrawal_id from personal_accounts.withdrawal w
        left join ledger.posting p on p.psn_no = w.psn_no and p.posting_id = 'wd-' || w.withdrawal_id
        where (w.state = 'approved') <> (p.posting_id is not null) or w.state = 'approved' and (
            p.kind <> w.kind or p.amounts[2] <> -w.amount_fen or w.checked_by = w.made_by)"""),
)
