"""Chance from a seed: the same seed and name give the same stream on every machine."""

from __future__ import annotations

import hashlib
from random import Random


def stream(seed: int, *names: object) -> Random:
    """Return a random stream of its own for ``names``, so that one part's draws never shift another's."""
    return Random(token(seed, *names))


def token(seed: int, *names: object) -> str:
    """Return 64 hex characters that depend only on the seed and ``names``: demo keys and passwords."""
    text = "/".join(str(part) for part in (seed, *names))
    return hashlib.sha256(text.encode()).hexdigest()
