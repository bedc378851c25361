"""What the demo prints when it is ready: what happened, what to open, what to try next."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from yibao.demo.first_visit import FirstVisit

WEAK = "示例参数，非当地现行政策：地名真实，部分价格与比例为示例，人物与机构均为虚构。"
_HEAD = (("medfee_sumamt", "医疗费总额"), ("fund_pay_sumamt", "基金支付"), ("acct_pay", "个人账户"), ("psn_cash_pay", "现金"))


def panel(description: dict[str, Any], visit: FirstVisit | None) -> RenderableType:
    """Return the panel for a running demo; ``visit`` is the one just settled, None when it ran before."""
    base = description["base_url"]
    parts: list[RenderableType] = []
    if visit is not None:
        amounts = "  ".join(f"{label} {visit.setlinfo[field]}" for field, label in _HEAD)
        parts.append(f"[green]✓[/green] 已通过 HTTP 结算一笔门诊：{visit.patient}，{visit.institution}\n  {amounts}\n")
    table = Table(box=None, show_header=False)
    table.add_row("打开", f"[link={base}]{base}[/link]", "首页、报文查询（机构人员登录）")
    table.add_row("接口", description["base_url"] + description["endpoint"], "机构报文的统一入口")
    counted = f"{len(description['institutions'])} 家机构、{len(description['patients'])} 位示例患者及其预期结果"
    table.add_row("说明", ".yibao/demo.json", counted)
    if visit is not None:
        table.add_row("解释", f"yibao explain {visit.setl_id}", "逐行逐步，精确到条款")
        table.add_row("报文", f"yibao message status {visit.msgid}", "一个报文ID的下落")
    table.add_row("验证", "yibao verify", "在现有数据上验证账目")
    table.add_row("体检", "YIBAO_DEMO=1 yibao doctor", "检查环境并说明如何修复")
    return Panel(Group(*parts, table, f"\n[yellow]{WEAK}[/yellow]"), title="医保平台演示", expand=False)
