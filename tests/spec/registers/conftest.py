"""Desks of registers on a database with a few people, and gates that know one small plan."""

from __future__ import annotations

import pytest

from tests.support.service_desk import Town


@pytest.fixture(scope="module")
def town(database_url: str) -> Town:
    """Return a database of our own with both regions."""
    opened = Town(database_url)
    opened.regions()
    return opened
