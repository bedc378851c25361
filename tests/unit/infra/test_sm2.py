"""SM2 against a plain second verifier, written from GB/T 32918.2 alone, and against the standard's own example."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yibao.infra import sm2

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
Point = tuple[int, int] | None
PUBLIC_HEAD = "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
"""DER of a public key on the SM2 curve up to its coordinates."""


def add(p: Point, q: Point) -> Point:
    """Add two points of the curve."""
    if p is None or q is None:
        return q if p is None else p
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) if p == q else (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k: int, p: Point) -> Point:
    """Multiply a point."""
    found: Point = None
    while k:
        found = add(found, p) if k & 1 else found
        p, k = add(p, p), k >> 1
    return found


def sm3(data: bytes) -> bytes:
    """Digest."""
    return hashlib.new("sm3", data).digest()


def plainly_signed(key: tuple[int, int], data: bytes, r: int, s: int) -> bool:
    """Verify a signature step by step as GB/T 32918.2 section 7.1 says."""
    if not (1 <= r < N and 1 <= s < N) or (r + s) % N == 0:
        return False
    words = b"".join(n.to_bytes(32, "big") for n in (A, B, *G, *key))
    z = sm3((8 * len(sm2.IDENTITY)).to_bytes(2, "big") + sm2.IDENTITY + words)
    e = int.from_bytes(sm3(z + data), "big")
    point = add(times(s, G), times((r + s) % N, key))
    return point is not None and (e + point[0]) % N == r


def numbers(der: bytes) -> tuple[int, int]:
    """Return r and s of a signature."""
    assert der[0] == 0x30
    r_length = der[3]
    return int.from_bytes(der[4:4 + r_length], "big"), int.from_bytes(der[6 + r_length:], "big")


def der(r: int, s: int) -> bytes:
    """Return a signature of r and s."""
    parts = b""
    for n in (r, s):
        raw = n.to_bytes(33, "big").lstrip(b"\0")
        raw = raw if raw[0] < 0x80 else b"\0" + raw
        parts += bytes([2, len(raw)]) + raw
    return bytes([0x30, len(parts)]) + parts


def pem_of(key: tuple[int, int]) -> bytes:
    """Return a public key as PEM."""
    raw = bytes.fromhex(PUBLIC_HEAD) + b"".join(n.to_bytes(32, "big") for n in key)
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(raw) + b"-----END PUBLIC KEY-----\n"


def point_of(pem: bytes) -> tuple[int, int]:
    """Return the coordinates of a public key."""
    raw = base64.b64decode(b"".join(pem.split(b"\n")[1:-2]))
    assert raw.hex().startswith(PUBLIC_HEAD)
    return int.from_bytes(raw[-64:-32], "big"), int.from_bytes(raw[-32:], "big")


KEY = sm2.new_key()
PUBLIC = sm2.public_key(KEY)


def test_the_example_of_the_standard_holds() -> None:
    """GB/T 32918.5, annex A.2: message digest, identity 1234567812345678."""
    key = (0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
           0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13)
    r = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
    s = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
    assert plainly_signed(key, b"message digest", r, s)
    assert sm2.is_signed(pem_of(key), b"message digest", der(r, s))
    assert not sm2.is_signed(pem_of(key), b"message digesT", der(r, s))


@settings(max_examples=20)
@given(st.binary(max_size=300))
def test_what_we_sign_the_plain_verifier_takes(data: bytes) -> None:
    signature = sm2.sign(KEY, data)
    assert sm2.is_signed(PUBLIC, data, signature)
    assert plainly_signed(point_of(PUBLIC), data, *numbers(signature))


def test_every_changed_bit_is_seen() -> None:
    data = b"prescription"
    signature = sm2.sign(KEY, data)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert not sm2.is_signed(PUBLIC, bytes(changed), signature)
    for bit in range(8 * len(signature)):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        assert not sm2.is_signed(PUBLIC, data, bytes(changed))
    assert not sm2.is_signed(sm2.public_key(sm2.new_key()), data, signature)


def test_what_is_no_key_is_said() -> None:
    with pytest.raises(sm2.Sm2Failed, match="no SM2 key"):
        sm2.sign(b"-----BEGIN PRIVATE KEY-----\n", b"x")
    with pytest.raises(sm2.Sm2Failed, match="no SM2 key"):
        sm2.is_signed(b"", b"x", b"y")


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "seal.pem"
    with ThreadPoolExecutor(8) as crowd:
        keys = set(crowd.map(lambda _: sm2.kept_key(path), range(8)))
    assert keys == {path.read_bytes()}
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir()] == ["seal.pem"]
    seal = sm2.seal_at(path)
    assert seal is not None
    assert seal.serial == sm2.serial_of(sm2.public_key(path.read_bytes()))
    assert "PRIVATE" not in repr(seal)
