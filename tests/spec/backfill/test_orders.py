"""In whatever order hospitals send in what a window held up, each bill ends as in a city that never stopped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.support.window_lives import NOW, PEOPLE, Care, Life, Stage, draw_life, draw_order, wrong_episodes

LIVES, ORDERS = 3, 3


@pytest.fixture(scope="module")
def stages(city_at: Any) -> tuple[Stage, Stage]:
    """A city with a window, and the same one without."""
    cities = [city_at("2025-10-01 08:00") for _ in range(2)]
    cities[0].publish("zibo-2021", year=2025)
    for city in cities:
        city.turn(NOW)
    return Stage(cities[0], has_window=True), Stage(cities[1], has_window=False)


def test_every_order_ends_alike(stages: tuple[Stage, Stage]) -> None:
    rng = Random(6)
    window, plain = stages
    visit = window.city.patient("zb-active-first")["visit"]
    people = [{**p, "visit": visit} for p in window.city.fetch(PEOPLE)]
    items = [i for i in window.city.world["items"] if i["chrgitm_lv"] in ("01", "02") and i["list_type"] == "201"]
    for ordinal in range(LIVES):
        life = draw_life(rng, people[ordinal], items, ordinal)
        there = plain.enter(life)
        for care in there:
            plain.settle(life, care)
        expected = plain.borne(life, there)
        here = window.enter(life)
        places = {c.number: c for c in here}
        for _ in range(ORDERS):
            for care in draw_order(rng, life):
                window.settle(life, places[care.number])
            assert window.borne(life, here) == expected
            assert wrong_episodes(window.city, life, here) == 0
            window.undo(life, here)
            assert window.in_force(life) == []
    assert window.city.breaches() == {}
    assert plain.city.breaches() == {}


def _settle_all(stage: Stage, life: Life, cares: list[Care]) -> None:
    for care in cares:
        stage.settle(life, care)


def test_two_hospitals_at_once_end_alike(stages: tuple[Stage, Stage]) -> None:
    rng = Random(8)
    window, plain = stages
    visit = window.city.patient("zb-active-first")["visit"]
    people = [{**p, "visit": visit} for p in window.city.fetch(PEOPLE)][LIVES:]
    items = [i for i in window.city.world["items"] if i["chrgitm_lv"] in ("01", "02") and i["list_type"] == "201"]
    for ordinal in range(LIVES):
        life = draw_life(rng, people[ordinal], items, 100 + ordinal)
        there = plain.enter(life)
        for care in there:
            plain.settle(life, care)
        here = window.enter(life)
        # What a window made late is sent by both at the same time, each in an order of its own; the rest when its turn is.
        late = [c for c in here if not c.is_bound]
        for care in (c for c in here if c.is_bound and c.position == "P1"):
            window.settle(life, care)
        rng.shuffle(late)
        with ThreadPoolExecutor(2) as both:
            of_each = [[c for c in late if c.hospital == n] for n in range(2)]
            for done in [both.submit(_settle_all, window, life, cares) for cares in of_each]:
                done.result()
        for care in (c for c in here if c.is_bound and not c.position):
            window.settle(life, care)
        assert window.borne(life, here) == plain.borne(life, there)
        assert wrong_episodes(window.city, life, here) == 0
    assert window.city.breaches() == {}
