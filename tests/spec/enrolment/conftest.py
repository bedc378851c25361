"""A registry office on an empty region: clerks at a counter, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.registry import Office
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.policy.law.loading import load_policy
from yibao.usecases.settlement.shelf import PolicyShelf

REGIONS = "insert into platform.region (admdvs, name) values ('370300', '淄博市'), ('441300', '惠州市')"


@pytest.fixture(scope="session")
def shelf() -> PolicyShelf:
    """Return the law of the regions that are served."""
    return PolicyShelf({code: load_policy(files) for code, files in read_policy_files().items()})


@pytest.fixture
async def office(fresh_database_url: str, shelf: PolicyShelf) -> AsyncIterator[Office]:
    """Open the office of an empty region of its own."""
    database = await Database.open(fresh_database_url, role=None, size=2)
    await database.fetch(REGIONS)
    yield Office(database, shelf)
    await database.close()
