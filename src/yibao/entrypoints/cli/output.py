"""How every verb answers: for people as text, with ``--json`` as one JSON value on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from yibao.entrypoints.cli.window_gate import WindowStopped
from yibao.infra.config import SettingsInvalid
from yibao.infra.database import Unavailable
from yibao.infra.postgres import PostgresFailed
from yibao.kernel.refusal import Refusal

OK = 0
REFUSED = 1
USAGE = 2
UNAVAILABLE = 3
EXIT_CODES = "退出码：0 成功；1 被拒绝、未找到或检查未通过；2 用法或配置有误；3 数据库或服务不可用；4 程序缺陷"

JsonFlag = Annotated[bool, typer.Option("--json", help="输出一个 JSON 值，供程序读取")]

# A terminal tells its width; a file or a pipe gets lines that are long enough for ids and addresses.
people = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
aside = Console(stderr=True, highlight=False)
"""Progress and errors: never mixed with a result that a program reads."""


def table_of(*titles: str) -> Table:
    """Return a table without lines whose cells are folded, never cut: an id that is cut is of no use."""
    table = Table(box=None)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def show(data: Any, *, as_json: bool, render: Callable[[], RenderableType]) -> None:
    """Print a result: the data as JSON, or what ``render`` makes of it for people."""
    if as_json:
        sys.stdout.write(to_json(data) + "\n")
        sys.stdout.flush()
    else:
        people.print(render())


def to_json(data: Any) -> str:
    """Return data as indented JSON; bytes become hexadecimal text, decimals numbers."""
    encoded = msgspec.json.Encoder(enc_hook=_plain, decimal_format="number").encode(_without_bytes(data))
    return msgspec.json.format(encoded, indent=2).decode()


def stop(code: int, *, kind: str, message: str, as_json: bool) -> NoReturn:
    """End the command with a reason and an exit code."""
    if as_json:
        sys.stdout.write(to_json({"ok": False, "kind": kind, "message": message}) + "\n")
    else:
        aside.print(f"[red]✗[/red] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)


def stop_refused(refusal: Refusal, *, as_json: bool) -> NoReturn:
    """End the command with a refusal: exit code 1."""
    if as_json:
        sys.stdout.write(to_json({"ok": False, "kind": "refused", "faults": refusal.faults}) + "\n")
    else:
        aside.print(f"[red]✗[/red] {escape(refusal.sentence())}", soft_wrap=True)
    raise typer.Exit(REFUSED)


@contextmanager
def known_failures(*, as_json: bool) -> Iterator[None]:
    """Turn what may go wrong outside our control into a sentence and an exit code; defects pass through."""
    try:
        yield
    except SettingsInvalid as error:
        stop(USAGE, kind="settings", message="\n".join(error.faults), as_json=as_json)
    except WindowStopped as error:
        stop_refused(error.refusal, as_json=as_json)
    except (Unavailable, PostgresFailed) as error:
        stop(UNAVAILABLE, kind="unavailable", message=str(error), as_json=as_json)


def _plain(value: Any) -> Any:
    return str(value)


def _without_bytes(data: Any) -> Any:
    """Return the data with bytes as hexadecimal: msgspec would write base64, which nobody can compare."""
    if isinstance(data, bytes):
        return data.hex()
    if isinstance(data, msgspec.Struct):
        return {name: _without_bytes(getattr(data, name)) for name in data.__struct_fields__}
    if isinstance(data, dict):
        return {key: _without_bytes(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_bytes(value) for value in data]
    return data
