"""Tills of both cities, people by story, and the agency's command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.support.till import Refused, Till
from yibao.entrypoints.cli.main import app

HUIZHOU, ZIBO = "441300", "370300"
Agency = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def desks(till_for: Callable[..., Till]) -> Iterator[dict[str, Till]]:
    """Return tills by place: clinics of level 1, hospitals of level 2 and 3, pharmacies."""
    opened = {
        "hz1": till_for(HUIZHOU, index=0), "hz2": till_for(HUIZHOU, index=1), "hz3": till_for(HUIZHOU, index=2),
        "hz-children": till_for(HUIZHOU, index=3), "hz1-other": till_for(HUIZHOU, "api_hmac_sha1"),
        "hz-pharmacy": till_for(HUIZHOU, kind="2"), "zb2": till_for(ZIBO, index=0), "zb3": till_for(ZIBO, index=1),
        "zb1": till_for(ZIBO, index=2),
    }
    yield opened
    for till in opened.values():
        till.close()


@pytest.fixture
def agency(world_url: str) -> Agency:
    """Return a function that runs ``yibao filing`` and returns its JSON; ``ok`` says whether it was refused."""

    def run(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(
            app, ["filing", *arguments, "--json"], env={"YIBAO_DATABASE_URL": world_url}, catch_exceptions=False
        )
        answer: dict[str, Any] = json.loads(result.stdout)
        assert (result.exit_code == 0) == answer["ok"], result.stdout
        return answer

    return run


def refusal(till: Till, infno: str, content: Any) -> str:
    """Send what must be refused and return the reason."""
    with pytest.raises(Refused) as refused:
        till.call(infno, content)
    return str(refused.value)


def look(url: str, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Return rows of the world's database."""

    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(fetch())
