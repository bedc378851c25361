"""Requests drawn from the description of services, transfers and certificates: no server error, no breach."""

from __future__ import annotations

from typing import Any

from tests.support.schema_walk import Walker

REGION = "370300"
OURS = ("/service-items", "/applications", "/transfers", "/transfer-money", "/certificates", "/retirement-places")


def test_drawn_requests_are_answered_as_described(world: dict[str, Any]) -> None:
    patient = next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == REGION)
    known = {
        "psn_no": patient["psn_no"], "admdvs": REGION, "applicant_no": patient["psn_no"], "applicant_kind": "person",
        "applicant_name": patient["psn_name"], "channel": "window", "item_code": "002036002002",
        "body": {"psn_no": patient["psn_no"]}, "other_admdvs": "441300", "insutype": "310", "certificate": "benefit",
    }
    walker = Walker(world["agency"]["schema"], world["agency"]["keys"][REGION], known=known)
    document = walker.document
    paths = {path: item for path, item in document["paths"].items() if any(part in path for part in OURS)}
    walked = walker.of({**document, "paths": paths}).walk(4, random_seed=11)
    assert walked.breaches == []
    assert len(walked.by_operation) == 33
    assert walked.by_status[201] > 0, "some got through"
