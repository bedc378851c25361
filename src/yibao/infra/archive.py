"""The archive of a database: a base backup and every byte of the log since, received as it is written.

While an archive is kept, the server acknowledges a commit only when the receiver (``pg_receivewal --synchronous``) has it on
its own disk: what was answered survives the loss of the data directory. An archive is one directory with numbered
generations, each ``base`` and ``wal``; the file ``current`` names the newest complete one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from yibao.infra.postgres_place import Place, PostgresFailed, make_closed

RECEIVER = "yibao_archive"
"""Name of the receiver, of its replication slot, and of the synchronous standby that commits wait for."""
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_STREAMS_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.2
_HAS_SLOT = "select 1 from pg_replication_slots where slot_name = 'yibao_archive'"
_MAKE_SLOT = "select 1 from pg_create_physical_replication_slot('yibao_archive', true)"
_DROP_SLOT = "select 1 from pg_drop_replication_slot('yibao_archive')"
_STREAMS = "select 1 from pg_stat_replication where application_name = 'yibao_archive' and state = 'streaming'"
_IS_AWAITED = """
select 1 from pg_stat_replication where application_name = 'yibao_archive' and state = 'streaming' and sync_state = 'sync'
"""
_WAIT_FOR_IT = "alter system set synchronous_standby_names = 'yibao_archive'"
_WAIT_NO_MORE = "alter system reset synchronous_standby_names"
_RELOAD = "select 1 from pg_reload_conf()"
_SYSTEM = "select system_identifier from pg_control_system()"


class Server(Protocol):
    """What an archive needs of the embedded server."""

    @property
    def place(self) -> Place:
        """Directories and user of the server."""
        ...

    def query(self, sql: str) -> str:
        """Ask the server as its superuser."""
        ...

    def bin(self, name: str) -> Path:
        """Return the path of a program of PostgreSQL."""
        ...


class Archive:
    """The archive of one embedded server, kept while the server runs under our supervision."""

    def __init__(self, directory: Path, server: Server, *, patience_s: float = _STREAMS_WITHIN_S) -> None:
        """Prepare, without touching anything, to keep the archive of ``server`` in ``directory``.

        Args:
            patience_s: how long the receiver may take until commits wait for it, seconds.
        """
        self._patience_s = patience_s
        self._directory = directory.resolve()
        self._server = server
        self._receiver: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._ending = threading.Event()

    def begin(self) -> None:
        """Make a base backup if there is none of this cluster, start receiving, and let commits wait for it.

        Raises:
            PostgresFailed: the directory cannot be used, or the receiver does not come to stream.
        """
        make_closed(self._directory, uid=None, gid=None)
        wal = self._current()
        if wal is None:
            wal = self._new_generation()
        self._ending.clear()
        _end_left_behind(wal)
        self._watcher = threading.Thread(target=self._keep_receiving, args=(wal,), daemon=True)
        self._watcher.start()
        self._wait_until(_STREAMS, f"归档 {self._directory} 没有开始接收日志，原因见 {self._server.place.log}")
        self._server.query(_WAIT_FOR_IT)
        self._server.query(_RELOAD)
        # A server that somebody started without an archive, and left behind, is told by its command line not to wait.
        self._wait_until(_IS_AWAITED, "正在运行的数据库是不带归档启动的，请停止它再启动")

    def _wait_until(self, sql: str, why_not: str) -> None:
        deadline = time.monotonic() + self._patience_s
        while self._server.query(sql) != "1":
            if time.monotonic() > deadline:
                raise PostgresFailed(why_not)
            self._ending.wait(_LOOK_EVERY_S)

    def end(self) -> None:
        """Stop receiving; call it after the server has stopped, so that its last words are received."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            try:
                receiver.wait(3)
            except subprocess.TimeoutExpired:
                receiver.terminate()
                receiver.wait()

    def _current(self) -> Path | None:
        """Return where the log goes, None if a base backup has to be made first."""
        generation = current_generation(self._directory)
        if generation is None or self._server.query(_HAS_SLOT) != "1":
            return None
        system = generation / "system"
        if not system.exists() or system.read_text(encoding="utf-8").strip() != self._server.query(_SYSTEM):
            return None
        return generation / "wal"

    def _new_generation(self) -> Path:
        """Make a base backup with the log kept from before it; the former generation stays until it is complete."""
        former = current_generation(self._directory)
        if self._server.query(_HAS_SLOT) == "1":
            self._server.query(_DROP_SLOT)
        self._server.query(_MAKE_SLOT)
        generation = make_base_backup(self._server, self._directory)
        for old in generations(self._directory):
            if old not in (former, generation):
                shutil.rmtree(old)
        return generation / "wal"

    def _keep_receiving(self, wal: Path) -> None:
        """Start the receiver again whenever it ends: without it nothing is acknowledged."""
        place = self._server.place
        command = [
            str(self._server.bin("pg_receivewal")), "-D", str(wal), "--synchronous", "--no-loop", f"--slot={RECEIVER}",
            "--status-interval=1", "-d", f"host={place.sockets} user=postgres application_name={RECEIVER}",
        ]
        while not self._ending.is_set():
            if self._receiver is None or self._receiver.poll() is not None:
                with place.log.open("ab") as log:
                    self._receiver = subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_ENVIRONMENT
                    )
            self._ending.wait(_LOOK_EVERY_S)


def _end_left_behind(wal: Path) -> None:
    """End receivers into this directory whose supervisor was killed: two cannot write one log."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"/pg_receivewal") and str(wal).encode() in words:
                os.kill(int(entry.name), signal.SIGTERM)


def forget_archive(server: Server) -> None:
    """Let a server that keeps no archive any more wait for nobody, and keep no log for it."""
    if server.query(_HAS_SLOT) == "1":
        server.query(_WAIT_NO_MORE)
        server.query(_RELOAD)
        server.query(_DROP_SLOT)


def make_base_backup(server: Server, directory: Path) -> Path:
    """Make a base backup of a running server as a new generation of ``directory`` and return that.

    The backup holds the log it needs to be whole by itself, and a manifest with digests.

    Raises:
        PostgresFailed: it could not be made; nothing that was there before is changed.
    """
    make_closed(directory, uid=None, gid=None)
    number = max((int(g.name) for g in generations(directory)), default=0) + 1
    unfinished, generation = directory / f"{number}.unfinished", directory / str(number)
    if unfinished.exists():
        shutil.rmtree(unfinished)
    for made in (unfinished, unfinished / "wal"):
        make_closed(made, uid=None, gid=None)
    where = f"host={server.place.sockets} user=postgres"
    base_backup(server.bin("pg_basebackup"), where, unfinished / "base", environment=_ENVIRONMENT)
    (unfinished / "system").write_text(server.query(_SYSTEM) + "\n", encoding="utf-8")
    unfinished.rename(generation)
    point_to(directory, number)
    return generation


def base_backup(program: Path, where: str, target: Path, *, environment: Mapping[str, str]) -> None:
    """Run pg_basebackup; what it makes is whole by itself and has a manifest with digests.

    Raises:
        PostgresFailed: it failed; the text is what it said.
    """
    done = subprocess.run(
        [str(program), "-d", where, "-D", str(target), "-X", "stream", "-c", "fast", "--manifest-checksums=SHA256",
         "--no-password"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=dict(environment),
    )
    if done.returncode != 0:
        raise PostgresFailed(f"备份没有完成：{done.stderr.strip()[-1500:]}")


def point_to(directory: Path, number: int) -> None:
    """Make a generation the current one, in one step."""
    pointer = directory / "current.new"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    pointer.rename(directory / "current")


def generations(directory: Path) -> list[Path]:
    """Return the complete generations of an archive, the oldest first."""
    found = (g for g in directory.iterdir() if g.name.isdecimal()) if directory.is_dir() else iter(())
    return sorted(found, key=lambda g: int(g.name))


def current_generation(directory: Path) -> Path | None:
    """Return the newest complete generation of an archive, None if there is none."""
    pointer = directory / "current"
    if not pointer.is_file():
        return None
    generation = directory / pointer.read_text(encoding="utf-8").strip()
    return generation if (generation / "base" / "PG_VERSION").is_file() else None
