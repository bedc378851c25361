"""A small supervisor of the embedded PostgreSQL: real, durable, on this machine only.

The server runs as our own foreground child that we wait for, so that a killed one never lingers as
a zombie that looks alive. It listens on a Unix socket in a closed directory, never on TCP.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from yibao.infra.archive import Archive, forget_archive
from yibao.infra.postgres_place import Place, PostgresFailed, choose_place
from yibao.infra.postgres_processes import (
    children_of,
    end,
    end_adopted,
    is_running,
    pause,
    postmaster_pid,
    process_state,
    tail,
    wait_until,
)

__all__ = ["EmbeddedPostgres", "PostgresFailed"]

OWNER = "yibao"
DATABASE = "yibao"
_HAS_OWNER = "select 1 from pg_roles where rolname = 'yibao'"
_HAS_DATABASE = "select 1 from pg_database where datname = 'yibao'"
_SUPERUSER = "postgres"
_START_WITHIN_S = 15.0
_RECOVER_WITHIN_S = 600.0
_ZOMBIE_PATIENCE_S = 3.0

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
    "cluster_name": "yibao",
}


class EmbeddedPostgres:
    """The PostgreSQL of one home directory.

    Exactly one process supervises it (it holds a record lock); others that start the same home
    use the running server and leave it running.
    """

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, archive: Path | None = None,
        leaves_archive: bool = False,
    ) -> None:
        """Prepare, without touching anything, the server of ``home`` with extra server settings.

        Args:
            archive: directory where every commit is received before it is acknowledged, see ``infra/archive.py``.
            leaves_archive: for work beside the service: an archive that the cluster has is neither kept nor ended.
        """
        self._home = home
        self._settings = {**_SETTINGS, **(settings or {})}
        if archive is None:
            # Without an archive nobody must wait for its receiver, whatever was set at the last start.
            self._settings.setdefault("synchronous_standby_names", "")
        self._archive = None if archive is None else Archive(archive, self)
        self._leaves_archive = leaves_archive
        self._place: Place | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None
        self._lock: int | None = None

    # ── use ──

    def exists(self) -> bool:
        """Say whether this home already holds a cluster."""
        return (self.place.data / "PG_VERSION").exists()

    def start(self) -> str:
        """Make the cluster if there is none, start or adopt the server, and return the URL of its database.

        Raises:
            PostgresFailed: the server ends again and again for 15 seconds, or recovers for more than 10 minutes;
            the text ends with its last words.
        """
        if not self._supervise():
            self._wait_for_the_other()
            return self.url_for(DATABASE)
        try:
            self._start_or_adopt()
            self._begin_archive()
        except BaseException:
            self.stop()
            raise
        return self.url_for(DATABASE)

    def stop(self) -> None:
        """Stop the server cleanly if we supervise it; committed work is on disk either way."""
        if self._child is not None:
            end(self._child)
        elif self._adopted is not None:
            end_adopted(self._adopted, self.place.data)
        self._child = self._adopted = None
        if self._archive is not None:
            self._archive.end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """Kill -9 every process of the server, as a crash would, and reap it."""
        pid = self._child.pid if self._child else self._adopted or postmaster_pid(self.place.data)
        if pid is None:
            return
        victims = [pid, *children_of(pid)]
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        if self._child is not None:
            self._child.wait()
        wait_until(lambda: not any(is_running(victim) for victim in victims), within_s=5.0)
        self._child = self._adopted = None
        if self._archive is not None:
            self._archive.end()

    def url_for(self, dbname: str) -> str:
        """Return the URL of a database for the owning role, which is no superuser."""
        return self._url(OWNER, dbname)

    def admin_url_for(self, dbname: str) -> str:
        """Return the URL of a database for the server's superuser."""
        return self._url(_SUPERUSER, dbname)

    def query(self, sql: str) -> str:
        """Ask the server as its superuser and return what psql prints.

        Raises:
            PostgresFailed: the server does not answer or refuses.
        """
        return self._psql(sql)

    def is_answering(self) -> bool:
        """Say whether the server of this home runs, whoever supervises it."""
        return self._answers()

    def supervise(self) -> None:
        """Keep everybody else from starting this home until ``stop``.

        Raises:
            PostgresFailed: somebody else supervises it.
        """
        if not self._supervise():
            raise PostgresFailed(f"另一个进程正在管理 {self.place.root} 中的数据库，请先停止服务")

    def bin(self, name: str) -> Path:
        """Return the path of a PostgreSQL program such as ``psql`` or ``pgbench``."""
        return self.place.binaries / name

    @property
    def place(self) -> Place:
        """Return the server's directories and user, made on first use."""
        if self._place is None:
            self._place = choose_place(self._home)
        return self._place

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ── steps ──

    def _start_or_adopt(self) -> None:
        if not self.exists():
            self._initialise()
        if self._child is None or self._child.poll() is not None:
            self._spawn_unless_it_answers()
        self._make_owner_and_database()

    def _begin_archive(self) -> None:
        if self._archive is not None:
            self._archive.begin()
        elif not self._leaves_archive:
            forget_archive(self)

    def _supervise(self) -> bool:
        """Take the supervisor's lock: a record lock, which our forks do not share and our death frees."""
        if self._lock is not None:
            return True
        lock = os.open(self.place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _wait_for_the_other(self) -> None:
        if not wait_until(self._has_database, within_s=_START_WITHIN_S):
            raise PostgresFailed(
                f"另一个进程正在管理 {self.place.root} 中的数据库，但数据库没有应答；"
                f"请结束那个进程，原因见 {self.place.log}"
            )

    def _initialise(self) -> None:
        """Run initdb beside the final place and move it there, so that a half-made cluster is never used."""
        place = self.place
        unfinished = place.root / "data.unfinished"
        if unfinished.exists():
            self._run(["/bin/rm", "-rf", str(unfinished)])
        self._run([
            str(self.bin("initdb")), "-D", str(unfinished), "--locale=C", "--encoding=UTF8", "--auth=trust",
            f"--username={_SUPERUSER}", "--data-checksums", "--no-instructions",
        ])
        unfinished.rename(place.data)

    def _spawn_unless_it_answers(self) -> None:
        """Start the server, again for 15 s if need be: a dead predecessor may linger in the process table.

        A server that somebody left behind is adopted once it answers. One of ours that runs but does not
        answer yet is recovering, which takes as long as it takes: it is left to it.
        """
        began = time.monotonic()
        while time.monotonic() - began < _START_WITHIN_S:
            self._child, self._adopted = None, postmaster_pid(self.place.data)
            if self._adopted is not None and self._answers():
                return
            self._adopted = None
            self._drop_stale_pid_file(patience_over=time.monotonic() - began > _ZOMBIE_PATIENCE_S)
            self._child = child = self._spawn()
            if self._answers_while_running(child):
                return
            end(child)
            pause(0.3)
        raise PostgresFailed(f"PostgreSQL 没有启动，它最后说：\n{tail(self.place.log)}")

    def _answers_while_running(self, child: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _RECOVER_WITHIN_S
        while child.poll() is None and time.monotonic() < deadline:
            if postmaster_pid(self.place.data) == child.pid and self._answers():
                return True
            pause(0.03)
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        place = self.place
        command = [str(self.bin("postgres")), "-D", str(place.data), "-k", str(place.sockets)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with place.log.open("ab") as log:
            # Its own session: a Ctrl-C at the terminal reaches us, and we stop it after our server.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self._as_user(),
            )

    def _drop_stale_pid_file(self, *, patience_over: bool) -> None:
        """Remove a postmaster.pid whose number now belongs to another program, or to a lasting zombie."""
        pid = postmaster_pid(self.place.data)
        if pid is None:
            return
        state = process_state(pid)
        if state is None:
            return
        name, letter = state
        if name != "postgres" or (letter == "Z" and patience_over):
            (self.place.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_owner_and_database(self) -> None:
        """Make the owning role, which is no superuser, and its database, if they are not there."""
        if self._psql(_HAS_OWNER) != "1":
            self._psql(f"create role {OWNER} login createdb createrole")
        if self._psql(_HAS_DATABASE) != "1":
            self._psql(f"create database {DATABASE} owner {OWNER}")

    def _has_database(self) -> bool:
        return self._ask(_HAS_DATABASE) == "1"

    def _answers(self) -> bool:
        """Say whether a real connection reaches the server of exactly this data directory."""
        return self._ask("show data_directory") == str(self.place.data)

    def _ask(self, sql: str) -> str | None:
        try:
            return self._psql(sql)
        except PostgresFailed:
            return None

    def _psql(self, sql: str) -> str:
        return self._run([
            str(self.bin("psql")), "-XAtqw", "-v", "ON_ERROR_STOP=1", "-h", str(self.place.sockets),
            "-U", _SUPERUSER, "-d", "postgres", "-c", sql,
        ]).strip()

    def _run(self, command: list[str]) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self._as_user()
        )
        if done.returncode != 0:
            raise PostgresFailed(f"{Path(command[0]).name} 失败：{done.stderr.strip()[-2000:]}")
        return done.stdout

    def _as_user(self) -> dict[str, Any]:
        place = self.place
        # A fixed small environment: PGPORT, PGHOST and locales of the caller must not reach the server.
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        options: dict[str, Any] = {"cwd": str(place.root), "env": environment}
        if place.uid is not None:
            options |= {"user": place.uid, "group": place.gid, "extra_groups": []}
        return options

    def _url(self, role: str, dbname: str) -> str:
        return f"postgresql://{role}@/{quote(dbname)}?host={quote(str(self.place.sockets), safe='/')}"
