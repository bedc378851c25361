"""ORDERS: hospitals send in what a window held up, in any order; each bill ends as in a city that never stopped.

Lives are drawn from a seed: visits and stays before, across, inside and after the stop, noted with a deposit, a full payment,
a hold, a conversion or not at all. The plain twin is the same city without a plan, where each life is settled once in the
order of service. Between two orders everything is cancelled again, so that every reversal of a backfill is tried as well.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.proofs.books import Books
from tests.proofs.platform import Platform, Result
from tests.support.window_city import City, at, fill
from tests.support.window_lives import NOW, PEOPLE, Life, Stage, draw_life, draw_order, wrong_episodes
from yibao.infra.database import Database
from yibao.infra.migrate import migrate
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all

OPENED, PLAN, PLAN_YEAR = "2025-10-01 08:00", "zibo-2021", 2025
ORDERS_PER_LIFE = 5
_SHOWN_MAX = 5
_names = count(1)
_AGAIN = """
select count(*) filter (where settlements > 0) as years, coalesce(sum(settlements), 0) as again from backfill.reordering
"""
_BY_HAND = "select count(*) as n from backfill.reordering where refusal <> ''"
_DIFFERENCES = "select count(*) as n from registers.entry where kind = 'cash_difference'"


def run(n: int, seed: int, platform: Platform) -> Result:
    """Try ``n`` orders of entry; every difference of a fen counts."""
    rng = Random(seed)
    lives = -(-n // ORDERS_PER_LIFE)
    done: Counter[str] = Counter()
    wrong = Counter({"bills_that_differ": 0, "episodes_that_do_not_tie": 0, "left_after_undoing": 0, "by_hand": 0, "breaches": 0})
    with TemporaryDirectory() as home:
        cities = [_city(url, Path(home) / f"city{i}") for i, url in enumerate(_databases(platform, lives))]
        try:
            cities[0].publish(PLAN, year=PLAN_YEAR)
            for city in cities:
                city.turn(NOW)
            window, plain = Stage(cities[0], has_window=True), Stage(cities[1], has_window=False)
            visit = window.city.patient("zb-active-first")["visit"]
            people = [{**p, "visit": visit} for p in window.city.fetch(PEOPLE)]
            items = [i for i in window.city.world["items"] if i["chrgitm_lv"] in ("01", "02") and i["list_type"] == "201"]
            for ordinal in range(lives):
                life = draw_life(rng, people[ordinal], items, ordinal)
                orders = min(ORDERS_PER_LIFE, n - ordinal * ORDERS_PER_LIFE)
                _live(life, orders, rng, window=window, plain=plain, done=done, wrong=wrong)
            done["years_put_in_order"], done["settled_again"] = window.city.fetch(_AGAIN)[0].values()
            done["cash_differences"] = window.city.fetch(_DIFFERENCES)[0]["n"]
            wrong["by_hand"] = window.city.fetch(_BY_HAND)[0]["n"]
            for city in cities:
                for says, number in city.breaches().items():
                    print(f"  {number} {says}")
                    wrong["breaches"] += number
        finally:
            for city in cities:
                city.close()
    return Result(dict(done), dict(wrong))


def _live(
    life: Life, orders: int, rng: Random, *, window: Stage, plain: Stage, done: Counter[str], wrong: Counter[str]
) -> None:
    there = plain.enter(life)
    for care in there:
        plain.settle(life, care)
    expected = plain.borne(life, there)
    here = window.enter(life)
    places = {c.number: c for c in here}
    done["lives"] += 1
    for _ in range(orders):
        order = [places[c.number] for c in draw_order(rng, life)]
        for care in order:
            window.settle(life, care)
        done["orders"] += 1
        done["bills"] += len(order)
        done.update(f"at_{c.position or 'ordinary'}" for c in order)
        borne = window.borne(life, here)
        done["paid_by_accounts"] += sum(row[2] > 0 for row in borne.values())
        differing = {k for k in {*expected, *borne} if expected.get(k) != borne.get(k)}
        if differing and wrong["bills_that_differ"] < _SHOWN_MAX:
            print(f"  {[c.number for c in order]}: {[(k, expected.get(k), borne.get(k)) for k in sorted(differing)]}")
        wrong["bills_that_differ"] += len(differing)
        wrong["episodes_that_do_not_tie"] += wrong_episodes(window.city, life, here)
        window.undo(life, here)
        wrong["left_after_undoing"] += len(window.in_force(life))


def _databases(platform: Platform, lives: int) -> list[str]:
    """Make two databases with the same people."""
    name = f"orders_{next(_names)}"
    url = platform.postgres.url_for("postgres")
    with Books(url) as books:
        books.execute(f"create database {name}")
    asyncio.run(_fill(platform.postgres.url_for(name), persons=60 + 2 * lives))
    with Books(url) as books:
        books.execute(f"create database {name}_plain template {name}")
    return [platform.postgres.url_for(name), platform.postgres.url_for(f"{name}_plain")]


async def _fill(url: str, *, persons: int) -> None:
    await migrate(url)
    database = await Database.open(url, role=None, size=2)
    await load_all(database, now=SystemClock().now(), ids=RandomIds())
    await database.close()
    await fill(url, today=date.fromisoformat(OPENED[:10]), persons=persons)


def _city(url: str, home: Path) -> City:
    home.mkdir()
    return City(url, home, opened_at=at(OPENED))
