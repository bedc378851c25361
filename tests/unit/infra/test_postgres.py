"""The embedded server: starts, survives a crash, is shared, stops; nothing committed is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from yibao.infra import postgres_place
from yibao.infra.postgres import EmbeddedPostgres


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's own user may enter; pytest's tmp_path is closed to others."""
    directory = Path(tempfile.mkdtemp(prefix=f"yibao-tests-{os.getpid()}-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


async def _run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def run(url: str, sql: str) -> object:
    return asyncio.run(_run(url, sql))


def test_committed_rows_survive_killing_every_process(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory / "home") as server:
        url = server.url_for("yibao")
        run(url, "create table kept (n integer)")
        for n in range(3):
            run(url, f"insert into kept values ({n})")
            server.kill()
            assert server.start() == url
            assert run(url, "select count(*) from kept") == n + 1


def test_rows_are_there_at_the_next_start_and_programs_can_be_found(open_directory: Path) -> None:
    first = EmbeddedPostgres(open_directory / "home")
    run(first.start(), "create table kept (n integer)")
    first.stop()
    with EmbeddedPostgres(open_directory / "home") as again:
        assert run(again.url_for("yibao"), "select count(*) from kept") == 0
        assert subprocess.run([again.bin("pgbench"), "--version"], capture_output=True, check=True).stdout


def test_it_is_durable_checksummed_and_not_on_tcp(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory / "home") as server:
        url = server.url_for("yibao")
        wanted = {
            "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
            "listen_addresses": "", "server_encoding": "UTF8",
        }
        assert {name: run(url, f"show {name}") for name in wanted} == wanted
        assert server.place.sockets.stat().st_mode & 0o077 == 0


def test_a_long_home_gets_a_short_socket_path(open_directory: Path) -> None:
    home = open_directory / ("很长的目录名" * 10)
    with EmbeddedPostgres(home) as server:
        assert run(server.url_for("yibao"), "select 1") == 1
        assert len(bytes(server.place.sockets / ".s.PGSQL.5432")) < 104
        sockets = server.place.sockets
    shutil.rmtree(sockets)


OTHER_PROCESS = """
import sys
from pathlib import Path
from yibao.infra import postgres_place
from yibao.infra.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
server.stop()
"""


def start_other_process(home: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline().startswith("postgresql://")
    return other


def test_a_second_process_uses_the_server_and_leaves_it_running(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory / "home") as server:
        other = start_other_process(open_directory / "home")
        other.communicate("\n")
        assert other.returncode == 0
        assert run(server.url_for("yibao"), "select 1") == 1


def test_a_server_whose_supervisor_was_killed_is_adopted_and_stopped(open_directory: Path) -> None:
    other = start_other_process(open_directory / "home")
    other.kill()
    other.communicate()
    server = EmbeddedPostgres(open_directory / "home")
    url = server.start()
    assert run(url, "select 1") == 1
    server.stop()
    assert not (server.place.data / "postmaster.pid").exists()


def test_a_pid_file_of_another_program_is_no_obstacle(open_directory: Path) -> None:
    server = EmbeddedPostgres(open_directory / "home")
    server.start()
    server.kill()
    pid_file = server.place.data / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    try:
        assert run(server.start(), "select 1") == 1
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change its user")
def test_root_with_a_closed_environment_runs_copied_binaries(
    open_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = postgres_place.wheel_binaries().parent
    closed = tmp_path / "site-packages" / original.parent.name / original.name
    shutil.copytree(original, closed, symlinks=True)
    shutil.copytree(original.parents[1] / f"{original.parent.name}.libs",
                    tmp_path / "site-packages" / f"{original.parent.name}.libs")
    tmp_path.chmod(0o700)
    monkeypatch.setattr(postgres_place, "wheel_binaries", lambda: closed / "bin")
    with EmbeddedPostgres(open_directory / "home") as server:
        assert open_directory in server.bin("postgres").parents
        assert run(server.url_for("yibao"), "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change its user")
def test_root_with_a_closed_home_gets_a_place_outside_and_keeps_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with EmbeddedPostgres(home) as server:
        root = server.place.root
        assert home not in root.parents
        assert run(server.url_for("yibao"), "select 1") == 1
    assert (home / "postgres.location").read_text().strip() == str(root)
    assert EmbeddedPostgres(home).place.root == root
    shutil.rmtree(root)
