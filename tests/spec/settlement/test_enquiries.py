"""What was done at the counter can be asked for again: visits, diagnoses, medicines, counters, chronic diseases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.till import Till, wire_now


@pytest.mark.drives("5201", "5202", "5205", "5206")
def test_a_settled_visit_is_found_with_its_diagnoses_medicines_and_counters(
    till: Till, patient_of: Callable[[str], dict[str, Any]]
) -> None:
    patient, begin = patient_of("zb-active-first"), wire_now()
    psn_no, visit = patient["psn_no"], patient["visit"]
    counted = _counters(till, psn_no)
    info = till.settle(patient, visit)["setlinfo"]
    period = {"begntime": begin, "endtime": wire_now()}
    visits = till.call("5201", {"data": {"psn_no": psn_no, "med_type": visit["med_type"], **period}})["mdtrtinfo"]
    assert [v["mdtrt_id"] for v in visits] == [info["mdtrt_id"]]
    diagnoses = till.call("5202", {"data": {"psn_no": psn_no, "mdtrt_id": info["mdtrt_id"]}})["diseinfo"]
    assert [(d["diag_code"], d["maindiag_flag"]) for d in diagnoses] == [(visit["diag_code"], "1")]
    medicines = till.call("5205", {"data": {"psn_no": psn_no, **period}})["feedetail"]
    taken = {m["med_list_codg"] for m in medicines}
    assert taken
    assert taken <= {line["med_list_codg"] for line in visit["lines"]}
    now = _counters(till, psn_no)
    # Each counter counts a part of the bill: none went down, at least one went up, none by more than the bill.
    rises = {code: now[code] - counted.get(code, 0) for code in now}
    assert all(0 <= rise <= round(info["medfee_sumamt"] * 100) for rise in rises.values())
    assert any(rises.values())


@pytest.mark.drives("5301")
def test_recognised_chronic_diseases_are_listed(till: Till, world: dict[str, Any]) -> None:
    patient = next(p for p in world["patients"] if p["visit"]["med_type"] == "14" and p["insuplc_admdvs"] == "370300")
    rows = till.call("5301", {"data": {"psn_no": patient["psn_no"]}})["feedetail"]
    assert patient["visit"]["dise_codg"] in {r["opsp_dise_code"] for r in rows}


def _counters(till: Till, psn_no: str) -> dict[str, int]:
    rows = till.call("5206", {"data": {"psn_no": psn_no, "cum_ym": wire_now()[:4]}})["cuminfo"]
    return {r["cum_type_code"]: round(r["cum"] * 100) for r in rows}
