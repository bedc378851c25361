"""What must be done before a month is closed: each line says what is open and where."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.closing.rules import GRACE, begin_of, month_after
from yibao.infra.database import Connection

EXAMPLES_SHOWN = 5
# The asked month as one row; every item's statement reads it and returns a row for each thing that is open.
_ASKED = """
with asked(admdvs, month, begin_at, end_at, settled_at) as (
    values ($1::text, $2::date, $3::timestamptz, $4::timestamptz, $5::timestamptz))
"""


class Item(msgspec.Struct, frozen=True):
    """One line of the checklist.

    Attributes:
        must: what is open forbids the close; otherwise it is only said.
        where: what to do, and with which verb.
        sql: returns a row (text) for each thing that is open.
    """

    code: str
    title: str
    must: bool
    where: str
    sql: str


class CheckLine(msgspec.Struct, frozen=True):
    """How one line stands: the number of open things and the first few of them."""

    code: str
    title: str
    must: bool
    open: int
    where: str
    examples: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Say whether this line forbids the close."""
        return self.must and self.open > 0


ITEMS = (
    Item("under_way", "月末前开始的事务都已结束", True, "请稍候再试；长时间不结束的批处理请先停止", """
        select pid::text from pg_stat_activity, asked
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
          and xact_start < asked.settled_at"""),
    Item("ledger", "本月分录借贷平衡，只动用本统筹区的基金", True, "yibao verify", """
        select p.psn_no || '/' || p.posting_id from ledger.posting p, asked
        where p.admdvs = asked.admdvs and p.posted_at >= asked.begin_at and p.posted_at < asked.end_at
          and (ledger.total(p.amounts) <> 0 or exists (
              select from unnest(p.accounts) a
              where starts_with(a, 'fund:') and split_part(a, ':', 2) <> asked.admdvs))"""),
    Item("accounts", "个人账户余额等于分录合计", True, "yibao verify", """
        select coalesce(a.psn_no, s.psn_no) from
            (select x.psn_no, x.balance_fen from ledger.personal_account x, asked where x.admdvs = asked.admdvs) a
        full join (
            select substr(l.account, 9) as psn_no, sum(l.amount) as fen
            from ledger.posting p cross join asked cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
            where p.admdvs = asked.admdvs and starts_with(l.account, 'account:') group by 1) s using (psn_no)
        where coalesce(a.balance_fen, 0) <> coalesce(s.fen, 0)"""),
    Item("assessment", "本月及以前的征缴核定都已做完", True, "yibao dues assess", """
        select r.insutype || ' ' || r.month from contributions.run r, asked
        where r.admdvs = asked.admdvs and r.month <= asked.month and r.state <> 'done'"""),
    Item("tax_days", "有缴费的每一天都已与税务对账", True, "yibao dues reconcile；税务的对账单由交换收取：yibao party relay", """
        select distinct p.paid_on::text from contributions.payment p, asked
        where p.admdvs = asked.admdvs and p.origin = 'tax' and p.state <> 'returned'
          and p.paid_on >= asked.month and p.paid_on < (asked.month + interval '1 month')::date
          and not exists (select from contributions.statement s where s.day = p.paid_on and s.admdvs = p.admdvs)"""),
    Item("tax_differences", "与税务对账的差异都已处理", True, "yibao dues cases；更正后的对账单由交换收取", """
        select c.kind || ' ' || c.case_id from contributions.work_case c, asked
        where c.admdvs = asked.admdvs and c.state = 'open' and c.opened_at < asked.end_at
          and c.kind in ('STATEMENT_TOTAL', 'STATEMENT_DIGEST', 'MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS',
                         'TWICE_IN_STATEMENT', 'WRONG_DAY', 'ARRIVAL_TOTAL')"""),
    Item("in_transit", "已缴未到账的款项", False, "等待税务划转；yibao dues payments", """
        select p.payment_id from contributions.payment p, asked
        where p.admdvs = asked.admdvs and p.state = 'received' and p.recorded_at < asked.end_at"""),
    Item("dues_cases", "征缴工单", False, "yibao dues cases", """
        select c.case_id from contributions.work_case c, asked
        where c.admdvs = asked.admdvs and c.state = 'open' and c.opened_at < asked.end_at"""),
    Item("credit_run", "本月个人账户已划拨", True, "yibao account credit", """
        select asked.month::text from asked
        where exists (select from contributions.run r
                      where r.admdvs = asked.admdvs and r.insutype = '310' and r.month = asked.month)
          and not exists (select from personal_accounts.credit_run c where c.admdvs = asked.admdvs
                          and c.month = asked.month and c.ended_at is not null)
        union all
        select c.month || ' 第' || c.run_no || '次' from personal_accounts.credit_run c, asked
        where c.admdvs = asked.admdvs and c.month <= asked.month and c.ended_at is null and not exists (
            select from personal_accounts.credit_run d
            where d.admdvs = c.admdvs and d.month = c.month and d.run_no > c.run_no and d.ended_at is not null)"""),
    Item("credits_held", "划拨未成功的个人账户", False, "yibao account held", """
        select c.psn_no || ' ' || c.month || ' ' || c.reason from personal_accounts.credit c, asked
        where c.admdvs = asked.admdvs and c.month <= asked.month and c.outcome = 'held'"""),
    Item("bank_institutions", "发送银行的机构支付都已回盘", True, "yibao clearing return", """
        select y.payment_id from clearing.payment y, asked
        where y.admdvs = asked.admdvs and y.state = 'ordered' and y.made_at < asked.end_at"""),
    Item("claims", "已申报未支付的清算", False, "yibao clearing list", """
        select c.claim_id from clearing.claim c, asked
        where c.admdvs = asked.admdvs and c.state in ('claimed', 'reviewed', 'approved') and c.claimed_at < asked.end_at"""),
    Item("bank_people", "发送银行的个人支付都已回盘", True, "yibao party status；回盘由交换收取：yibao party relay", """
        select y.payout_id from exchange.payout y, asked
        where y.admdvs = asked.admdvs and y.state = 'sent' and y.ordered_at < asked.end_at"""),
    Item("payouts", "应付未付的个人支付", False, "支付失败的请换账户重新支付，其余请生成支付文件", """
        select y.payout_id || ' ' || y.state from exchange.payout y, asked
        where y.admdvs = asked.admdvs and y.state in ('ordered', 'filed', 'failed') and y.ordered_at < asked.end_at"""),
    Item("exchange", "尚未送达外部单位的消息", False, "yibao party status", """
        select o.party || ' ' || o.no from exchange.outbox o, asked
        where o.admdvs = asked.admdvs and o.sent_at is null and o.put_at < asked.end_at"""),
    Item("exchange_cases", "外部单位消息的工单", False, "yibao party status", """
        select c.case_id from exchange.case c, asked
        where c.admdvs = asked.admdvs and c.state = 'open' and c.opened_at < asked.end_at"""),
)
"""The checklist, in the order a clerk works it."""


async def check_month(tx: Connection, *, admdvs: str, month: date) -> tuple[CheckLine, ...]:
    """Return how every line of the checklist stands for a month of a region."""
    end = begin_of(month_after(month))
    asked: tuple[str, date, datetime, datetime, datetime] = (admdvs, month, begin_of(month), end, end + GRACE)
    lines = []
    for item in ITEMS:
        rows = await tx.fetch(
            f"{_ASKED} select o.what, count(*) over () as n from ({item.sql}) o(what) order by 1 limit {EXAMPLES_SHOWN}",  # noqa: S608 - our own text
            *asked,
        )
        found = tuple(str(row["what"]) for row in rows)
        lines.append(CheckLine(item.code, item.title, item.must, rows[0]["n"] if rows else 0, item.where, found))
    return tuple(lines)
