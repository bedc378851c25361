"""Who sent this: the checks of each institution's scheme, and the institutions themselves for a few seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from yibao.domains.institutions.model import Sender
from yibao.domains.institutions.queries import find_sender, find_sender_by_access_key
from yibao.infra.database import Connection, Database
from yibao.kernel.clock import Clock

_KEPT = timedelta(seconds=5)
_KEPT_MAX = 10_000
_API_HEADERS = ("_api_access_key", "_api_name", "_api_timestamp", "_api_version")
_TIF_HEADERS = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature")


class NotRecognised(Exception):
    """The sender's proof does not hold; the text says what is missing or wrong."""


class Claim(msgspec.Struct, frozen=True):
    """What the headers say of the sender, before it is proved.

    Attributes:
        access_key: ``_api_access_key`` or ``x-tif-paasid``.
        api_name: transaction named by ``_api_name``, without ``api_``.
    """

    scheme: Literal["none", "api_hmac_sha1", "tif_sha256"]
    access_key: str = ""
    api_name: str = ""


def api_signature(secret: str, values: Mapping[str, str]) -> str:
    """Return Base64 of HMAC-SHA1 over the four ``_api_*`` values, sorted and joined."""
    text = "&".join(f"{name}={values.get(name, '')}" for name in sorted(_API_HEADERS))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def tif_signature(secret: str, timestamp: str, nonce: str) -> str:
    """Return hex of SHA-256 over timestamp, secret, nonce and timestamp."""
    return hashlib.sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest()


def read_claim(headers: Mapping[str, str]) -> Claim:
    """Return what the headers claim; a message without any signing header claims nothing."""
    if headers.get("_api_access_key") or headers.get("_api_signature"):
        return Claim("api_hmac_sha1", headers.get("_api_access_key", ""), headers.get("_api_name", "").removeprefix("api_"))
    if headers.get("x-tif-paasid") or headers.get("x-tif-signature"):
        return Claim("tif_sha256", headers.get("x-tif-paasid", ""))
    return Claim("none")


def _check_age(text: str, unit: int, now: datetime, tolerance: timedelta) -> None:
    try:
        sent_at = int(text) / unit
    except ValueError:
        raise NotRecognised("时间戳不是数字") from None
    if abs(now.timestamp() - sent_at) > tolerance.total_seconds():
        raise NotRecognised("时间戳已过期或超前，请校准发送方时钟")


def prove(
    sender: Sender, headers: Mapping[str, str], *, now: datetime, tolerance: timedelta, unsigned_allowed: bool
) -> None:
    """Check the headers by the sender's scheme.

    Raises:
        NotRecognised: a header is missing, the clock is off, the key is another's or the signature is wrong.
    """
    if sender.auth_scheme == "none":
        if not unsigned_allowed:
            raise NotRecognised("本平台不接受未签名的机构，请配置访问密钥")
        return
    names = (*_API_HEADERS, "_api_signature") if sender.auth_scheme == "api_hmac_sha1" else _TIF_HEADERS
    missing = [name for name in names if not headers.get(name)]
    if missing:
        raise NotRecognised(f"缺少请求头{'、'.join(missing)}")
    if headers[names[0]] != sender.access_key:
        raise NotRecognised("访问密钥与报文中的定点医药机构编号不符")
    if sender.auth_scheme == "api_hmac_sha1":
        _check_age(headers["_api_timestamp"], 1000, now, tolerance)
        expected, given = api_signature(sender.secret, headers), headers["_api_signature"]
    else:
        _check_age(headers["x-tif-timestamp"], 1, now, tolerance)
        expected = tif_signature(sender.secret, headers["x-tif-timestamp"], headers["x-tif-nonce"])
        given = headers["x-tif-signature"].lower()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise NotRecognised("签名不正确，请核对密钥和签名串")


class Senders:
    """Institutions by code and by access key, read from the database and kept for five seconds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[datetime, Sender | None]] = {}

    async def by_code(self, fixmedins_code: str) -> Sender | None:
        """Return the institution with this code."""
        return await self._find("code", fixmedins_code, find_sender)

    async def by_access_key(self, access_key: str) -> Sender | None:
        """Return the institution that signs with this key."""
        return await self._find("key", access_key, find_sender_by_access_key)

    def forget(self) -> None:
        """Read every institution anew from now on."""
        self._kept.clear()

    async def _find(
        self, kind: str, text: str, read: Callable[[Connection, str], Awaitable[Sender | None]]
    ) -> Sender | None:
        now = self._clock.now()
        kept = self._kept.get((kind, text))
        if kept is not None and abs(now - kept[0]) < _KEPT:
            return kept[1]
        async with self._database.connection() as connection:
            sender = await read(connection, text)
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[kind, text] = (now, sender)
        return sender
