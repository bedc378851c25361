"""Writes of applications. Who calls them holds the application's row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.services.model import Application, Given, Step
from yibao.infra.database import Connection

_NAMES = [f.name for f in msgspec.structs.fields(Application)]
_INSERT = "insert into services.application"
INSERT = f"{_INSERT} ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
_UPDATE = "update services.application"
_SET = ", ".join(f"{name} = ${n}" for n, name in enumerate(_NAMES[1:], 2))
REPLACE = f"{_UPDATE} set {_SET} where application_id = $1"
STEP = """
insert into services.step (application_id, ordinal, admdvs, what, state, at, actor, channel, division, working_day, says)
values ($1, (select coalesce(max(ordinal), 0) + 1 from services.step where application_id = $1), $2, $3, $4, $5, $6, $7, $8,
        $9, $10)
"""
MATERIAL = """
insert into services.material (application_id, material, admdvs, title, state, file_name, content, digest, given_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (application_id, material) do update set state = excluded.state, file_name = excluded.file_name,
    content = excluded.content, digest = excluded.digest, given_at = excluded.given_at
"""
PAUSE = """
insert into services.pause (application_id, ordinal, admdvs, begin_on, window_id, says)
values ($1, (select count(*) + 1 from services.pause where application_id = $1), $2, $3, $4, $5)
"""
RESUME = "update services.pause set end_on = $2 where application_id = $1 and end_on is null"


async def add_application(tx: Connection, application: Application) -> None:
    """Write a new application."""
    await tx.execute(INSERT, *msgspec.structs.astuple(application))


async def change_application(tx: Connection, application: Application, **changes: Any) -> Application:
    """Write an application with some fields changed, and return it so."""
    changed = msgspec.structs.replace(application, **changes)
    await tx.execute(REPLACE, *msgspec.structs.astuple(changed))
    return changed


async def add_step(tx: Connection, application: Application, step: Step) -> None:
    """Write what happened."""
    await tx.execute(STEP, application.application_id, application.admdvs, *msgspec.structs.astuple(step))


async def keep_papers(tx: Connection, application: Application, papers: Iterable[Given], *, now: datetime) -> None:
    """Write papers; one that was given before is replaced."""
    await tx.executemany(MATERIAL, [
        (application.application_id, p.material, application.admdvs, p.title, p.state, p.file_name, p.content, p.digest, now)
        for p in papers
    ])


async def begin_pause(tx: Connection, application: Application, *, on: date, window_id: str, says: str) -> None:
    """Let the clock of an application stand from a day on."""
    await tx.execute(PAUSE, application.application_id, application.admdvs, on, window_id, says)


async def end_pause(tx: Connection, application: Application, *, on: date) -> None:
    """Let the clock of an application run again from a day on."""
    await tx.execute(RESUME, application.application_id, on)
