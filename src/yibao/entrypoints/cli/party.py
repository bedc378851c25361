"""``yibao party``: the parties outside, what waits for them, and what came of their messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.domains.exchange.inbox import list_cases
from yibao.domains.exchange.model import WorkCase
from yibao.domains.exchange.rules import PARTIES, party_name, read_addresses
from yibao.entrypoints.cli import parties
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, aside, known_failures, show, stop, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.entrypoints.exchange.handlers import HANDLERS
from yibao.entrypoints.exchange.running import relay_once
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.exchange.ask_identity import ask_identity
from yibao.usecases.exchange.held import Line, list_lines
from yibao.usecases.exchange.relay import Round
from yibao.usecases.exchange.work_case import close_case, retry_case
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao_parties import serve as offices

ALL = "all"
PartyName = Annotated[str, typer.Argument(metavar="PARTY", help="、".join(f"{k} {v}" for k, v in PARTIES.items()))]
PartyOrAll = Annotated[str, typer.Argument(metavar="PARTY|all", help="单位，或 all 全部")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
CaseId = Annotated[str, typer.Argument(metavar="CASE_ID", help="差异编号")]

app = typer.Typer(no_args_is_help=True, help="外部单位：税务、银行、人社、民政、卫健、公安的启停、交换与差异")


@app.command("serve", help="在前台运行一个外部单位（演示和测试用，只监听本机）")
def serve(
    party: PartyName, port: Annotated[int, typer.Option("--port", help="端口")],
    store: Annotated[Path, typer.Option("--store", help="该单位自己的数据文件（SQLite）")],
) -> None:
    """Serve a party in the foreground until Ctrl-C."""
    _known(party, as_json=False)
    offices.serve(party, port=port, store=store)


@app.command("start", help="在后台启动外部单位，各有自己的数据文件")
def start(
    party: PartyOrAll, port: Annotated[int, typer.Option("--port", help="第一个单位的端口，其余依次加一")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Start one party or all."""
    names = _names(party, as_json=as_json)
    with known_failures(as_json=as_json):
        home = load_settings().home
        running = [
            parties.start(home, name, port=port + n if port else offices.PORTS[name]) for n, name in enumerate(names)
        ]
    addresses = ",".join(f"{r.party}={r.address}" for r in running)
    show({"ok": True, "parties": [msgspec.structs.asdict(r) for r in running], "addresses": addresses}, as_json=as_json,
         render=lambda: f"已启动 {'、'.join(party_name(r.party) for r in running)}\nYIBAO_PARTIES={addresses}")


@app.command("stop", help="停止后台的外部单位；其数据文件保留")
def stop_party(party: PartyOrAll, as_json: JsonFlag = False) -> None:
    """Stop one party or all."""
    names = _names(party, as_json=as_json)
    with known_failures(as_json=as_json):
        home = load_settings().home
        stopped = [name for name in names if parties.stop(home, name)]
    show({"ok": True, "stopped": stopped}, as_json=as_json,
         render=lambda: f"已停止 {'、'.join(map(party_name, stopped)) or '（没有在运行的单位）'}")


@app.command("status", help="查看与各单位交换的情况：待送条数、最早一条、未应答起始、未结差异")
def status(as_json: JsonFlag = False) -> None:
    """Show how the exchange stands with every party."""
    lines: list[Line] = run_deed(list_lines, as_json=as_json)
    running = {name: parties.state_of(r) for name, r in parties.list_running(load_settings().home).items()}
    show({"ok": True, "lines": lines, "processes": running}, as_json=as_json, render=lambda: _lines(lines, running))


@app.command("relay", help="与各单位交换一轮：按序送出、按序收取")
def relay(as_json: JsonFlag = False) -> None:
    """Carry everything that waits, once."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        rounds = asyncio.run(_relay(settings, as_json=as_json))
    show({"ok": not any(r.error for r in rounds), "rounds": rounds}, as_json=as_json, render=lambda: _rounds(rounds))


@app.command("cases", help="列出交换中的差异：对方报文无法办理的原因")
def cases(
    party: Annotated[str, typer.Option("--party", help="单位")] = "",
    state: Annotated[str, typer.Option("--state", help="open 未结、closed 已结，空为全部")] = "open", as_json: JsonFlag = False,
) -> None:
    """List cases of the exchange."""
    found: list[WorkCase] = run_deed(lambda tx: list_cases(tx, party=party, state=state), as_json=as_json)
    show({"ok": True, "cases": found}, as_json=as_json, render=lambda: _cases(found))


@app.command("retry", help="原因排除后重新办理一个差异的报文")
def retry(case_id: CaseId, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Handle the message of a case again."""
    now, ids, shelf = SystemClock().now(), RandomIds(), _shelf()
    done = run_deed(lambda tx: retry_case(
        tx, case_id=case_id, handlers=HANDLERS, actor=_clerk(operator, shelf), now=now, ids=ids, shelf=shelf
    ), as_json=as_json)
    show({"ok": True, "case": done}, as_json=as_json, render=lambda: _cases([done]))


@app.command("close", help="写明处理结果，关闭一个差异")
def close(
    case_id: CaseId, operator: OperatorName, note: Annotated[str, typer.Option("--note", help="如何处理")],
    as_json: JsonFlag = False,
) -> None:
    """Close a case with what was done."""
    now, ids = SystemClock().now(), RandomIds()
    done = run_deed(lambda tx: close_case(
        tx, case_id=case_id, note=note, actor=Actor(login=operator, channel="cli"), now=now, ids=ids
    ), as_json=as_json)
    show({"ok": True, "case": done}, as_json=as_json, render=lambda: _cases([done]))


@app.command("identity", help="向公安核验一名参保人的身份；不一致的答复成为差异")
def identity(
    psn_no: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")], operator: OperatorName, as_json: JsonFlag = False
) -> None:
    """Ask the police about a person."""
    now, ids = SystemClock().now(), RandomIds()
    done = run_deed(lambda tx: ask_identity(
        tx, psn_no=psn_no, actor=Actor(login=operator, channel="cli"), now=now, ids=ids
    ), as_json=as_json)
    show({"ok": True, "asked": done}, as_json=as_json,
         render=lambda: f"✓ 核验 {done.check_id} {'已发出' if done.is_new else '今日已发出'}")


async def _relay(settings: Settings, *, as_json: bool) -> list[Round]:
    assert settings.database_url is not None
    addresses = addresses_of(settings)
    database = await Database.open(settings.database_url, role=None, size=3)
    try:
        return await relay_once(
            database, addresses=addresses, now=SystemClock().now(), ids=RandomIds(), shelf=_shelf(),
            progress=None if as_json else lambda text: aside.print(escape(text)),
        )
    finally:
        await database.close()


def addresses_of(settings: Settings) -> dict[str, str]:
    """Return where the parties are: as the settings say, else those that were started here."""
    if settings.parties:
        return read_addresses(settings.parties)
    return {name: running.address for name, running in parties.list_running(settings.home).items()}


def _shelf() -> PolicyShelf:
    return PolicyShelf({code: load_policy(files) for code, files in read_policy_files().items()})


def _clerk(operator: str, shelf: PolicyShelf) -> Actor:
    return Actor(login=operator, channel="cli", regions=shelf.regions)


def _names(party: str, *, as_json: bool) -> list[str]:
    if party == ALL:
        return list(offices.KINDS)
    _known(party, as_json=as_json)
    return [party]


def _known(party: str, *, as_json: bool) -> None:
    if party not in offices.KINDS:
        stop(USAGE, kind="usage", message=f"没有名为 {party} 的外部单位（{'、'.join(offices.KINDS)}）", as_json=as_json)


def _lines(lines: Sequence[Line], running: dict[str, dict[str, object] | None]) -> RenderableType:
    table = table_of("单位", "待送", "最早", "上次应答", "未结差异", "进程", "说明")
    for line in lines:
        state = running.get(line.party)
        process = "—" if line.party not in running else "未应答" if state is None else str(state["mood"])
        table.add_row(
            line.name, str(line.queued), to_wire(line.oldest) if line.oldest else "—",
            to_wire(line.answered_at) if line.answered_at else "—", str(line.open_cases), process, escape(line.sentence),
        )
    return table


def _rounds(rounds: Sequence[Round]) -> RenderableType:
    table = table_of("单位", "送出", "收到", "差异", "说明")
    for r in rounds:
        table.add_row(party_name(r.party), str(r.sent), str(r.received), str(r.cases), escape(r.error) or "正常")
    return table


def _cases(cases: Sequence[WorkCase]) -> RenderableType:
    table = table_of("差异", "单位", "报文", "原因", "发现时间", "处理")
    for c in cases:
        handled = f"{c.closed_by}：{c.note}" if c.state == "closed" else "未结"
        table.add_row(c.case_id, party_name(c.party), f"{c.kind} {c.message_id}", escape(f"{c.code} {c.says}"),
                      to_wire(c.opened_at), escape(handled))
    return table
