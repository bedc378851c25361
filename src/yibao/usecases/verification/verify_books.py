"""Prove the invariants on live data: each check is one statement that returns what breaks it, or nothing."""

from __future__ import annotations

from collections.abc import Callable

from yibao.infra.audit_chain import walk
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.settlement.explain_settlement import explain, stored_policy
from yibao.usecases.verification.access_checks import ACCESS_CHECKS
from yibao.usecases.verification.account_checks import ACCOUNT_CHECKS
from yibao.usecases.verification.backfill_checks import BACKFILL_CHECKS
from yibao.usecases.verification.check import Check, Finding
from yibao.usecases.verification.claims_checks import CLAIMS_CHECKS
from yibao.usecases.verification.clearing_checks import CLEARING_CHECKS
from yibao.usecases.verification.closing_checks import CLOSING_CHECKS
from yibao.usecases.verification.contribution_checks import CONTRIBUTION_CHECKS
from yibao.usecases.verification.deadlines_checks import DEADLINES_CHECKS
from yibao.usecases.verification.enrolment_checks import ENROLMENT_CHECKS
from yibao.usecases.verification.entitlement_checks import ENTITLEMENT_CHECKS
from yibao.usecases.verification.episode_checks import EPISODE_CHECKS
from yibao.usecases.verification.exchange_checks import EXCHANGE_CHECKS
from yibao.usecases.verification.filing_checks import FILING_CHECKS
from yibao.usecases.verification.grouping_checks import GROUPING_CHECKS
from yibao.usecases.verification.notice_checks import NOTICE_CHECKS
from yibao.usecases.verification.pharmacy_checks import PHARMACY_CHECKS
from yibao.usecases.verification.record_checks import RECORD_CHECKS
from yibao.usecases.verification.reference_checks import REFERENCE_CHECKS
from yibao.usecases.verification.registers_checks import REGISTERS_CHECKS
from yibao.usecases.verification.services_checks import SERVICES_CHECKS
from yibao.usecases.verification.stay_checks import STAY_CHECKS
from yibao.usecases.verification.supervision_checks import SUPERVISION_CHECKS

OFFENDERS_SHOWN = 5

CHECKS = (
    Check("I1", "每笔结算的恒等式成立：总额=四项拆分=基金+个人+医院，基金各项之和=基金合计", """
        select setl_id from settlements.settlement where medfee_fen <> own_fen + over_fen + first_fen + scope_fen
           or medfee_fen <> fund_fen + person_fen + hospital_fen or person_fen <> account_fen + cash_fen
           or fund_fen <> (select coalesce(sum(a), 0) from unnest(fund_amounts) a)
           or fund_fen <> hifp_fen + cvlserv_fen + hifes_fen + hifmi_fen + hifob_fen + maf_fen + oth_fen"""),
    Check("I1", "有效结算的明细合计等于结算总额及四项拆分", """
        select s.setl_id from settlements.settlement s
        left join lateral (select sum(amount_fen) a, sum(own_fen) o, sum(over_fen) v, sum(first_fen) f, sum(scope_fen) c
            from settlements.lines_of(s.psn_no, s.setl_id)) l on true
        where s.kind = 'settlement' and s.state = 'active'
          and (s.medfee_fen, s.own_fen, s.over_fen, s.first_fen, s.scope_fen) is distinct from
              (l.a::bigint, l.o::bigint, l.v::bigint, l.f::bigint, l.c::bigint)"""),
    *STAY_CHECKS,
    *ENTITLEMENT_CHECKS,
    *PHARMACY_CHECKS,
    *FILING_CHECKS,
    *REFERENCE_CHECKS,
    Check("I2", "每笔分录各腿之和为零", """
        select posting_id from ledger.posting
        where (select sum(a) from unnest(amounts) a) <> 0 or cardinality(accounts) <> cardinality(amounts)"""),
    Check("I2", "个人账户余额等于其全部分录之和，且不为负", """
        select a.psn_no from ledger.personal_account a
        left join (select psn_no, sum(amount) as total from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
                   where leg.account = 'account:' || p.psn_no group by psn_no) t on t.psn_no = a.psn_no
        where a.balance_fen <> coalesce(t.total, 0) or a.balance_fen < 0"""),
    Check("I2", "每笔结算恰有一笔分录，且基金、个账、应付各腿与结算一致", """
        select s.setl_id from settlements.settlement s
        left join ledger.posting p on p.psn_no = s.psn_no and p.posting_id = s.setl_id
        left join lateral (
            select sum(amount) filter (where account like 'fund:%') as fund,
                   sum(amount) filter (where account like 'account:%') as own,
                   sum(amount) filter (where account like 'payable:%' or account like 'payout:%') as owed
            from unnest(p.accounts, p.amounts) leg(account, amount)) g on true
        where p.posting_id is null or coalesce(g.fund, 0) <> -s.fund_fen or coalesce(g.own, 0) <> -(s.account_fen - s.shared_fen)
           or g.owed <> s.fund_fen + s.account_fen - s.shared_fen or p.cash_fen <> s.cash_fen"""),
    Check("I2", "年度累计等于全部结算与冲销的累计变动之和，且不超过限额", """
        with moved as (
            select psn_no, case when strpos(d.code, '#') > 0 then 0 else year end as year, insutype, d.code, sum(d.delta) as total
            from settlements.settlement s, unnest(s.counter_codes, s.counter_deltas) d(code, delta) group by 1, 2, 3, 4)
        select coalesce(c.psn_no, m.psn_no) || '/' || coalesce(c.code, m.code)
        from settlements.counter c full join moved m using (psn_no, year, insutype, code)
        where coalesce(c.used_fen, 0) <> coalesce(m.total, 0) or c.used_fen < 0 or c.used_fen > c.cap_fen"""),
    Check("I2", "撤销记录与原记录金额、累计完全相反，原记录状态相符", """
        select r.setl_id from settlements.settlement r
        left join settlements.settlement o on o.psn_no = r.psn_no and o.setl_id = r.origin_id
        where r.kind <> 'settlement' and (o.setl_id is null or r.medfee_fen <> -o.medfee_fen or r.fund_fen <> -o.fund_fen
           or r.account_fen <> -o.account_fen or r.cash_fen <> -o.cash_fen
           or r.counter_deltas <> (select coalesce(array_agg(-d order by n), '{}')
                                   from unnest(o.counter_deltas) with ordinality x(d, n))
           or (r.state in ('active', 'closed') and o.state <> 'reversed'))
        union all
        select s.setl_id from settlements.settlement s
        where s.kind = 'settlement' and (s.state = 'reversed') <> exists (
            select from settlements.settlement r where r.psn_no = s.psn_no and r.origin_id = s.setl_id
            and r.kind = 'refund' and r.state = 'active')"""),
    Check("I3", "每笔结算都有写入同一事务的报文及答复", """
        select s.setl_id from settlements.settlement s
        left join platform.message m on m.sender = s.sender and m.msgid = s.msgid
        where m.msgid is null or m.setl_id is distinct from s.setl_id or m.reply is null"""),
    Check("I3", "同一就诊同一收费批次至多一笔有效结算", """
        select mdtrt_id || '/' || chrg_bchno from settlements.settlement
        where kind = 'settlement' and state = 'active' group by psn_no, mdtrt_id, chrg_bchno having count(*) > 1"""),
    Check("I7", "每笔结算恰有一条审计记录", """
        select s.setl_id from settlements.settlement s
        where (select count(*) from platform.audit_entry e where e.id = s.setl_id and e.object = s.setl_id) <> 1"""),
    *ACCOUNT_CHECKS,
    *ACCESS_CHECKS,
    *CLAIMS_CHECKS,
    *EPISODE_CHECKS,
    *BACKFILL_CHECKS,
    *CLEARING_CHECKS,
    *CLOSING_CHECKS,
    *CONTRIBUTION_CHECKS,
    *DEADLINES_CHECKS,
    *ENROLMENT_CHECKS,
    *EXCHANGE_CHECKS,
    *NOTICE_CHECKS,
    *SERVICES_CHECKS,
    *REGISTERS_CHECKS,
    *SUPERVISION_CHECKS,
    *GROUPING_CHECKS,
    *RECORD_CHECKS,
    Check("I8", "每张含区划的表都强制行级安全", """
        select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs'
        where c.relkind = 'r'
          and c.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
          and not (c.relrowsecurity and c.relforcerowsecurity)"""),
)
COUNTED = "select count(*) from settlements.settlement"
SAMPLE = "select setl_id, policy_version from settlements.settlement order by settled_at desc limit $1"


async def verify_books(
    tx: Connection, *, replay: int = 200, kept_heads: dict[int, bytes] | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Run every check over everything stored, walk the audit chain, and replay the newest settlements (I9).

    ``tx`` must be inside one repeatable-read transaction, so that all checks see the same moment.
    """
    findings = []
    total = await tx.fetchval(COUNTED)
    for check in CHECKS:
        if progress:
            progress(check.says)
        rows = await tx.fetch(check.sql)
        findings.append(
            Finding(check.invariant, check.says, total, len(rows), [str(r[0]) for r in rows[:OFFENDERS_SHOWN]])
        )
    if progress:
        progress("审计链")
    chain = await walk(tx, kept_heads=kept_heads)
    findings.append(Finding("I7", "审计链完整，与外部保存的摘要一致", chain.entries, len(chain.faults),
                            chain.faults[:OFFENDERS_SHOWN]))
    if progress:
        progress("重放")
    findings.append(await _replay(tx, replay))
    return findings


async def _replay(tx: Connection, count: int) -> Finding:
    policies: dict[str, RegionPolicy] = {}
    broken: list[str] = []
    rows = await tx.fetch(SAMPLE, count)
    for row in rows:
        version = row["policy_version"]
        if version not in policies:
            policy = await stored_policy(tx, version)
            if policy is None:
                broken.append(f"{row['setl_id']}：政策版本{version}未保存")
                continue
            policies[version] = policy
        answer = await explain(tx, row["setl_id"], policies=policies)
        if isinstance(answer, Refusal):
            broken.append(f"{row['setl_id']}：{answer.sentence()}")
        elif answer.differences:
            broken.append(f"{row['setl_id']}：{'；'.join(answer.differences)}")
    return Finding("I9", "按保存的事实与政策版本重算，结果一致", len(rows), len(broken), broken[:OFFENDERS_SHOWN])
