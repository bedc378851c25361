"""SM2 signatures with SM3 (GB/T 32918) through the system's OpenSSL 3: no package of ours or others has the curve.

The functions of libcrypto are called directly; a machine without them has no SM2, and ``available`` says so.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from yibao.infra.digest import sm3

IDENTITY = b"1234567812345678"
"""The signer's identity that GB/T 35276 takes where none is agreed on."""
_SIGNATURE_BYTES_MAX = 128


class Seal(msgspec.Struct, frozen=True):
    """A key pair that the platform signs with, as PEM; nobody certified it."""

    private: bytes
    public: bytes

    def __repr__(self) -> str:
        """Return a text without the private key."""
        return f"Seal({self.serial})"

    @property
    def serial(self) -> str:
        """Return the SM3 fingerprint of the public key."""
        return serial_of(self.public)


class Sm2Failed(Exception):
    """libcrypto refused: a key that is none, or no memory."""


@cache
def _library() -> Any:
    """Return libcrypto with the types of what is called, None where it has no SM2."""
    name = ctypes.util.find_library("crypto")
    if name is None:
        return None
    try:
        crypto = ctypes.CDLL(name)
        pointers = ("EVP_PKEY_Q_keygen", "BIO_new", "BIO_s_mem", "BIO_new_mem_buf", "PEM_read_bio_PrivateKey",
                    "PEM_read_bio_PUBKEY", "EVP_MD_CTX_new", "EVP_PKEY_CTX_new", "EVP_sm3")
        for function in pointers:
            getattr(crypto, function).restype = ctypes.c_void_p
        crypto.BIO_ctrl.restype = ctypes.c_long
    except (OSError, AttributeError):
        return None
    key = crypto.EVP_PKEY_Q_keygen(None, None, b"SM2")
    if not key:
        return None
    crypto.EVP_PKEY_free(ctypes.c_void_p(key))
    return crypto


def available() -> bool:
    """Say whether this machine can sign with SM2."""
    return _library() is not None


def new_key() -> bytes:
    """Return a new private key as PEM."""
    crypto = _library()
    key = ctypes.c_void_p(crypto.EVP_PKEY_Q_keygen(None, None, b"SM2"))
    try:
        return _pem(crypto, lambda bio: crypto.PEM_write_bio_PrivateKey(bio, key, None, None, 0, None, None))
    finally:
        crypto.EVP_PKEY_free(key)


def public_key(private: bytes) -> bytes:
    """Return the public key of a private key, as PEM."""
    crypto = _library()
    key = _read(crypto, private, crypto.PEM_read_bio_PrivateKey)
    try:
        return _pem(crypto, lambda bio: crypto.PEM_write_bio_PUBKEY(bio, key))
    finally:
        crypto.EVP_PKEY_free(key)


def sign(private: bytes, data: bytes) -> bytes:
    """Return the signature (DER) over data."""
    crypto = _library()
    key = _read(crypto, private, crypto.PEM_read_bio_PrivateKey)
    context, inner = _contexts(crypto, key)
    try:
        _hold(crypto.EVP_DigestSignInit(context, None, ctypes.c_void_p(crypto.EVP_sm3()), None, key))
        length = ctypes.c_size_t(_SIGNATURE_BYTES_MAX)
        signature = ctypes.create_string_buffer(_SIGNATURE_BYTES_MAX)
        _hold(crypto.EVP_DigestSign(context, signature, ctypes.byref(length), data, ctypes.c_size_t(len(data))))
        return signature.raw[: length.value]
    finally:
        _free(crypto, key, context, inner)


def is_signed(public: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether a signature (DER) over data is the one of a public key."""
    crypto = _library()
    key = _read(crypto, public, crypto.PEM_read_bio_PUBKEY)
    context, inner = _contexts(crypto, key)
    try:
        _hold(crypto.EVP_DigestVerifyInit(context, None, ctypes.c_void_p(crypto.EVP_sm3()), None, key))
        found = crypto.EVP_DigestVerify(
            context, signature, ctypes.c_size_t(len(signature)), data, ctypes.c_size_t(len(data))
        )
        return bool(found == 1)
    finally:
        crypto.ERR_clear_error()
        _free(crypto, key, context, inner)


def serial_of(public: bytes) -> str:
    """Return what a public key is called by: the SM3 digest of its PEM."""
    return sm3(public).hex()


@cache
def seal_at(path: Path) -> Seal | None:
    """Return the seal whose key is kept in a file, None on a machine without SM2."""
    if not available():
        return None
    private = kept_key(path)
    return Seal(private, public_key(private))


def kept_key(path: Path) -> bytes:
    """Return the private key of a file, made at first use; of several processes that make it one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_key())
        try:
            os.link(made, path)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            made.unlink()
    return path.read_bytes()


def _hold(returned: int) -> None:
    if returned != 1:
        raise Sm2Failed("libcrypto refused to sign or verify")


def _contexts(crypto: Any, key: ctypes.c_void_p) -> tuple[ctypes.c_void_p, ctypes.c_void_p]:
    """Return a digest context that signs in the name of ``IDENTITY``."""
    context = ctypes.c_void_p(crypto.EVP_MD_CTX_new())
    inner = ctypes.c_void_p(crypto.EVP_PKEY_CTX_new(key, None))
    if not context or not inner or crypto.EVP_PKEY_CTX_set1_id(inner, IDENTITY, ctypes.c_size_t(len(IDENTITY))) != 1:
        raise Sm2Failed("libcrypto has no SM2 context")
    crypto.EVP_MD_CTX_set_pkey_ctx(context, inner)
    return context, inner


def _free(crypto: Any, key: ctypes.c_void_p, context: ctypes.c_void_p, inner: ctypes.c_void_p) -> None:
    crypto.EVP_MD_CTX_free(context)
    crypto.EVP_PKEY_CTX_free(inner)
    crypto.EVP_PKEY_free(key)


def _read(crypto: Any, pem: bytes, reader: Any) -> ctypes.c_void_p:
    bio = ctypes.c_void_p(crypto.BIO_new_mem_buf(pem, len(pem)))
    key = ctypes.c_void_p(reader(bio, None, None, None))
    crypto.BIO_free(bio)
    if not key:
        crypto.ERR_clear_error()
        raise Sm2Failed("this is no SM2 key")
    return key


def _pem(crypto: Any, write: Any) -> bytes:
    bio = ctypes.c_void_p(crypto.BIO_new(ctypes.c_void_p(crypto.BIO_s_mem())))
    try:
        _hold(write(bio))
        start = ctypes.c_void_p()
        length = crypto.BIO_ctrl(bio, 3, 0, ctypes.byref(start))  # BIO_get_mem_data is a macro around this
        return ctypes.string_at(start.value or 0, length)
    finally:
        crypto.BIO_free(bio)
