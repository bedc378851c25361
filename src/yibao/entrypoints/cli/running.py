"""The database and the server that a command needs: found by URL, or the embedded ones started for it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import msgspec

from yibao.entrypoints.cli.window_gate import pass_window
from yibao.entrypoints.server import STOP_WITH_FD
from yibao.infra.config import Settings, environment_of
from yibao.infra.database import Unavailable
from yibao.infra.postgres import EmbeddedPostgres

_READY_WITHIN_S = 60.0


@contextmanager
def with_database(settings: Settings, *, make: bool = False) -> Iterator[Settings]:
    """Lend settings whose ``database_url`` answers, starting the embedded server where no URL is set.

    A server that another command already runs for the same home is used and left running.
    ``make`` allows a new, empty cluster; without it a home that never held one is an error.

    Raises:
        Unavailable: there is no database yet.
        WindowStopped: a window stops the verb that runs.
    """
    if settings.database_url is not None:
        pass_window(settings.database_url)
        yield settings
        return
    server = EmbeddedPostgres(settings.home, archive=settings.archive)
    if not make and not server.exists():
        raise Unavailable(
            f"{settings.home} 里还没有数据库；请先运行 yibao demo 或 yibao migrate，或设置 YIBAO_DATABASE_URL"
        )
    with server:
        url = server.url_for("yibao")
        pass_window(url)
        yield msgspec.structs.replace(settings, database_url=url)


def port_is_free(host: str, port: int) -> bool:
    """Say whether a server could listen on the address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class RunningServer:
    """The HTTP server as a child process in its own session: Ctrl-C reaches us first, and we stop it in order."""

    def __init__(self, settings: Settings, *, log: Path | None) -> None:
        self._settings = settings
        self._log = log
        self._read, self._write = os.pipe()
        if log is not None:
            # With a database of one's own nobody has made the directory yet.
            log.parent.mkdir(parents=True, exist_ok=True)
        stream: IO[bytes] | None = log.open("ab") if log else None
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "yibao.entrypoints.server"], start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=stream, stderr=stream, pass_fds=(self._read,),
                env={**os.environ, **environment_of(settings), STOP_WITH_FD: str(self._read)},
            )
        finally:
            if stream is not None:
                stream.close()
            os.close(self._read)

    def wait_ready(self) -> None:
        """Wait until ``/readyz`` says yes.

        Raises:
            Unavailable: the server ended or did not get ready within a minute.
        """
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise Unavailable(f"服务启动失败（退出码 {self._child.returncode}）：\n{self._last_words()}")
            if is_ready(self._settings.host, self._settings.port):
                return
            threading.Event().wait(0.1)
        raise Unavailable(f"服务在 {_READY_WITHIN_S:.0f} 秒内没有就绪：\n{self._last_words()}")

    def wait(self) -> int:
        """Wait until the server ends and return its exit code."""
        return self._child.wait()

    def stop(self) -> None:
        """Let running requests end, then stop."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(self._settings.stop_within_s + 5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._write)

    def _last_words(self) -> str:
        if self._log is None:
            return "原因见上面的输出"
        return self._log.read_text(encoding="utf-8", errors="replace")[-1500:]


def is_ready(host: str, port: int) -> bool:
    """Say whether a server of ours answers ``/readyz`` there."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into one KeyboardInterrupt, so that one path cleans up.

    A shell starts background jobs with SIGINT ignored; here it counts there too.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
