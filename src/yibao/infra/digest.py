"""SM3 (GB/T 32905) digests."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes

# Copied for each digest: to look the algorithm up costs almost as much as to digest a kilobyte.
_EMPTY = hashlib.new("sm3") if "sm3" in hashlib.algorithms_available else None


def sm3(data: bytes) -> bytes:
    """Return the 32-byte SM3 digest of ``data``."""
    if _EMPTY is None:
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()
    copy = _EMPTY.copy()
    copy.update(data)
    return copy.digest()
