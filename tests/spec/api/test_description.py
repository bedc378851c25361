"""The description of the API is what the API does: drawn requests are never a fault of ours and never break a schema."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.schema_walk import Walker

REGION = "370300"
SEED = 20_241_101


@pytest.fixture(scope="module")
def document(world: dict[str, Any]) -> dict[str, Any]:
    """Return the served description."""
    found: dict[str, Any] = httpx.get(world["agency"]["schema"]).json()
    return found


def _walker(world: dict[str, Any]) -> Walker:
    psn_no = next(p["psn_no"] for p in world["patients"] if p["insuplc_admdvs"] == REGION)
    return Walker(world["agency"]["schema"], world["agency"]["keys"][REGION], known={"psn_no": psn_no, "admdvs": REGION})


def test_the_description_is_openapi_3_1_with_titles_for_people(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    operations = [o for methods in document["paths"].values() for o in methods.values()]
    names = [o["operationId"] for o in operations]
    assert len(names) == len(set(names)) > 20
    for operation in operations:
        assert any("\u4e00" <= c <= "\u9fff" for c in operation["summary"]), operation
        assert operation["description"]


def test_every_reference_of_the_description_leads_somewhere(document: dict[str, Any]) -> None:
    wanted: set[str] = set()

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                wanted.add(part["$ref"])
            for inner in part.values():
                collect(inner)
        elif isinstance(part, list):
            for inner in part:
                collect(inner)

    collect(document)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert wanted <= known, wanted - known


def test_there_are_links_to_follow(document: dict[str, Any]) -> None:
    links = [
        link for methods in document["paths"].values() for o in methods.values() for r in o["responses"].values()
        for link in r.get("links", {}).values()
    ]
    assert len(links) > 10
    names = {o["operationId"] for methods in document["paths"].values() for o in methods.values()}
    assert {link["operationId"] for link in links} <= names


def test_the_page_for_people_needs_nothing_else(world: dict[str, Any]) -> None:
    page = httpx.get(world["agency"]["docs"])
    assert page.status_code == 200
    assert "<h1>医保核心业务接口" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.slow
def test_drawn_requests_break_nothing(world: dict[str, Any]) -> None:
    walked = _walker(world).walk(3, random_seed=SEED)
    assert not walked.breaches, "\n\n".join(walked.breaches[:10])
    # Some must have got behind the types, else nothing was tried.
    assert sum(n for status, n in walked.by_status.items() if status < 300) > 20, walked.by_status


@pytest.mark.slow
def test_following_links_breaks_nothing(world: dict[str, Any]) -> None:
    walked = _walker(world).follow_links(4, 6, random_seed=SEED)
    assert not walked.breaches, "\n\n".join(walked.breaches[:10])
    assert walked.requests > 10
    assert 401 not in walked.by_status, walked.by_status


def test_the_walk_finds_a_description_that_is_not_kept(world: dict[str, Any]) -> None:
    walker = _walker(world)
    told = walker.document["components"]["schemas"]["Self"]
    told["required"] = [*told["required"], "something_never_sent"]
    kept = {"/api/v1/me": walker.document["paths"]["/api/v1/me"]}
    walked = walker.of(walker.document | {"paths": kept}).walk(2, random_seed=SEED)
    assert walked.breaches
    assert all("something_never_sent" in breach for breach in walked.breaches)
