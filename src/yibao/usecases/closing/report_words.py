"""Words and rows that the statement's spreadsheet and paper share."""

from __future__ import annotations

from yibao.usecases.closing.fund_report import FundMonth, FundReport
from yibao.usecases.funds.fund_lines import flow_words

NOTES = (
    "说明：",
    "1. 待遇支出按结算时间计，尚未由银行支付的列暂收款；收入按到账时间计。",
    "2. 个人账户基金为全部个人账户余额与尚未划入个人账户的资金之和；基金之间划转不计入合计。",
    "3. 科目名称与编号的依据见数据说明，编号未与印发的会计制度逐一核对，报送前请核对。",
)


def columns(report: FundReport) -> tuple[FundMonth, ...]:
    """Return the columns: the funds, then all of them together where there is more than one."""
    return (*report.funds, report.total) if len(report.funds) > 1 else report.funds


def side_lines(report: FundReport, side: str) -> list[tuple[str, str]]:
    """Return code and title of the lines of a side that any column has, in the order of the form."""
    order = list(flow_words().lines)
    found = {x.line: x.title for fund in columns(report) for x in fund.lines if x.side == side}
    return sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))


def state_words(report: FundReport) -> str:
    """Return whether the figures are final, as a sentence."""
    year = f"本年累计自{report.year_from.year}年{report.year_from.month}月起"
    if not report.is_final:
        return f"统筹区{report.admdvs}　单位：元　尚未结账，金额为暂时数　{year}"
    closed = f"已结账（第{report.revision}版，{report.closed_by}）"
    return f"统筹区{report.admdvs}　单位：元　{closed}　{year}　校验码 {report.digest[:16]}"
