"""Checks of applications, transfers and certificates."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

SERVICES_CHECKS = (
    Check("I7", "每个申请的状态等于其最后一步，且每一步都有审计记录", """
        select a.application_id from services.application a
        where a.state is distinct from (select s.state from services.step s where s.application_id = a.application_id
                                        order by s.ordinal desc limit 1)
        union all
        select s.application_id from services.step s where not exists (
            select from platform.audit_entry e where e.object = s.application_id and e.verb = 'service_' || s.what)"""),
    Check("I6", "每个申请的期限与中止相符：中止的没有期限，在办的有", """
        select a.application_id from services.application a
        where (a.state = 'suspended') <> exists (
                select from services.pause p where p.application_id = a.application_id and p.end_on is null)
           or (a.state in ('accepted', 'reviewing', 'approved', 'paying', 'paid', 'closed') and a.due_on is null)"""),
    Check("I2", "转出的个人账户余额、支付单与分录相等", """
        select t.transfer_id from transfers.transfer t
        left join ledger.posting p on p.psn_no = t.psn_no and p.posting_id = 'transfer-out-' || t.transfer_id
        left join exchange.payout o on o.payout_id = t.payout_id
        where t.direction = 'out' and t.state in ('sent', 'closed') and t.account_fen > 0
          and (p.amounts is distinct from array[t.account_fen, -t.account_fen] or o.amount_fen is distinct from t.account_fen)
        union all
        select p.posting_id from ledger.posting p where p.kind = 'transfer_out' and not exists (
            select from transfers.transfer t where t.psn_no = p.psn_no and p.posting_id = 'transfer-out-' || t.transfer_id)"""),
    Check("I2", "转入的到账资金、个人账户分录与信息表相等", """
        select m.payment_ref from transfers.money m
        left join ledger.posting p on p.psn_no = m.psn_no and p.posting_id = 'transfer-in-' || m.payment_ref
        where (m.state = 'booked') <> (p.posting_id is not null)
           or (m.state = 'booked' and p.amounts is distinct from array[-m.amount_fen, m.amount_fen])
        union all
        select p.posting_id from ledger.posting p where p.kind = 'transfer_in' and not exists (
            select from transfers.money m where m.psn_no = p.psn_no and p.posting_id = 'transfer-in-' || m.payment_ref)
        union all
        select t.transfer_id from transfers.transfer t where t.direction = 'in' and t.received_fen <> (
            select coalesce(sum(m.amount_fen), 0) from transfers.money m
            where m.transfer_id = t.transfer_id and m.state = 'booked')
        union all
        select t.transfer_id from transfers.transfer t
        where t.direction = 'in' and (t.state = 'closed') <> (t.ended_at is not null and t.received_fen = t.account_fen
              and t.state not in ('refused', 'cancelled'))"""),
    Check("I7", "转入合并的月数等于认定的年限记录，同一月只计一次", """
        select t.transfer_id from transfers.transfer t
        where t.direction = 'in' and t.state in ('merged', 'closed') and t.counted <> (
            select coalesce(sum(c.months), 0) from enrolment.year_credit c
            where c.psn_no = t.psn_no and c.kind = 'transferred' and c.withdrawn_at is null
              and c.evidence = '转移接续信息表 ' || t.reference)"""),
    Check("I7", "每份凭证写明自己的编号，有出具的审计记录，打印件与其摘要同在", """
        select c.certificate_no from certificates.certificate c
        where (c.pdf is null) <> (c.pdf_digest is null) or length(c.pdf) = 0 or c.statement = ''
           or position(c.certificate_no in c.statement) = 0
        union all
        select c.certificate_no from certificates.certificate c where not exists (
            select from platform.audit_entry e where e.object = c.certificate_no and e.verb = 'issue_certificate')"""),
)
