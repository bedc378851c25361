"""``yibao policy affected``: which settlements the law as it stands in the files would decide otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress import Progress

from yibao.entrypoints.cli.output import (
    REFUSED,
    USAGE,
    JsonFlag,
    aside,
    known_failures,
    show,
    stop,
    stop_refused,
    table_of,
)
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.usecases.resettlement.decide_again import Difference
from yibao.usecases.resettlement.list_affected import Affected, AffectedSettlement, list_affected
from yibao.usecases.settlement.shelf import PolicyShelf

Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区代码，如 370300")]
Since = Annotated[str, typer.Option("--since", help="自哪一天的就诊起，YYYY-MM-DD")]
Rule = Annotated[str, typer.Option("--rule", help="只看涉及某条规则的结算，如 ZB-203；不填为全部")]
Directory = Annotated[
    Path | None,
    typer.Option("--files", help="政策文件目录（每个统筹区一个子目录）；不填时用内置文件", exists=True, file_okay=False),
]


def affected(
    region: Region, since: Since, rule: Rule = "", files: Directory = None, as_json: JsonFlag = False
) -> None:
    """List, by person and in the order of service, what would come out differently; nothing is written."""
    try:
        day = date.fromisoformat(since)
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期 {since}：应为 YYYY-MM-DD", as_json=as_json)
    shelf = shelf_of(read_policy_files(files), as_json=as_json)
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        answer = asyncio.run(_affected(settings, region, day, rule, shelf, quiet=as_json))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    show(answer, as_json=as_json, render=lambda: _listed(answer))


def shelf_of(texts: Mapping[str, Mapping[str, str]], *, as_json: bool) -> PolicyShelf:
    """Return the law of all regions (region -> file name -> text), or end the command where it does not compile."""
    try:
        return PolicyShelf({admdvs: load_policy(files) for admdvs, files in texts.items()})
    except BadPolicy as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)


async def _affected(
    settings: Settings, region: str, since: date, rule: str, shelf: PolicyShelf, *, quiet: bool
) -> Affected | Refusal:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.connection() as connection, connection.transaction(
            isolation="repeatable_read", readonly=True
        ):
            with Progress(console=aside, transient=True, disable=quiet) as bar:
                task = bar.add_task("逐笔重算")
                return await list_affected(
                    connection, admdvs=region, since=since, rule=rule, shelf=shelf,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
    finally:
        await database.close()


def difference_text(difference: Difference | None) -> str:
    """Return a difference as text in yuan, each fund by its code; ``无差额`` where nothing moves."""
    if difference is None:
        return "现行政策不能结算"
    parts = [(f"基金{fund}", amount) for fund, amount in difference.funds.items()]
    parts += [("个人账户", difference.account), ("现金", difference.cash)]
    return "，".join(f"{name} {signed(amount)}" for name, amount in parts if amount) or "无差额"


def signed(fen: int) -> str:
    """Return an amount in yuan with its sign."""
    return f"+{yuan_text(fen)}" if fen > 0 else yuan_text(fen)


def _listed(answer: Affected) -> RenderableType:
    head = f"{answer.admdvs} {answer.since} 起：核对 {answer.checked} 笔，{len(answer.persons)} 人年受影响，" \
           f"基金合计差额 {signed(answer.difference.fund_total)} 元"
    if not answer.persons:
        return f"{answer.admdvs} {answer.since} 起：核对 {answer.checked} 笔，没有受影响的结算"
    table = table_of("人员 / 结算ID", "就诊日", "机构", "差额（元，重算减原结算）", "原因")
    for person in answer.persons:
        table.add_row(f"[bold]{person.psn_no}[/bold]", str(person.year), person.insutype,
                      f"[bold]{difference_text(person.difference)}[/bold]", "")
        for s in person.settlements:
            table.add_row(f"  {s.setl_id}", str(s.service_on), s.fixmedins_code, difference_text(s.difference), _why(s))
    return Group(f"[bold]{head}[/bold]", table)


def _why(settlement: AffectedSettlement) -> str:
    if settlement.reason:
        return escape(settlement.reason)
    return "政策有变" if settlement.by_law else "累计随之变"
