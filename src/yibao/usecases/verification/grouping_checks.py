"""Payment by group: results belong to their settlements, a closed year to its claims and its budget."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

GROUPING_CHECKS = (
    Check("I6", "分组结果与其结算同机构、同统筹区，入组的必有组", """
        select r.setl_id from grouping.result r
        left join settlements.settlement s on s.psn_no = r.psn_no and s.setl_id = r.setl_id
        where s.setl_id is null or s.fixmedins_code <> r.fixmedins_code or s.admdvs <> r.admdvs
           or (r.kind = 'standard' and r.code = '')"""),
    Check("I6", "年终清算：因预算下调的合计等于预算，每个差额恰有一笔同额申报", """
        select y.close_id from grouping.year_close y
        where y.is_cut and y.state <> 'dropped' and y.budget_fen <>
              (select sum(l.final_fen) from grouping.year_line l where l.close_id = y.close_id)
        union all
        select l.close_id || '/' || l.fixmedins_code from grouping.year_line l
        join grouping.year_close y on y.close_id = l.close_id
        left join clearing.claim c on c.claim_id = l.claim_id
        where (y.state = 'approved') and (l.adjust_fen <> 0) <> (c.claim_id is not null)
           or c.claim_id is not null and (c.kind <> 'year_end' or c.payable_fen <> l.adjust_fen or c.admdvs <> y.admdvs
              or c.fixmedins_code <> l.fixmedins_code or c.fund_type <> y.fund_type or c.period <> y.year::text)"""),
)
