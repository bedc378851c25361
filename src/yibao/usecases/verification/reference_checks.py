"""What must hold of stock, traceability codes, item mappings and editions of the catalogue."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

REFERENCE_CHECKS = (
    Check("I6", "每个批次的库存等于最近一次盘存加其后的变动", """
        select s.fixmedins_code || '/' || s.own_code || '/' || s.bchno from dispensing.stock s
        left join lateral (
            select r.record_id, r.quantity_e4, (r.occurred_at at time zone 'Asia/Shanghai')::date as day
            from dispensing.stock_record r
            where r.fixmedins_code = s.fixmedins_code and r.own_code = s.own_code and r.bchno = s.bchno
              and r.state = 'valid' and r.kind = 'count' order by 3 desc, 1 desc limit 1) c on true
        where s.quantity_e4 <> coalesce(c.quantity_e4, 0) + coalesce((
            select sum(r.delta_e4) from dispensing.stock_record r
            where r.fixmedins_code = s.fixmedins_code and r.own_code = s.own_code and r.bchno = s.bchno and r.state = 'valid'
              and (c.day is null or ((r.occurred_at at time zone 'Asia/Shanghai')::date, r.record_id) > (c.day, c.record_id))), 0)
           or s.counted_on is distinct from c.day"""),
    Check("I6", "商品的退货不超过销售：按批次，有原记录的按原记录", """
        select r.fixmedins_code || '/' || r.own_code || '/' || r.bchno from dispensing.stock_record r
        where r.state = 'valid' and r.kind in ('sale', 'sale_return') group by r.fixmedins_code, r.own_code, r.bchno
        having sum(r.quantity_e4) filter (where r.kind = 'sale_return')
               > coalesce(sum(r.quantity_e4) filter (where r.kind = 'sale'), 0)
        union all
        select o.fixmedins_code || '/' || o.record_id from dispensing.stock_record o
        join dispensing.stock_record r on r.fixmedins_code = o.fixmedins_code and r.origin_id = o.record_id
            and r.own_code = o.own_code and r.bchno = o.bchno and r.state = 'valid'
        where o.state = 'valid' group by o.fixmedins_code, o.record_id, o.quantity_e4
        having sum(r.quantity_e4) > o.quantity_e4"""),
    Check("I6", "追溯码的已售数等于其有效的销售与退货之和，重复销售都有提示记录", """
        select t.trace_code from dispensing.trace_code t
        left join lateral (select coalesce(sum(e.effect), 0) as sold from dispensing.trace_event e
                           where e.trace_code = t.trace_code and e.state = 'valid') n on true
        where not t.is_virtual and (t.whole_sold <> greatest(0, n.sold) or (t.whole_sold > 1 and not exists (
            select from dispensing.trace_alert a where a.trace_code = t.trace_code and a.reason = 'sold_twice')))"""),
    Check("I4", "同一院内编码任何一天至多一条已通过的目录对照", """
        select a.fixmedins_code || '/' || a.medins_list_codg from institutions.item_mapping a
        join institutions.item_mapping b on b.fixmedins_code = a.fixmedins_code and b.list_type = a.list_type
            and b.medins_list_codg = a.medins_list_codg and b.revision > a.revision and b.state = 'approved'
            and a.valid_from <= b.valid_to and b.valid_from <= a.valid_to
        where a.state = 'approved'"""),
    Check("I4", "同一目录编码任何一天至多一个版本", """
        with every as (select code, valid_from, valid_to from catalogue.item
                       union all select code, valid_from, valid_to from catalogue.former_item),
             ordered as (select code, valid_to, lead(valid_from) over (partition by code order by valid_from) as next from every)
        select code from ordered where next is not null and (valid_to is null or valid_to > next)"""),
)
