"""What must hold of settlement lists and uploaded records: each has its settlement or visit and its whole history."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

RECORD_CHECKS = (
    Check("I4", "每份结算清单与其结算同人、同就诊、同机构", """
        select l.setl_id from records.settlement_list l
        left join settlements.settlement s on s.psn_no = l.psn_no and s.setl_id = l.setl_id
        where s.setl_id is null or s.kind <> 'settlement' or s.mdtrt_id <> l.mdtrt_id
           or s.fixmedins_code <> l.fixmedins_code or s.admdvs <> l.admdvs"""),
    Check("I7", "每份结算清单的状态是其最后一步所到，版本数等于上传次数", """
        select l.setl_id from records.settlement_list l
        where l.state is distinct from (select e.state_to from records.list_event e
                  where e.psn_no = l.psn_no and e.setl_id = l.setl_id order by e.seq desc limit 1)
           or l.version <> (select count(*) from records.list_event e
                  where e.psn_no = l.psn_no and e.setl_id = l.setl_id and e.verb = 'upload')"""),
    Check("I7", "结算清单的每一步都从前一步所到之处出发", """
        select distinct x.setl_id from (
            select e.setl_id, e.state_from,
                   lag(e.state_to) over (partition by e.psn_no, e.setl_id order by e.seq) as before
            from records.list_event e) x
        where x.state_from <> coalesce(x.before, '')"""),
    Check("I4", "有就诊的上传记录与其就诊同人、同机构；被替换的旧版一份不少", """
        select d.fixmedins_code || '/' || d.kind || '/' || d.doc_key from records.document d
        left join encounters.encounter e on e.psn_no = d.psn_no and e.mdtrt_id = d.mdtrt_id
        where (d.mdtrt_id <> '' and (e.mdtrt_id is null or e.fixmedins_code <> d.fixmedins_code))
           or d.version - 1 <> (select count(*) from records.document_version v where v.fixmedins_code = d.fixmedins_code
                  and v.kind = d.kind and v.doc_key = d.doc_key)"""),
)
