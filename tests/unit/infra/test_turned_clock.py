"""The clock of a rehearsal: turned by one process, read by all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.window_city import at
from yibao.infra.config import SettingsInvalid, load_settings
from yibao.infra.turned_clock import TurnedClock


def test_every_reader_sees_the_turned_time_and_it_goes_on(tmp_path: Path) -> None:
    turner = TurnedClock.make(tmp_path / "clock", at("2021-10-09 23:59:59"))
    reader = TurnedClock(tmp_path / "clock")
    first = reader.now()
    assert timedelta() <= first - at("2021-10-09 23:59:59") < timedelta(minutes=1)
    turner.turn(at("2021-10-18 12:00"))
    assert timedelta() <= reader.now() - at("2021-10-18 12:00") < timedelta(minutes=1)
    assert reader.now() <= turner.now()


def test_it_is_never_turned_back(tmp_path: Path) -> None:
    clock = TurnedClock.make(tmp_path / "clock", at("2021-10-18 12:00"))
    clock.turn(at("2021-10-01"))
    assert clock.now() >= at("2021-10-18 12:00")


def test_only_a_demo_world_may_have_one() -> None:
    with pytest.raises(SettingsInvalid, match="YIBAO_CLOCK"):
        load_settings({"YIBAO_CLOCK": "/somewhere"})
    assert load_settings({"YIBAO_CLOCK": "/somewhere", "YIBAO_DEMO": "1"}).clock == Path("/somewhere")
