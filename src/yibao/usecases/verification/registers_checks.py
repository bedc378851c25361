"""Checks of books: numbers, states and steps, money, applications and payments behind the rows."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

REGISTERS_CHECKS = (
    Check("I6", "每本登记册的编号从一起连续，与计数相等", """
        select c.admdvs || '/' || c.kind from registers.counter c
        left join lateral (select count(*) as rows, max(split_part(e.register_no, '-', 3)::int) as last_no
                           from registers.entry e where e.admdvs = c.admdvs and e.kind = c.kind) f on true
        where c.last_no is distinct from f.rows or c.last_no is distinct from f.last_no
        union all
        select distinct e.admdvs || '/' || e.kind from registers.entry e where not exists (
            select from registers.counter c where c.admdvs = e.admdvs and c.kind = e.kind)"""),
    Check("I6", "每行登记的状态等于其最后一步，终结的才有办结时间", """
        select e.register_no from registers.entry e
        where e.state is distinct from (select s.state from registers.step s
                                        where s.admdvs = e.admdvs and s.register_no = e.register_no
                                        order by s.ordinal desc limit 1)"""),
    Check("I2", "终结的登记金额相平：已收加补收等于应付加退回", """
        select register_no from registers.entry
        where ended_at is not null and (paid_fen + topup_fen <> due_fen + back_fen or (back_fen > 0 and topup_fen > 0))
        union all
        select b.kind || '/' || b.plan from registers.book b where b.owned = 0
          and b.paid_fen + b.topup_fen <> b.due_fen + b.back_fen"""),
    Check("I6", "登记造册的申请与登记册逐件对应：在册的未办结，办结的已终结", """
        select a.application_id from services.application a
        left join registers.entry e on e.register_no = a.register_no
        where a.register_no like 'R%' and (
            e.origin is distinct from 'application/' || a.application_id
            or (a.state in ('closed', 'rejected', 'not_accepted', 'withdrawn') and e.ended_at is null)
            or (a.state = 'registered' and e.ended_at is not null))"""),
    Check("I6", "停征后退回的缴费与登记册逐笔对应，退回的已终结", """
        select p.payment_id from contributions.payment p
        join registers.entry e on e.admdvs = p.admdvs and e.kind = 'payment_returned'
             and e.origin = 'payment/' || p.payment_id
        where e.paid_fen <> p.amount_fen or (p.state = 'returned' and e.ended_at is null)
           or (e.state = 'done' and p.state <> 'returned' and p.refunded_fen < p.amount_fen)
        union all
        select e.register_no from registers.entry e where e.kind = 'payment_returned' and e.origin like 'payment/%'
          and not exists (select from contributions.payment p where 'payment/' || p.payment_id = e.origin)"""),
    Check("I7", "每行登记都有审计记录", """
        select e.register_no from registers.entry e where not exists (
            select from platform.audit_entry a where a.object = e.register_no and a.verb = 'register_receive')"""),
)
