"""What a window stops of the command line: the verb that runs is asked for before it does anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import typer
from typer.core import TyperCommand

from yibao.domains.windows.tables import NEVER, business_of_way
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import SystemClock
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.business_of import asked_by_verb
from yibao.usecases.windows.pass_gate import Gate
from yibao.usecases.windows.place_of import place_named
from yibao.usecases.windows.snapshot import refuse_undated

_running: ContextVar[tuple[str, Mapping[str, Any]] | None] = ContextVar("running", default=None)
"""The verb that runs, ``dues assess``, and what its options say."""
_NAMES = {"region": "admdvs", "person": "psn_no", "employer": "emp_no"}
"""What options are called, and what the objects they name are."""


class WindowStopped(Exception):
    """A window stops the verb; the refusal travels inside."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal


class NamedCommand(TyperCommand):
    """A verb that says who it is, so that the gate can be asked for it wherever it opens the database."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        told = _running.set((" ".join(ctx.command_path.split()[1:]), dict(ctx.params)))
        try:
            return super().invoke(ctx)
        finally:
            _running.reset(told)


def name_verbs(app: typer.Typer) -> None:
    """Let every verb of an app and of its groups say who it is."""
    for command in app.registered_commands:
        command.cls = NamedCommand
    for group in app.registered_groups:
        if group.typer_instance is not None:
            name_verbs(group.typer_instance)


def pass_window(url: str) -> None:
    """Let the verb that runs now go on.

    Raises:
        WindowStopped: a window stops it in the region it is about, or in any region where it names none.
    """
    running = _running.get()
    if running is None or business_of_way("batch", running[0]) == NEVER:
        return
    verb, params = running
    refusal = asyncio.run(_asked(url, verb, _told(params)))
    if refusal is not None:
        raise WindowStopped(refusal)


async def refuse_verb(
    connection: Connection, verb: str, told: Mapping[str, Any], *, regions: Sequence[str], now: datetime
) -> Refusal | None:
    """Return why a verb may not run now, None if it may.

    Args:
        told: what its options and its file name.
        regions: all of this deployment; every one counts for a verb that names none.
    """
    gate = await Gate.read(connection)
    if not gate.plans:
        return None
    named = await place_named(connection, told)
    asked = asked_by_verb(verb, admdvs="")
    if asked is None:
        return None
    for admdvs in [named] if named else regions:
        judged = gate.ask(msgspec.structs.replace(asked, admdvs=admdvs, care_admdvs=admdvs), now)
        if judged.refusal is not None or judged.snapshot_at is not None:
            return judged.refusal or refuse_undated(judged)
    return None


async def _asked(url: str, verb: str, told: Mapping[str, Any]) -> Refusal | None:
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await refuse_verb(
                connection, verb, told, regions=sorted(read_policy_files()), now=SystemClock().now()
            )
    except asyncpg.UndefinedTableError:
        return None  # a database of an older structure: the verb itself says what to do
    finally:
        await database.close()


def _told(params: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Path) and value.suffix == ".json" and value.is_file():
            told |= _content(value)
        one = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
        told[_NAMES.get(name, name)] = one
    return told


def _content(path: Path) -> dict[str, Any]:
    """Return the top of a command's file; one that cannot be read is the verb's own affair."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
