"""The statement of a region's funds for a month: what each took in and spent, the year so far, and what is carried forward."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from yibao.domains.closing.model import OPEN, Balance, Flow
from yibao.domains.closing.queries import find_month, list_balances, list_flows
from yibao.domains.closing.rules import called, refuse_month
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.closing.close_month import read_month
from yibao.usecases.funds.accounts import fund_title
from yibao.usecases.funds.fund_lines import INCOME, SPENDING, flow_words

REGION = "select name from platform.region where admdvs = $1"
YEAR_FLOWS = """
select f.fund, f.kind, f.line, sum(f.amount_fen)::bigint as amount_fen, sum(f.postings)::bigint as postings
from closing.flow f join closing.month m on m.admdvs = f.admdvs and m.month = f.month and m.revision = f.revision
where f.admdvs = $1 and f.month >= $2 and f.month < $3 and m.state <> 'open'
group by f.fund, f.kind, f.line
"""
FIRST_OF_YEAR = """
select min(month) from closing.month where admdvs = $1 and month >= $2 and month < $3 and state <> 'open'
"""


class ReportLine(msgspec.Struct, frozen=True):
    """One line of a fund: this month and the year so far, fen; ``internal`` lines are left out of the region's totals."""

    line: str
    title: str
    side: str
    month_fen: int
    year_fen: int
    internal: bool


class FundMonth(msgspec.Struct, frozen=True):
    """One fund's month: opening, lines, sums of both sides, carried forward; fen."""

    fund: str
    title: str
    opening_fen: int
    lines: tuple[ReportLine, ...]
    income_fen: int
    spending_fen: int
    carried_fen: int


class FundReport(msgspec.Struct, frozen=True):
    """A region's month.

    Attributes:
        is_final: the month is closed; otherwise the figures are those of the ledger now.
        revision: how many times it was closed; digest: SM3 of the closed month's books, ``""`` before.
        year_from: first month that the year's figures hold.
        total: all funds together, without what moves between them.
    """

    admdvs: str
    region: str
    month: date
    title: str
    is_final: bool
    revision: int
    digest: str
    closed_by: str
    year_from: date
    funds: tuple[FundMonth, ...]
    total: FundMonth


async def fund_report(tx: Connection, *, admdvs: str, month: date) -> FundReport | Refusal:
    """Return the statement of a month: as it was closed, or provisional from the ledger as it stands."""
    region = await tx.fetchval(REGION, admdvs)
    if region is None:
        return refuse("REGION_NOT_FOUND", "没有这个统筹区", field="admdvs", received=admdvs, remedy="请核对统筹区")
    invalid = refuse_month(month)
    if invalid is not None:
        return invalid
    closed = await find_month(tx, admdvs, month)
    if closed is not None and closed.state != OPEN:
        flows, balances = await list_flows(tx, closed), await list_balances(tx, closed)
    else:
        closed = None
        content = await read_month(tx, admdvs=admdvs, month=month)
        flows, balances = list(content.flows), list(content.balances)
    january = month.replace(month=1)
    earlier = [Flow(*row) for row in await tx.fetch(YEAR_FLOWS, admdvs, january, month)]
    first = await tx.fetchval(FIRST_OF_YEAR, admdvs, january, month)
    funds = tuple(_fund(b, flows, earlier) for b in balances)
    return FundReport(
        admdvs, region, month, f"{region}医疗保障基金收支情况表（{called(month)}）", closed is not None,
        closed.revision if closed else 0, closed.digest.hex() if closed else "", closed.closed_by if closed else "",
        first or month, funds, _total(funds),
    )


def _fund(balance: Balance, flows: Iterable[Flow], earlier: Iterable[Flow]) -> FundMonth:
    words = flow_words()
    now, before = _by_line(balance.fund, flows), _by_line(balance.fund, earlier)
    lines = tuple(
        ReportLine(code, line.title, line.side, now.get(code, 0), now.get(code, 0) + before.get(code, 0), line.internal)
        for code, line in words.lines.items() if code in now or code in before
    )
    return FundMonth(balance.fund, fund_title(balance.fund), balance.opening_fen, lines, balance.income_fen,
                     balance.spending_fen, balance.carried_fen)


def _by_line(fund: str, flows: Iterable[Flow]) -> dict[str, int]:
    words = flow_words()
    sums: dict[str, int] = {}
    for flow in flows:
        if flow.fund == fund:
            sums[flow.line] = sums.get(flow.line, 0) + words.shown(flow.line, flow.amount_fen)
    return sums


def _total(funds: Iterable[FundMonth]) -> FundMonth:
    """Return all funds together; what one gives another cancels out in the balances and is not shown."""
    words, funds = flow_words(), tuple(funds)
    sums: dict[str, tuple[int, int]] = {}
    for line in (x for fund in funds for x in fund.lines if not x.internal):
        month, year = sums.get(line.line, (0, 0))
        sums[line.line] = (month + line.month_fen, year + line.year_fen)
    lines = tuple(
        ReportLine(code, line.title, line.side, *sums[code], internal=False)
        for code, line in words.lines.items() if code in sums
    )
    income, spending = (sum(x.month_fen for x in lines if x.side == side) for side in (INCOME, SPENDING))
    opening, carried = sum(f.opening_fen for f in funds), sum(f.carried_fen for f in funds)
    # What moves between funds cancels out. Where something else stood against it, the difference is shown.
    between = carried - opening - income + spending
    if between:
        lines = (*lines, ReportLine("between", "基金之间划转差额", INCOME, between, between, internal=False))
    return FundMonth("", "合计", opening, lines, income + between, spending, carried)
