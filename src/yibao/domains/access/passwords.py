"""Passwords are kept as Argon2id hashes; checking one costs the same for accounts that do not exist."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MAX = 128
"""Longer input is refused unread: hashing it would be work for nothing."""

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with a random salt."""
    return _HASHER.hash(password)


@cache
def decoy_hash() -> str:
    """Return a hash that no account has, to be checked where there is no account."""
    return _HASHER.hash("no account has this password")


def matches(password_hash: str, password: str) -> bool:
    """Say whether ``password`` belongs to ``password_hash``; takes some 50 ms of CPU by design."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
