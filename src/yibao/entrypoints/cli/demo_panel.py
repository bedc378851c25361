"""What the demo prints when it is ready: what happened, what to open, what to try next."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table

from yibao.demo.agency import DOCS_PATH
from yibao.demo.first_visit import FirstVisit

WEAK = "示例参数，非当地现行政策：地名真实，部分价格与比例为示例，人物与机构均为虚构。"
_HEAD = (
    ("medfee_sumamt", "医疗费总额"), ("fund_pay_sumamt", "基金支付"), ("acct_pay", "个人账户"), ("psn_cash_pay", "现金"),
)


def panel(description: dict[str, Any], visit: FirstVisit | None) -> RenderableType:
    """Return what to say of a running demo; ``visit`` is the one just settled, None when it ran before."""
    parts: list[RenderableType] = [Rule("医保平台演示", style="blue")]
    if visit is not None:
        amounts = "  ".join(f"{label} {visit.setlinfo[field]}" for field, label in _HEAD)
        parts += [f"[green]✓[/green] 已通过 HTTP 结算一笔门诊：{visit.patient}，{visit.institution}", f"  {amounts}", ""]
    parts += [_openings(description), "", _commands(visit), "", f"[yellow]{WEAK}[/yellow]", Rule(style="blue")]
    return Group(*parts)


def _openings(description: dict[str, Any]) -> RenderableType:
    base = description["base_url"]
    table = _plain()
    table.add_row("网页", base, "")
    table.add_row("接口", base + description["endpoint"], "机构报文的统一入口")
    if "agency" in description:
        table.add_row("经办接口", base + DOCS_PATH, "密钥见清单的 agency；另发密钥：.venv/bin/yibao key --help")
    counted = f"{len(description['institutions'])} 家机构、{len(description['patients'])} 位患者及其预期结果"
    table.add_row("清单", ".yibao/demo.json", counted)
    for institution in description["institutions"][:1]:
        pages = institution["pages"]
        if pages["password"]:
            table.add_row("登录", f"{pages['login']} / {pages['password']}", institution["fixmedins_name"])
    return table


def _commands(visit: FirstVisit | None) -> RenderableType:
    table = _plain()
    if visit is not None:
        table.add_row("解释这笔结算", f".venv/bin/yibao explain {visit.setl_id}")
        table.add_row("查报文的下落", f".venv/bin/yibao message status {visit.msgid}")
    table.add_row("验证账目", ".venv/bin/yibao verify")
    table.add_row("检查环境", "YIBAO_DEMO=1 .venv/bin/yibao doctor")
    return table


def _plain() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(overflow="fold")
    return table
