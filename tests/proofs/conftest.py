"""One platform for all proofs in small, and the seed that the commit gives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proofs.platform import Platform, platform
from tests.proofs.record import seed_of_commit


@pytest.fixture(scope="session")
def under_proof() -> Iterator[Platform]:
    """Run a platform with a small world for the proofs of this test process."""
    with platform() as made:
        yield made


@pytest.fixture(scope="session")
def seed() -> int:
    """Return the seed of this commit."""
    return seed_of_commit()
