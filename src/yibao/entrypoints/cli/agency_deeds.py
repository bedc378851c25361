"""How a clerk at a terminal does a deed: with a name, for all regions of this platform, at the present instant."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, stop
from yibao.entrypoints.cli.policy_affected import shelf_of
from yibao.infra.database import Connection
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import Ids, RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

T = TypeVar("T")
CHANNEL = "cli"


class Means(msgspec.Struct, frozen=True):
    """What a use case is given beside its command."""

    actor: Actor
    now: datetime
    ids: Ids
    shelf: PolicyShelf
    gate: Gate = NO_GATE


def run_as(
    operator: str, deed: Callable[[Connection, Means], Awaitable[T | Refusal]], *, as_json: bool, division: str = ""
) -> T:
    """Do a deed under a clerk's name and return what it did; a refusal ends the command with its sentence."""
    if not operator.strip():
        stop(USAGE, kind="usage", message="须用 --operator 写明经办人", as_json=as_json)
    shelf = shelf_of(read_policy_files(), as_json=as_json)
    actor = Actor(login=operator.strip(), channel=CHANNEL, regions=shelf.regions, division=division)
    means = Means(actor, SystemClock().now(), RandomIds(), shelf)

    async def gated(tx: Connection) -> T | Refusal:
        return await deed(tx, msgspec.structs.replace(means, gate=await Gate.read(tx)))

    return run_deed(gated, as_json=as_json)


def read_command(path: Path, form: type[T], *, as_json: bool) -> T:
    """Return the command that a JSON file holds, or end with what is wrong with it."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(content, form)
    except OSError as error:
        stop(USAGE, kind="usage", message=f"不能读取 {path}：{error.strerror}", as_json=as_json)
    except (ValueError, msgspec.ValidationError) as error:
        stop(USAGE, kind="usage", message=f"{path} 的内容不对：{error}", as_json=as_json)
