"""An agency with its exchange: a database, the law, and offices outside over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.offices import Office
from yibao.domains.exchange.inbox import list_cases
from yibao.entrypoints.exchange.running import relay_once
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.ids import RandomIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.exchange.relay import Round
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.exchange_checks import EXCHANGE_CHECKS

NOW = datetime(2024, 7, 3, 2, 0, tzinfo=UTC)
REGION = "370300"


@pytest.fixture(scope="session")
def shelf() -> PolicyShelf:
    """Return the law of all regions."""
    return PolicyShelf({code: load_policy(files) for code, files in read_policy_files().items()})


@pytest.fixture
async def base(fresh_database_url: str) -> AsyncIterator[Database]:
    """Open an empty database as its owner."""
    database = await Database.open(fresh_database_url, role=None, size=4)
    yield database
    await database.close()


@pytest.fixture
def office_of(tmp_path: Path) -> Iterator[Callable[[str], Office]]:
    """Return a function that starts an office; all are stopped at the end."""
    started: list[Office] = []

    def start(name: str) -> Office:
        started.append(Office(name, tmp_path).start())
        return started[-1]

    yield start
    for office in started:
        office.stop()


class Exchange:
    """The exchange of a database with some offices, by the real handlers."""

    def __init__(self, base: Database, shelf: PolicyShelf, *offices: Office) -> None:
        self.base, self.shelf, self.offices = base, shelf, offices
        self.carrier = base
        """Carries the messages; the owner unless a test says otherwise."""

    async def round(self, now: datetime = NOW) -> dict[str, Round]:
        """Carry everything once."""
        done = await relay_once(
            self.carrier, addresses={o.name: o.url for o in self.offices}, now=now, ids=RandomIds(), shelf=self.shelf
        )
        return {r.party: r for r in done}

    async def do(self, deed: Callable[[Connection], Any]) -> Any:
        """Do a deed in one transaction."""
        async with self.base.transaction() as tx:
            return await deed(tx)

    async def codes(self) -> list[str]:
        """Return the codes of the open cases."""
        async with self.base.connection() as tx:
            return [c.code for c in await list_cases(tx)]

    async def breaches(self, *harm: str) -> list[str]:
        """Return what the checks of the exchange find, after some harm that is taken back."""
        found = []
        async with self.base.connection() as tx:
            await tx.execute("BEGIN")
            try:
                for statement in harm:
                    await tx.execute(statement)
                for check in EXCHANGE_CHECKS:
                    found += [f"{check.says}: {row[0]}" for row in await tx.fetch(check.sql)]
            finally:
                await tx.execute("ROLLBACK")
        return found
