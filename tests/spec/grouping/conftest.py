"""Settled stays with accepted lists, and the agency's desk of payment by group."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.lists import Content, changed, stay_list
from tests.support.till import Till, total
from tests.support.ward import Stay, Ward
from yibao.demo.description import ENDPOINT
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.cli.records import app as records_app
from yibao.kernel.business_time import SHANGHAI

_STAY_DAYS = 5


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


class Office:
    """One hospital that drives whole stays of one patient, settles them and files their lists."""

    def __init__(self, ward: Ward, desk: Desk, patient: dict[str, Any], drugs: list[dict[str, Any]]) -> None:
        self.till, self.desk, self.patient, self._drugs = ward, desk, patient, drugs
        self.region = ward.counter.region
        self.stays: dict[str, Stay] = {}
        self._days_ago = itertools.count(6, _STAY_DAYS + 1)

    @property
    def code(self) -> str:
        """Return the hospital's code."""
        return self.till.counter.fixmedins_code

    def settle(self, cost: Decimal = Decimal(400)) -> tuple[Any, Content]:
        """Drive a stay that costs at most so much; return the settlement and its faultless list."""
        begin = self._begin()
        stay, settled = self.till.whole_stay(self.patient, begin, self._charges(cost), days=_STAY_DAYS)
        self.stays[settled["setlinfo"]["setl_id"]] = stay
        return settled["setlinfo"], self._list(settled, begin)

    def settle_in_parts(self, cost: Decimal) -> tuple[Any, Any, Content]:
        """Drive a stay settled once in between and once at its end; return both settlements and the last one's list."""
        begin, charges = self._begin(), self._charges(cost / 2)
        stay = self.till.admit(self.patient, begin)
        self.till.charge(stay, begin, charges)
        first = self.till.settle_stay(stay, total(charges), interim=True)["setlinfo"]
        self.till.charge(stay, begin + timedelta(days=2), charges)
        self.till.discharge(stay, begin + timedelta(days=_STAY_DAYS))
        last = self.till.settle_stay(stay, total(charges))
        return first, last["setlinfo"], self._list(last, begin)

    def _begin(self) -> datetime:
        today = datetime.now(SHANGHAI).replace(hour=9, minute=0, second=0, microsecond=0)
        return today - timedelta(days=next(self._days_ago))

    def _charges(self, cost: Decimal) -> list[dict[str, Any]]:
        drug = next(d for d in self._drugs if d["price"] < float(cost) / 4)
        count = int(cost / Decimal(str(drug["price"])))
        return [{
            "med_list_codg": drug["med_list_codg"], "medins_list_codg": drug["medins_list_codg"], "pric": drug["price"],
            "cnt": count, "det_item_fee_sumamt": round(float(drug["price"]) * 100) * count / 100,
        }]

    def _list(self, settled: Any, begin: datetime) -> Content:
        return {**stay_list(settled, self.till, begin, begin + timedelta(days=_STAY_DAYS)), "icuinfo": []}

    def reverse(self, setl_id: str) -> None:
        """Take a settlement back (2305)."""
        self.till.cancel_settlement(self.stays[setl_id], setl_id)

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


OfficeFor = Callable[..., Office]


@pytest.fixture(scope="module")
def desk(world_url: str) -> Desk:
    """Return the agency's terminal."""
    return Desk(world_url)


@pytest.fixture(scope="module")
def office_for(till_for: Callable[..., Till], desk: Desk, world: dict[str, Any]) -> Iterator[OfficeFor]:
    """Return a function that opens an office of a region's first hospital; its patient is the n-th employee."""
    opened = []
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "01"]

    def open_office(region: str, *, patient: int = 0) -> Office:
        people = [p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == region and p.get("visit")]
        ward = Ward(world["base_url"] + ENDPOINT, till_for(region).counter)
        opened.append(ward)
        return Office(ward, desk, people[patient], drugs)

    yield open_office
    for ward in opened:
        ward.close()


@pytest.fixture(scope="module")
def zibo(office_for: OfficeFor) -> Office:
    """Return a hospital of the city that pays by groups."""
    return office_for("370300")


@pytest.fixture(scope="module")
def huizhou(office_for: OfficeFor) -> Office:
    """Return a hospital of the city that pays by packets."""
    return office_for("441300")
