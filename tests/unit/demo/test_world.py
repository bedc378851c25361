"""The demo world in the real schema."""

from __future__ import annotations

from datetime import date

from yibao.demo.world import build_world, is_built
from yibao.infra.database import Database

TODAY = date(2026, 11, 22)


def silent(_title: str, _done: int, _total: int) -> None:
    """Ignore progress."""


async def test_builds(database: Database) -> None:
    assert not await is_built(database, persons=1500)
    summary = await build_world(database, persons=1500, seed=1, today=TODAY, progress=silent)
    print(summary)
    assert await is_built(database, persons=1500)
    again = await build_world(database, persons=1500, seed=1, today=TODAY, progress=silent)
    assert again.added == 0
