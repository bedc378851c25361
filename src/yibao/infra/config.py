"""Settings: read once from the environment, checked, frozen; printable with secrets hidden."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

PREFIX = "YIBAO_"


class SettingsInvalid(Exception):
    """Some variables of the environment do not make sense; the text names every one of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may decide.

    Attributes:
        home: directory of the embedded database and of ``demo.json``; made when needed.
        database_url: a PostgreSQL 15 or newer, owner's role; None means the embedded one in ``home``.
        archive: directory where the embedded database's log is received as it is written; a commit is acknowledged only
            when it is there. None: no archive.
        host: address to listen on; the loopback unless somebody says otherwise.
        port: TCP port of the server.
        workers: server processes.
        connections: database connections per worker process.
        log_level: debug, info, warning or error.
        body_bytes_max: largest request body that is read.
        clock_tolerance_s: how far a signing sender's clock may be off, seconds.
        failpoints: honour the fault-injection header; never outside tests.
        demo: this is a demo world: senders that do not sign are allowed.
        secure_cookies: pages are served over HTTPS, so cookies are marked Secure.
        stop_within_s: seconds that running requests get when the server stops.
        parties: addresses of the parties outside, ``tax=http://...,bank=http://...``; empty means nobody is spoken to.
        clock: file of a turned clock; the world of a rehearsal only, so without ``demo`` it is an error.
    """

    home: Path = Path(".yibao")
    database_url: str | None = None
    archive: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2
    connections: int = 4
    log_level: str = "info"
    body_bytes_max: int = 8 * 1024 * 1024
    clock_tolerance_s: int = 1800
    failpoints: bool = False
    demo: bool = False
    secure_cookies: bool = False
    stop_within_s: int = 30
    parties: str = ""
    clock: Path | None = None

    def described(self) -> dict[str, Any]:
        """Return the settings by name, with the password in the database URL hidden."""
        shown: dict[str, Any] = msgspec.structs.asdict(self)
        shown["home"] = str(self.home)
        if self.archive is not None:
            shown["archive"] = str(self.archive)
        if self.database_url is not None:
            shown["database_url"] = without_password(self.database_url)
        return shown


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``YIBAO_*`` variables; what is absent or empty keeps its default.

    Raises:
        SettingsInvalid: one or more values make no sense; all are named, with what is allowed.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field, read in _READERS.items():
        text = environ.get(variable(field), "").strip()
        if not text:
            continue
        try:
            values[field] = read(text)
        except ValueError as error:
            faults.append(f"{variable(field)}={_shown(field, text)}：{error}")
    if "clock" in values and not values.get("demo"):
        faults.append(f"{variable('clock')}：只有演练（{variable('demo')}=1）可以另拨时钟")
    if faults:
        raise SettingsInvalid(faults)
    return Settings(**values)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment variables that make another process read these settings."""
    shown: dict[str, Any] = msgspec.structs.asdict(settings)
    texts = {name: str(int(v) if isinstance(v, bool) else v) for name, v in shown.items() if v is not None}
    return {variable(name): text for name, text in texts.items()}


def variable(field: str) -> str:
    """Return the name of the environment variable behind a field."""
    return PREFIX + field.upper()


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the ``YIBAO_*`` variables that no setting reads, most likely misspelt."""
    environ = os.environ if environ is None else environ
    known = {variable(field) for field in _READERS} | _READ_ELSEWHERE
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def without_password(url: str) -> str:
    """Return a database URL with its password replaced by ``***``."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.split(':', 1)[0]}:***@{place}"))


def _shown(field: str, text: str) -> str:
    return "***" if field == "database_url" else text


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"应为 {low} 至 {high} 的整数")
        return int(text)

    return read


def _switch(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("应为 1 或 0")


def _url(text: str) -> str:
    if urlsplit(text).scheme not in ("postgresql", "postgres"):
        raise ValueError("应形如 postgresql://用户:口令@主机:端口/库名")
    return text


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("应为 debug、info、warning 或 error")
    return text.lower()


def _addresses(text: str) -> str:
    for part in text.split(","):
        name, _, address = part.strip().partition("=")
        if not name or urlsplit(address).scheme not in ("http", "https"):
            raise ValueError("应形如 tax=http://主机:端口,bank=http://主机:端口")
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    "home": Path,
    "database_url": _url,
    "archive": Path,
    "host": str,
    "port": _number(1, 65535),
    "workers": _number(1, 64),
    "connections": _number(2, 64),
    "log_level": _level,
    "body_bytes_max": _number(64 * 1024, 256 * 1024 * 1024),
    "clock_tolerance_s": _number(1, 86_400),
    "failpoints": _switch,
    "demo": _switch,
    "secure_cookies": _switch,
    "stop_within_s": _number(1, 600),
    "parties": _addresses,
    "clock": Path,
}
# Read by tests, proofs and the server's parent, not as settings.
_READ_ELSEWHERE = {"YIBAO_PROOF_N", "YIBAO_TEST_SERVER_URL", "YIBAO_STOP_WITH_FD"}
