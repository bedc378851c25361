"""What must always hold of persons and their relations."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

ENROLMENT_CHECKS = (
    Check("I4", "同一人同一月份至多一个基本医保参保关系", """
        with covered as (
            select psn_no, relation_id, date_trunc('month', insured_on)::date as first,
                   coalesce(date_trunc('month', paused_on)::date, 'infinity'::date) as until
            from enrolment.relation where insutype in ('310', '390'))
        select a.psn_no || '/' || a.relation_id || '/' || b.relation_id from covered a
        join covered b on b.psn_no = a.psn_no and b.relation_id > a.relation_id and b.first < a.until and a.first < b.until
        where a.first < a.until and b.first < b.until"""),
    Check("I4", "已终止的参保关系有终止日，正常的没有", """
        select psn_no || '/' || relation_id from enrolment.relation
        where (status = '4' and paused_on is null) or (status = '1' and paused_on is not null and ended_recorded_at is not null)
           or paused_on < insured_on"""),
    Check("I4", "死亡人员没有仍在参保的关系和特殊身份", """
        select p.psn_no from people.person p join enrolment.relation r on r.psn_no = p.psn_no
        where p.died_on is not null and r.paused_on is null and r.status <> '4'
        union all
        select p.psn_no from people.person p join people.change c on c.psn_no = p.psn_no and c.field = 'died_on'
        join enrolment.special_identity i on i.psn_no = p.psn_no
        where p.died_on is not null and (i.valid_to is null or i.valid_to > greatest(p.died_on + 1, i.valid_from))"""),
    Check("I4", "已合并的编号没有参保关系，所指编号自身未被合并", """
        select m.psn_no from people.person m left join people.person k on k.psn_no = m.merged_into
        where m.merged_into is not null and (k.psn_no is null or k.merged_into is not null or exists (
            select from enrolment.relation r where r.psn_no = m.psn_no and r.paused_on is null and r.status <> '4'))
        union all
        select g.merge_id from people.merge g join people.person m on m.psn_no = g.merged_no
        where (g.undone_at is null) <> (m.merged_into is not distinct from g.kept_no)"""),
    Check("I7", "人员现有信息等于其最后一次变更", """
        with last as (
            select psn_no, field, new_value from (
                select x.*, rank() over (partition by psn_no, field order by recorded_at desc) as r from people.change x
                where x.field <> 'card_no') y
            where r = 1)
        select l.psn_no || '/' || l.field from last l join people.person p on p.psn_no = l.psn_no
        group by l.psn_no, l.field having not bool_or(l.new_value is not distinct from (to_jsonb(p) ->> l.field))"""),
    Check("R1", "导入的每一行都有结果，且与人员相符", """
        select f.import_id from enrolment.import_file f
        left join lateral (select count(*) as n, count(*) filter (where r.state = 'applied') as applied
                           from enrolment.import_row r where r.import_id = f.import_id) r on true
        where f.state <> 'open' and (r.n <> f.rows or r.applied <> f.applied)"""),
    Check("I2", "救助名单的人数与其各行一致", """
        select l.list_id from enrolment.assisted_list l
        left join lateral (select count(*) as n, count(*) filter (where outcome = 'added') as added,
                                  count(*) filter (where outcome = 'kept') as kept
                           from enrolment.assisted_row r where r.list_id = l.list_id) r on true
        where r.n <> l.rows or r.added <> l.added or r.kept <> l.kept"""),
)
