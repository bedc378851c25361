"""Back up a database into an archive, and bring one back from it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from yibao.infra.archive import base_backup, current_generation, generations, make_base_backup, point_to
from yibao.infra.postgres import EmbeddedPostgres
from yibao.infra.postgres_place import PostgresFailed, choose_place, make_closed, wheel_binaries

_RECOVERS_WITHIN_S = 6 * 3600.0
_LAST_REPLAYED = "select coalesce(pg_last_xact_replay_timestamp()::text, '')"


class Restored(msgspec.Struct, frozen=True):
    """What was brought back: from where, how many files of the log were at hand, the last commit found, how long it took."""

    archive: str
    generation: int
    log_files: int
    last_commit_at: str
    seconds: float


def back_up_home(home: Path, directory: Path) -> Path:
    """Back up the running or stopped embedded database of ``home``; return the new generation.

    Raises:
        PostgresFailed: there is no database, or the backup could not be made.
    """
    server = EmbeddedPostgres(home, leaves_archive=True)
    if not server.exists():
        raise PostgresFailed(f"{home} 里没有数据库")
    with server:
        return make_base_backup(server, directory.resolve())


def back_up_url(url: str, directory: Path) -> Path:
    """Back up any PostgreSQL by URL, with a role that may replicate; return the new generation.

    Raises:
        PostgresFailed: the backup could not be made; the text is what pg_basebackup said, without the password.
    """
    directory = directory.resolve()
    make_closed(directory, uid=None, gid=None)
    number = max((int(g.name) for g in generations(directory)), default=0) + 1
    unfinished, generation = directory / f"{number}.unfinished", directory / str(number)
    if unfinished.exists():
        shutil.rmtree(unfinished)
    for made in (unfinished, unfinished / "wal"):
        make_closed(made, uid=None, gid=None)
    parts = urlsplit(url)
    # The password goes through the environment: command lines can be read by others.
    environment = {**os.environ, **({"PGPASSWORD": unquote(parts.password)} if parts.password else {})}
    user, _, place = parts.netloc.rpartition("@")
    bare = urlunsplit(parts._replace(netloc=f"{user.split(':', 1)[0]}@{place}" if user else place))
    try:
        base_backup(wheel_binaries() / "pg_basebackup", bare, unfinished / "base", environment=environment)
    except PostgresFailed as error:
        shutil.rmtree(unfinished)
        raise PostgresFailed(f"{error}；数据库用户须有 REPLICATION 权限") from error
    unfinished.rename(generation)
    point_to(directory, number)
    return generation


def restore(directory: Path, home: Path, *, replace: bool = False) -> Restored:
    """Bring the embedded database of ``home`` back from an archive: the base backup and all of the log that was received.

    The archive is checked against its digests first and only read. An existing database is refused, or (``replace``) kept
    beside the new one as ``data.replaced-<n>``. The database is stopped when this returns; an archive that is kept with it
    begins a new generation at its next start.

    Raises:
        PostgresFailed: there is no complete backup, it was altered, a database is in the way, or recovery failed.
    """
    began = time.monotonic()
    generation = current_generation(directory.resolve())
    if generation is None:
        raise PostgresFailed(f"{directory} 里没有完整的备份")
    server = EmbeddedPostgres(home, settings={"synchronous_standby_names": ""}, leaves_archive=True)
    _check(server, generation)
    place = choose_place(home)
    server.supervise()
    log = place.root / "restore-log"
    try:
        _clear_the_way(server, place.data, replace=replace)
        files = _copy(generation, place.root / "data.unfinished", log, uid=place.uid, gid=place.gid)
        (place.root / "data.unfinished").rename(place.data)
        last = _recover(home, log)
    finally:
        shutil.rmtree(log, ignore_errors=True)
        server.stop()
    return Restored(str(directory), int(generation.name), files, last, round(time.monotonic() - began, 1))


def _check(server: EmbeddedPostgres, generation: Path) -> None:
    version = (generation / "base" / "PG_VERSION").read_text(encoding="utf-8").strip()
    ours = _major(server)
    if version != ours:
        raise PostgresFailed(f"备份来自 PostgreSQL {version}，内置数据库为 {ours}，请用相同版本恢复")
    altered = _altered(generation / "base")
    if altered:
        raise PostgresFailed(f"备份 {generation} 与其摘要不符，可能被改动或损坏：{'、'.join(altered[:5])}")


def _altered(base: Path) -> list[str]:
    """Return the files of a backup that differ from its manifest; by ourselves, not every build has pg_verifybackup."""
    try:
        files = json.loads((base / "backup_manifest").read_bytes())["Files"]
    except (OSError, ValueError, KeyError):
        return ["backup_manifest"]
    found = []
    for file in files:
        path = base / file["Path"]
        if not path.is_file():
            found.append(file["Path"])
            continue
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, file["Checksum-Algorithm"].lower()).hexdigest()
        if digest != file["Checksum"]:
            found.append(file["Path"])
    return found


def _major(server: EmbeddedPostgres) -> str:
    done = subprocess.run([str(server.bin("postgres")), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1].split(".")[0]


def _clear_the_way(server: EmbeddedPostgres, data: Path, *, replace: bool) -> None:
    if not data.exists():
        return
    if server.is_answering():
        raise PostgresFailed(f"{data} 的数据库正在运行，请先停止服务")
    if not replace:
        raise PostgresFailed(f"{data} 已有数据库；确要替换请加 --replace，原有目录会改名保留")
    number = 1
    while (kept := data.with_name(f"data.replaced-{number}")).exists():
        number += 1
    data.rename(kept)


def _copy(generation: Path, data: Path, log: Path, *, uid: int | None, gid: int | None) -> int:
    """Copy base and log to where the server can read them, and return the number of log files."""
    for left in (data, log):
        if left.exists():
            shutil.rmtree(left)
    shutil.copytree(generation / "base", data, symlinks=True)
    make_closed(log, uid=uid, gid=gid)
    files = 0
    for segment in sorted((generation / "wal").iterdir()):
        # The segment being written when the server was lost is as good as a full one: its end is zeros.
        target = log / segment.name.removesuffix(".partial")
        if segment.suffix in (".gz", ".lz4") or (segment.suffix == ".partial" and target.exists()):
            continue
        shutil.copyfile(segment, target)
        files += 1
    (data / "recovery.signal").touch()
    data.chmod(0o700)
    if uid is not None and gid is not None:
        for path in (data, log, *data.rglob("*"), *log.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)
    return files


def _recover(home: Path, log: Path) -> str:
    """Replay the log to its end and return the instant of the last commit found."""
    settings = {"restore_command": f'cp "{log}/%f" "%p"', "synchronous_standby_names": ""}
    last = ""
    with EmbeddedPostgres(home, settings=settings, leaves_archive=True) as server:
        deadline = time.monotonic() + _RECOVERS_WITHIN_S
        while server.query("select pg_is_in_recovery()") == "t":
            last = server.query(_LAST_REPLAYED) or last
            if time.monotonic() > deadline:
                raise PostgresFailed(f"恢复没有在 {_RECOVERS_WITHIN_S / 3600:.0f} 小时内完成，原因见 {server.place.log}")
            threading.Event().wait(0.05)
        last = server.query(_LAST_REPLAYED) or last
        server.query("alter system reset synchronous_standby_names")
    return last
