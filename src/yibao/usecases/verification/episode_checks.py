"""Episodes of a window: cash over the counter, settlements, register rows and claims tell one story."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

EPISODE_CHECKS = (
    Check("I6", "停机病例的收款、退款、补交各笔之和等于机构应留存的现金", """
        select e.episode_id from episodes.episode e
        left join (select psn_no, episode_id, sum(amount_fen) as fen from episodes.cash group by 1, 2) c
            using (psn_no, episode_id)
        where coalesce(c.fen, 0) <> case e.state when 'settled' then e.due_fen when 'returned' then 0 when 'withdrawn' then 0
                                         else e.paid_fen end"""),
    Check("I6", "停机病例的已收金额等于其押金和垫付各笔之和", """
        select e.episode_id from episodes.episode e
        left join (select psn_no, episode_id, sum(amount_fen) as fen,
                          coalesce(sum(amount_fen) filter (where kind = 'deposit'), 0) as deposits
                   from episodes.cash where kind in ('deposit', 'payment') group by 1, 2) c using (psn_no, episode_id)
        where (e.paid_fen, e.deposit_fen) <> (coalesce(c.fen, 0), coalesce(c.deposits, 0))"""),
    Check("I6", "同一病例的款项至多全额退还一次", """
        select episode_id from episodes.cash where kind = 'return' group by psn_no, episode_id having count(*) > 1"""),
    Check("I6", "已结算的停机病例恰有一笔有效结算，应付现金与结算一致", """
        select e.episode_id from episodes.episode e
        left join settlements.settlement s on s.psn_no = e.psn_no and s.setl_id = e.setl_id
        where e.state = 'settled' and (s.setl_id is null or s.state <> 'active' or s.kind <> 'settlement'
              or s.cash_fen <> e.due_fen or s.mdtrt_id <> e.mdtrt_id or s.fixmedins_code <> e.fixmedins_code)"""),
    Check("I6", "停机病例与其登记册行的状态和金额一致", """
        select e.episode_id from episodes.episode e
        left join registers.entry r on r.admdvs = e.admdvs and r.register_no = e.register_no
        where e.register_no <> '' and r.kind <> 'late_filing' and (r.register_no is null
           or (r.state in ('received', 'ready')) <> (e.state in ('held', 'entered'))
           or r.kind not in ('counter_intake') and (r.paid_fen, r.back_fen, r.topup_fen) <> (e.paid_fen, e.back_fen, e.topup_fen))
           or e.register_no <> '' and r.register_no is null"""),
    Check("I6", "超过期限结转的病例确已过最后补录日，转自费的病例没有结算", """
        select episode_id from episodes.episode
        where state = 'lapsed' and settle_by is null
           or state = 'settled' and self_pay_from is not null and self_pay_to is null"""),
    Check("I7", "停机病例的每一步连续编号，最后一步与现状相符", """
        select e.episode_id from episodes.episode e
        left join (select psn_no, episode_id, count(*) as n, max(ordinal) as last,
                          (array_agg(state order by ordinal desc))[1] as state
                   from episodes.step group by 1, 2) s using (psn_no, episode_id)
        where s.n is null or s.n <> s.last or s.state <> e.state"""),
)
