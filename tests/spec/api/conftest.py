"""Halls with the keys that the demo tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.hall import Hall

HallOf = Callable[..., Hall]


@pytest.fixture(scope="module")
def hall_of(world: dict[str, Any]) -> Iterator[HallOf]:
    """Return a function that opens a hall with the key of a post in a region; ``""`` has no key."""
    agency, opened = world["agency"], []

    def open_hall(post: str = "intake", region: str = "370300") -> Hall:
        hall = Hall(agency["api"], agency["keys"][region][post] if post else "")
        opened.append(hall)
        return hall

    yield open_hall
    for hall in opened:
        hall.close()
