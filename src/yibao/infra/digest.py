"""SM3 (GB/T 32905) digests."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes

_IN_HASHLIB = "sm3" in hashlib.algorithms_available


def sm3(data: bytes) -> bytes:
    """Return the 32-byte SM3 digest of ``data``."""
    if _IN_HASHLIB:
        return hashlib.new("sm3", data).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()
