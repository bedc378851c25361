"""What must hold of stays: their periods are covered once and in order, returns stay within what was charged."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

STAY_CHECKS = (
    Check("I1", "一次住院的有效结算从第一期起首尾相接，没有一条明细被结算两次", """
        with covering as (
            select x.psn_no, x.mdtrt_id, x.setl_id, x.period_from,
                   coalesce(lag(x.period_to) over (partition by x.psn_no, x.mdtrt_id order by x.period_from), 0) as before
            from settlements.stay_in_force x)
        select setl_id from covering where period_from <> before + 1"""),
    Check("I1", "有效的出院结算每次住院至多一笔，是最后一笔，截止日为出院日；之后没有未结算的明细", """
        select f.setl_id from settlements.stay_in_force f
        join encounters.encounter e on e.psn_no = f.psn_no and e.mdtrt_id = f.mdtrt_id
        join encounters.stay v on v.psn_no = f.psn_no and v.mdtrt_id = f.mdtrt_id
        where not f.is_interim
          and (e.state <> 'discharged' or f.end_on <> (v.discharged_at at time zone 'Asia/Shanghai')::date
            or exists (select from settlements.stay_in_force o where o.psn_no = f.psn_no and o.mdtrt_id = f.mdtrt_id
                       and o.setl_id <> f.setl_id and (o.period_to > f.period_to or not o.is_interim))
            or exists (select from encounters.fee_line l where l.psn_no = f.psn_no and l.mdtrt_id = f.mdtrt_id
                       and settlements.period_of(l.chrg_bchno) > f.period_to))"""),
    Check("I1", "住院的状态、出院时间与收费期相符，明细都在住院期间", """
        select e.mdtrt_id from encounters.encounter e
        left join encounters.stay v on v.psn_no = e.psn_no and v.mdtrt_id = e.mdtrt_id
        where (e.state in ('admitted', 'discharged') and v.mdtrt_id is null)
           or (e.state = 'discharged') <> (v.discharged_at is not null)
           or v.open_period <= (select max(c.period_to) from settlements.stay_in_force c
                                where c.psn_no = e.psn_no and c.mdtrt_id = e.mdtrt_id)
           or (v.mdtrt_id is not null and exists (
               select from encounters.fee_line l where l.psn_no = e.psn_no and l.mdtrt_id = e.mdtrt_id
               and (settlements.period_of(l.chrg_bchno) is null or settlements.period_of(l.chrg_bchno) > v.open_period
                 or (l.occurred_at at time zone 'Asia/Shanghai')::date not between
                    (v.admitted_at at time zone 'Asia/Shanghai')::date and
                    coalesce((v.discharged_at at time zone 'Asia/Shanghai')::date, 'infinity'))))"""),
    Check("I1", "退费合计不超过原明细，各项拆分不为负，且与原明细在同一笔结算中", """
        select o.mdtrt_id || '/' || o.feedetl_sn from encounters.fee_line o
        join lateral (select sum(r.quantity_e4) q, sum(r.amount_fen) a, sum(r.own_fen) own, sum(r.over_fen) ov,
                             sum(r.first_fen) f, sum(r.scope_fen) sc,
                             bool_or(settlements.is_covered(r.psn_no, r.mdtrt_id, r.chrg_bchno)
                                     <> settlements.is_covered(o.psn_no, o.mdtrt_id, o.chrg_bchno)) as apart
                      from encounters.fee_line r
                      where r.psn_no = o.psn_no and r.mdtrt_id = o.mdtrt_id and r.init_sn = o.feedetl_sn) r on r.q is not null
        where least(o.quantity_e4 + r.q, o.amount_fen + r.a, o.own_fen + r.own, o.over_fen + r.ov, o.first_fen + r.f,
                    o.scope_fen + r.sc) < 0 or r.apart
        union all
        select r.mdtrt_id || '/' || r.feedetl_sn from encounters.fee_line r
        where (r.quantity_e4 < 0) <> (r.init_sn <> '') or (r.init_sn <> '' and not exists (
            select from encounters.fee_line o where o.psn_no = r.psn_no and o.mdtrt_id = r.mdtrt_id
            and o.feedetl_sn = r.init_sn and o.quantity_e4 > 0 and o.item_code = r.item_code
            and o.price_micro = r.price_micro))"""),
    Check("I1", "同一人同时至多一次在院", """
        select psn_no from encounters.encounter where state = 'admitted' group by psn_no having count(*) > 1"""),
    Check("I3", "每笔住院结算恰有一条覆盖记录，门诊结算没有", """
        select s.setl_id from settlements.settlement s
        join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
        left join encounters.stay v on v.psn_no = s.psn_no and v.mdtrt_id = s.mdtrt_id
        left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id = s.setl_id
        where s.kind = 'settlement' and (v.mdtrt_id is null) <> (c.setl_id is null)"""),
)
