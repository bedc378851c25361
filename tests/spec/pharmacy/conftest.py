"""A hospital that prescribes, pharmacies that dispense, and the patient between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.support.drugstore import Drugstore, Prescriber
from tests.support.till import Till

Item = Mapping[str, Any]


def _pharmacist(world: Mapping[str, Any], till: Till) -> str:
    """Return the code of a hospital's pharmacist: HY is what national codes of hospital pharmacists begin with."""
    here = next(i for i in world["institutions"] if i["fixmedins_code"] == till.counter.fixmedins_code)
    return str(next(d["dr_codg"] for d in here["doctors"] if d["dr_codg"].startswith("HY")))


@pytest.fixture(scope="module")
def prescriber_in(world: Mapping[str, Any], till_for: Callable[..., Till]) -> Callable[..., Prescriber]:
    """Return a function that opens the till of a region's n-th unsigned hospital that prescribes."""

    def opened(region: str = "370300", index: int = 0) -> Prescriber:
        till = till_for(region, index=index)
        return Prescriber(till, pharmacist=_pharmacist(world, till))

    return opened


@pytest.fixture(scope="module")
def drugstore_in(till_for: Callable[..., Till]) -> Callable[..., Drugstore]:
    """Return a function that opens the till of a region's first unsigned pharmacy."""
    return lambda region="370300": Drugstore(till_for(region, kind="2"))


@pytest.fixture
def prescriber(prescriber_in: Callable[..., Prescriber]) -> Iterator[Prescriber]:
    """Return a hospital of the first region."""
    opened = prescriber_in()
    yield opened
    opened.till.close()


@pytest.fixture
def drugstore(drugstore_in: Callable[..., Drugstore]) -> Iterator[Drugstore]:
    """Return the pharmacy of the first region."""
    opened = drugstore_in()
    yield opened
    opened.till.close()


@pytest.fixture
def patient(world: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an employee of the first region with money in the account."""
    return next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == "370300" and p["insutype"] == "310" and p["balance"] >= 1000
        and p["visit"]["med_type"] == "11"
    )


@pytest.fixture
def drugs(world: Mapping[str, Any]) -> list[Item]:
    """Return ordinary covered drugs of the price list, class A first."""
    return sorted(
        (i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] in ("01", "02")),
        key=lambda i: (i["chrgitm_lv"], i["med_list_codg"]),
    )
