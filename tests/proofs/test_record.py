"""Results of proofs are kept, told on a page, and known to be old when the code under them has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.proofs import record
from tests.proofs.platform import Result
from tests.proofs.programme import PROOFS, find


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep files and page of these tests out of the repository's own."""
    monkeypatch.setattr(record, "FOLDER", tmp_path / "proofs")
    monkeypatch.setattr(record, "PAGE", tmp_path / "proofs.md")


def keep(key: str, *, wrong: int = 0, n: int | None = None) -> None:
    """Keep a result of a part."""
    proof, (part,) = find(key)
    record.keep(proof, part, Result({"n": 7}, {"lost": wrong}), n=part.full if n is None else n, seed=5, minutes=0.5)


def of(key: str) -> list[str]:
    """Return what is said to be old about a part."""
    return [line for line in record.stale() if f"({key})" in line]


def test_a_part_is_kept_beside_the_others() -> None:
    keep("F06")
    keep("F01")
    kept = json.loads((record.FOLDER / "faults.json").read_text("utf-8"))
    assert list(kept["parts"]) == ["F01", "F06"]
    assert kept["parts"]["F06"]["done"] == {"n": 7}
    assert {"commit", "date", "seed", "n", "minutes", "machine"} <= set(kept["parts"]["F01"])


def test_the_page_tells_every_kept_part() -> None:
    keep("F06")
    record.write_page()
    page = record.PAGE.read_text("utf-8")
    assert "| F06 ✓ |" in page
    assert "make proof faults" in page


def test_a_full_clean_fresh_proof_is_not_old() -> None:
    keep("F06")
    assert of("F06") == []


def test_small_broken_and_missing_proofs_are_named() -> None:
    keep("F06", n=1)
    keep("F07", wrong=1)
    assert "not at full size" in of("F06")[0]
    assert "broken" in of("F07")[0]
    assert "never run" in of("F08")[0]
    assert record.missing() == [name for name in PROOFS if name != "faults"]


def test_a_change_of_covered_code_makes_a_proof_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (part,) = find("F06")
    for path in part.covers:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("old", "utf-8")
    monkeypatch.setattr(record, "ROOT", tmp_path)
    keep("F06")
    assert of("F06") == []
    (tmp_path / part.covers[0]).write_text("new", "utf-8")
    assert "older than the code" in of("F06")[0]
