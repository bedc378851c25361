"""Invariants of filings and choices."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

FILING_CHECKS = (
    Check("I6", "每条通过的慢特病备案恰有其认定，未通过或已撤销的没有", """
        select f.filing_id from applications.chronic_filing f
        left join applications.chronic_recognition r on r.psn_no = f.psn_no and r.disease_code = f.disease_code
            and r.valid_from = f.valid_from and r.valid_to is not distinct from f.valid_to
        where (f.state = 'approved') <> (r.psn_no is not null)
          and not exists (select from applications.chronic_filing o where o.psn_no = f.psn_no and o.state = 'approved'
                          and o.disease_code = f.disease_code and o.valid_from = f.valid_from and o.filing_id <> f.filing_id)"""),
    Check("I6", "每条作出决定的慢特病备案有决定时间和经办人", """
        select filing_id from applications.chronic_filing
        where (state in ('approved', 'refused')) and (decided_at is null or decided_by = '')
           or state = 'filed' and decided_at is not null"""),
    Check("I6", "同一参保人同一排序号任何一日至多一家选定机构", """
        select a.filing_id from applications.provider_choice a
        join applications.provider_choice b on b.psn_no = a.psn_no and b.kind = a.kind and b.ordinal = a.ordinal
            and b.filing_id > a.filing_id and b.cancelled_at is null
        where a.cancelled_at is null and a.valid_from < coalesce(b.valid_to, 'infinity'::date)
          and b.valid_from < coalesce(a.valid_to, 'infinity'::date)"""),
    Check("I6", "同一参保人任何一日至多一次有效的生育登记", """
        select a.filing_id from applications.maternity a
        join applications.maternity b on b.psn_no = a.psn_no and b.filing_id > a.filing_id and b.cancelled_at is null
        where a.cancelled_at is null and a.valid_from < coalesce(b.valid_to, 'infinity'::date)
          and b.valid_from < coalesce(a.valid_to, 'infinity'::date)"""),
)
