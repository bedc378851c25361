"""Business time is Chinese wherever the host stands; identifiers follow time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from yibao.kernel.business_time import SHANGHAI, age_on, business_date, from_wire, to_wire
from yibao.kernel.clock import FixedClock, SystemClock
from yibao.kernel.ids import CountingIds, RandomIds


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Shanghai"])
def host_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let the host stand in different zones."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(("instant", "day"), [
    (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), date(2026, 12, 31)),
    (datetime(2026, 12, 31, 16, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
])
def test_the_year_turns_at_midnight_in_china(host_zone: str, instant: datetime, day: date) -> None:
    assert business_date(instant) == day


def test_wire_times_have_no_zone_and_mean_china(host_zone: str) -> None:
    instant = from_wire("2027-01-01 00:00:00")
    assert instant.astimezone(UTC) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert to_wire(instant) == "2027-01-01 00:00:00"
    assert to_wire(datetime(2026, 12, 31, 16, tzinfo=UTC)) == "2027-01-01 00:00:00"


@pytest.mark.parametrize("text", ["2026-02-29 00:00:00", "2026-01-01", "2026-01-01T00:00:00", ""])
def test_what_is_no_wire_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"time data|day is out of range|unconverted"):
        from_wire(text)


@pytest.mark.parametrize(("birth_on", "day", "age"), [
    (date(2000, 2, 29), date(2001, 2, 28), 0), (date(2000, 2, 29), date(2001, 3, 1), 1),
    (date(2000, 2, 29), date(2004, 2, 29), 4), (date(2026, 11, 22), date(2026, 11, 22), 0),
    (date(1956, 11, 23), date(2026, 11, 22), 69), (date(1956, 11, 22), date(2026, 11, 22), 70),
])
def test_ages(birth_on: date, day: date, age: int) -> None:
    assert age_on(birth_on, day) == age


def test_clocks() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
    at = datetime(2026, 1, 1, tzinfo=SHANGHAI)
    clock = FixedClock(at)
    assert clock.now() == at
    clock.at = at + timedelta(seconds=1)
    assert clock.now() == at + timedelta(seconds=1)


def test_identifiers_are_24_digits_in_the_order_of_time() -> None:
    at = datetime(2026, 11, 22, 8, 30, 0, 123_456, tzinfo=SHANGHAI)
    ids = RandomIds()
    early, late = ids.new(at), ids.new(at + timedelta(milliseconds=1))
    assert len(early) == len(late) == 24
    assert early.isdigit()
    assert early.startswith("20261122083000123")
    assert early < late


def test_identifiers_of_one_instant_differ() -> None:
    at = datetime(2026, 11, 22, tzinfo=SHANGHAI)
    ids = RandomIds()
    # A batch of four thousand drawn each by itself would repeat one as often as not.
    assert len({ids.new(at) for _ in range(100_000)}) == 100_000


def test_identifiers_of_an_instant_begin_at_random() -> None:
    at = datetime(2026, 11, 22, tzinfo=SHANGHAI)
    # 50 of ten million: equal ones would be a broken source of chance (1 in 8 000).
    assert len({RandomIds().new(at) for _ in range(50)}) >= 49


def test_counting_identifiers_repeat_from_the_same_start() -> None:
    at = datetime(2026, 11, 22, tzinfo=SHANGHAI)
    first, second = CountingIds(), CountingIds()
    assert [first.new(at) for _ in range(3)] == [second.new(at) for _ in range(3)]
    assert CountingIds(41).new(at).endswith("0000042")
