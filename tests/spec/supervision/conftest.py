"""A patient whose bill breaks rules, and the agency's clerks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.doctor import ULTRASOUND, Agency, answer, document_of, line, rows, upload_material, visit
from tests.support.till import Till

Patient = dict[str, Any]
BILL = (line(ULTRASOUND, 2, 71), line("001103000010000", 10, 148))
"""142.00 for an examination that a man cannot have, and 1 480.00 beside it, ten days of monitoring on one day."""


class Suspected:
    """A settled visit of a man, with the document that was sent about it."""

    def __init__(self, till: Till, man: Patient, agency: Agency, world_url: str) -> None:
        self.till, self.man, self.agency, self.url = till, man, agency, world_url
        self.settled = till.settle(man, visit(*BILL))["setlinfo"]
        self.setl_id = str(self.settled["setl_id"])
        agency.run()
        self.document = document_of(till, self.setl_id, world_url)
        by_rule = {s["ruleId"]: s for s in self.document["docSusptDTOS"]}
        self.sex = by_rule[f"R06-{ULTRASOUND}"]
        self.often = by_rule["R02-001103000010000"]

    @property
    def id(self) -> str:
        """The suspicion that a man was charged an examination for women."""
        return str(self.sex["docSusptId"])

    def row(self, suspicion_id: str = "") -> dict[str, Any]:
        """Return the suspicion as it is kept."""
        (found,) = rows(self.url, "select * from supervision.suspicion where suspicion_id = $1", suspicion_id or self.id)
        return found

    def deductions(self) -> list[dict[str, Any]]:
        """Return what clearing finds about the settlement."""
        return rows(self.url, "select * from supervision.deduction where setl_id = $1 order by decided_at", self.setl_id)

    def appeal(self, *, objects: bool = True, suspicion: str = "", infno: str = "3702", amount: float = 1) -> Any:
        """Answer the suspicion."""
        material = upload_material(self.till) if objects else ""
        return self.till.call(infno, answer(
            self.till, self.document, objects=objects, material=material, amount=amount, suspicions=[suspicion or self.id]))

    def upheld(self, *, amount: str = "") -> None:
        """Let two clerks uphold the suspicion."""
        words = ["--amount", amount] if amount else []
        self.agency.do("decide", self.id, "--operator", "甲", "--opinion", "不能成立", *words)
        self.agency.do("confirm", self.id, "--operator", "乙")

    def refund(self, *, msgid: str | None = None) -> Any:
        """Reverse the settlement (2208)."""
        return self.till.call("2208", {"data": {
            "setl_id": self.setl_id, "mdtrt_id": self.settled["mdtrt_id"], "psn_no": self.man["psn_no"]}},
            msgid=msgid, insured_place=self.man["insuplc_admdvs"])


@pytest.fixture
def suspect(till: Till, man: Patient, agency: Agency, world_url: str) -> Iterator[Callable[[], Suspected]]:
    """Return a function that settles a visit which is then suspected; afterwards the year's caps are as before."""
    made: list[Suspected] = []

    def suspect() -> Suspected:
        made.append(Suspected(till, man, agency, world_url))
        return made[-1]

    yield suspect
    for one in reversed(made):
        (row,) = rows(world_url, "select state from settlements.settlement where setl_id = $1", one.setl_id)
        if row["state"] == "active":
            one.refund()


@pytest.fixture
def suspected(suspect: Callable[[], Suspected]) -> Suspected:
    """Return a settled visit under suspicion."""
    return suspect()


@pytest.fixture
def man(world: dict[str, Any]) -> Patient:
    """Return an insured man of the first region."""
    return _first(world, is_man=True)


@pytest.fixture
def woman(world: dict[str, Any]) -> Patient:
    """Return an insured woman of the first region."""
    return _first(world, is_man=False)


@pytest.fixture
def southern_man(world: dict[str, Any]) -> Patient:
    """Return an insured man of the second region."""
    return _first(world, is_man=True, region="441300")


@pytest.fixture
def agency(world_url: str, base_url: str, monkeypatch: pytest.MonkeyPatch) -> Agency:
    """Return the agency's clerks at the command line of this world."""
    return Agency(world_url, monkeypatch)


@pytest.fixture(scope="module")
def module_till(till_for: Any) -> Iterator[Till]:
    """Return a till for a whole module."""
    opened = till_for()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def module_woman(world: dict[str, Any]) -> Patient:
    """Return an insured woman of the first region."""
    return _first(world, is_man=False)


@pytest.fixture(scope="module")
def module_suspected(module_till: Till, world: dict[str, Any], world_url: str) -> Iterator[Suspected]:
    """Return a settled visit under suspicion for a whole module."""
    patch = pytest.MonkeyPatch()
    yield Suspected(module_till, _first(world, is_man=True), Agency(world_url, patch), world_url)
    patch.undo()


def _first(world: dict[str, Any], *, is_man: bool, region: str = "370300") -> Patient:
    return dict(next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == region and bool(int(p["certno"][16]) % 2) == is_man and p["insutype"] == "310"
    ))
