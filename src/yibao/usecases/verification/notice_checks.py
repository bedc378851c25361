"""Invariants of messages, kept texts and bulletins."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

NOTICE_CHECKS = (
    Check("I5", "每条消息有一个收件人，依据已公布的方案版本，发送不早于公布", """
        select m.message_id from notices.message m
        left join windows.plan p on p.admdvs = m.admdvs and p.name = m.plan and p.version = m.version
        where (m.psn_no <> '')::integer + (m.emp_no <> '')::integer + (m.fixmedins_code <> '')::integer <> 1 or m.text = ''
           or (m.plan <> '' and m.version > 0 and (p.published_at is null or m.told_at < p.published_at))"""),
    Check("I5", "每份留存的公告文本属于已公布的方案版本，留存不早于公布", """
        select t.plan || '/' || t.version || '/' || t.view from notices.text_kept t
        left join windows.plan p on p.admdvs = t.admdvs and p.name = t.plan and p.version = t.version
        where p.published_at is null or t.kept_at < p.published_at"""),
    Check("I7", "每份恢复情况通报、每项订阅有审计记录", """
        select b.plan || '/' || b.on_day from notices.bulletin b where not exists (
            select from platform.audit_entry e where e.verb = 'publish_bulletin'
            and e.object = b.admdvs || '/' || b.plan || '/' || b.on_day)
        union all
        select s.subscription_id from notices.subscription s where not exists (
            select from platform.audit_entry e where e.verb = 'subscribe' and e.object = s.subscription_id)"""),
)
