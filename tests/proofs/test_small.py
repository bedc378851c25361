"""Every counted proof in small: the same code as ``make proof``, with the N of CI and the commit's seed."""

from __future__ import annotations

import pytest

from tests.proofs.kills import places
from tests.proofs.platform import Platform
from tests.proofs.programme import PROOFS, Part

PARTS = [part for parts in PROOFS.values() for part in parts if part.ci]


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_nothing_is_wrong(part: Part, under_proof: Platform, seed: int) -> None:
    """Nothing is lost, doubled or different, whatever dies; the books are in order afterwards."""
    result = part.run(part.ci, seed, under_proof)
    print(result.line(part.key, seed))
    assert result.holds, result.line(part.key, seed)


def test_ci_kills_at_every_place() -> None:
    """The small F01 is large enough to die at every named point of every message that moves money."""
    [f01] = [part for part in PARTS if part.key == "F01"]
    assert f01.ci >= len(places())
