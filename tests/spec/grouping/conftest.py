"""Settled stays with accepted lists, and the agency's desk of payment by group."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.lists import Content, changed, plant_stay, stay_list
from tests.support.till import Till
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.cli.records import app as records_app
from yibao.kernel.business_time import SHANGHAI


class Denied(Exception):
    """A command refused; the text is the code of its first fault."""


class Desk:
    """The agency's terminal on one database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *words: str) -> dict[str, Any]:
        """Run a verb and return its JSON; raises ``Denied`` when it refuses."""
        verbs = {"records": records_app}
        chosen, rest = (verbs[words[0]], words[1:]) if words[0] in verbs else (app, words)
        result = CliRunner().invoke(chosen, [*rest, "--json"], env={**os.environ, "YIBAO_DATABASE_URL": self.url})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        answer: dict[str, Any] = json.loads(result.stdout)
        if result.exit_code == 1:
            raise Denied(answer["faults"][0]["code"])
        assert result.exit_code == 0, result.stdout
        return answer

    def group(self, region: str) -> dict[str, Any]:
        """Group the current month of a region."""
        days: dict[str, Any] = self.run(
            "payment", "group", "--region", region, "--month", this_month(), "--operator", "分组员"
        )["days"]
        return days


def this_month() -> str:
    """Return the current month of business time as ``yyyyMM``."""
    return f"{datetime.now(SHANGHAI):%Y%m}"


class Ward:
    """One hospital that settles stays and files their lists."""

    def __init__(self, till: Till, desk: Desk, patient: dict[str, Any]) -> None:
        self.till, self.desk, self.patient = till, desk, patient
        self.region = till.counter.region

    @property
    def code(self) -> str:
        """Return the hospital's code."""
        return self.till.counter.fixmedins_code

    def settle(self) -> tuple[Any, Content]:
        """Settle a stay of five days and return the settlement and its faultless list."""
        settled = self.till.settle(self.patient, self.patient["visit"])
        came, left = plant_stay(self.desk.url, settled)
        return settled["setlinfo"], stay_list(settled, self.till, came, left)

    def accept(self, content: Content) -> None:
        """File a list (4101) and have the agency accept it."""
        self.till.call("4101", changed(content, "setlinfo.stas_type", "1"))
        self.desk.run("records", "accept", content["setlinfo"]["setl_id"], "--region", self.region, "--by", "审核员")

    def months(self, infno: str, **more: Any) -> list[dict[str, Any]]:
        """Ask for the results of this month and return their rows."""
        name = "setl_ym" if infno in ("3605", "3606") else "setl_mon"
        data = {name: this_month(), "page_num": 1, "page_size": 100, **more}
        rows: list[dict[str, Any]] = self.till.call(infno, {"data": data})["data"]
        return rows


@pytest.fixture(scope="module")
def desk(world_url: str) -> Desk:
    """Return the agency's terminal."""
    return Desk(world_url)


def _ward(till: Till, desk: Desk, world: dict[str, Any], story: str) -> Ward:
    return Ward(till, desk, next(p for p in world["patients"] if p["story"] == story))


@pytest.fixture(scope="module")
def zibo(till_for: Callable[..., Till], desk: Desk, world: dict[str, Any]) -> Iterator[Ward]:
    """Return a hospital of the city that pays by groups."""
    till = till_for("370300")
    yield _ward(till, desk, world, "zb-active-first")
    till.close()


@pytest.fixture(scope="module")
def huizhou(till_for: Callable[..., Till], desk: Desk, world: dict[str, Any]) -> Iterator[Ward]:
    """Return a hospital of the city that pays by packets."""
    till = till_for("441300")
    story = next(p["story"] for p in world["patients"] if p["insuplc_admdvs"] == "441300" and p.get("visit"))
    yield _ward(till, desk, world, story)
    till.close()
