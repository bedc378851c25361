"""How a verb does its deed: one transaction as the owner of the tables, rolled back when the use case refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from yibao.entrypoints.cli.output import known_failures, stop_refused
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Connection, Database
from yibao.kernel.refusal import Refusal

T = TypeVar("T")


class _RolledBack(Exception):
    """Leaves the transaction without committing; the refusal travels inside."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


def run_deed(deed: Callable[[Connection], Awaitable[T | Refusal]], *, as_json: bool) -> T:
    """Do a deed in one transaction and return what it did; a refusal rolls back and ends the command with its sentence."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        answer = asyncio.run(_within(settings.database_url, deed))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    return answer


async def _within(url: str, deed: Callable[[Connection], Awaitable[T | Refusal]]) -> T | Refusal:
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.transaction() as tx:
            answer = await deed(tx)
            if isinstance(answer, Refusal):
                raise _RolledBack(answer)
            return answer
    except _RolledBack as rolled_back:
        return rolled_back.refusal
    finally:
        await database.close()
