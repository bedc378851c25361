"""The data directory is lost under load; what was acknowledged is there again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app
from yibao.infra.archive import Archive, make_base_backup
from yibao.infra.backup import back_up_url, restore
from yibao.infra.postgres import EmbeddedPostgres, PostgresFailed

WRITERS = 6


@pytest.fixture
def room() -> Iterator[Path]:
    """Return a directory that PostgreSQL's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="yibao-backup-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def everything(url: str) -> set[int]:
    async def run() -> set[int]:
        connection = await asyncpg.connect(url)
        try:
            return {row[0] for row in await connection.fetch("select n from paid")}
        finally:
            await connection.close()

    return asyncio.run(run())


def do(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for sql in statements:
                await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


async def pay_until_lost(url: str, server: EmbeddedPostgres, *, after: int) -> set[int]:
    """Write from several connections; after so many acknowledged rows the server is killed. Return the acknowledged."""
    acknowledged: set[int] = set()
    enough = asyncio.Event()

    async def write(writer: int) -> None:
        connection = await asyncpg.connect(url)
        n = writer
        try:
            while True:
                await connection.execute("insert into paid values ($1)", n)
                acknowledged.add(n)
                if len(acknowledged) >= after:
                    enough.set()
                n += WRITERS
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            return

    writers = [asyncio.create_task(write(w)) for w in range(WRITERS)]
    await asyncio.wait_for(enough.wait(), 60)
    await asyncio.to_thread(server.kill)
    await asyncio.gather(*writers)
    return acknowledged


def test_every_acknowledged_row_survives_the_loss_of_the_data_directory(room: Path) -> None:
    home, archive = room / "home", room / "archive"
    server = EmbeddedPostgres(home, archive=archive)
    url = server.start()
    do(url, "create table paid (n bigint primary key)")
    acknowledged = asyncio.run(pay_until_lost(url, server, after=400))
    server.stop()
    shutil.rmtree(server.place.data)

    told = restore(archive, home)
    assert told.log_files >= 1
    assert told.seconds > 0
    assert told.last_commit_at.startswith("20")
    with EmbeddedPostgres(home) as again:
        found = everything(again.url_for("yibao"))
    assert len(acknowledged) >= 400
    assert acknowledged <= found
    # What was under way and not acknowledged may be there or not: at most one row for each writer.
    assert len(found - acknowledged) <= WRITERS


def test_nothing_is_acknowledged_while_the_archive_does_not_have_it(room: Path) -> None:
    with EmbeddedPostgres(room / "home", archive=room / "archive") as server:
        url = server.url_for("yibao")
        do(url, "create table paid (n bigint primary key)")
        receiver = int(server.query(
            "select pid from pg_stat_replication where application_name = 'yibao_archive' and sync_state = 'sync'"
        ))
        assert receiver > 0
        outside = only_child("pg_receivewal", str(room))
        os.kill(outside, signal.SIGSTOP)
        try:
            answered, waiting = asyncio.run(pay_while_stopped(url, server, outside))
        finally:
            os.kill(outside, signal.SIGCONT)
        assert (answered, waiting) == (False, "SyncRep")
        assert everything(url) == {1}


def test_a_receiver_whose_supervisor_was_killed_is_replaced(room: Path) -> None:
    with EmbeddedPostgres(room / "home") as server:
        # Started without an archive, the server is told by its command line to wait for nobody.
        refused = Archive(room / "refused", server, patience_s=3.0)
        with pytest.raises(PostgresFailed, match="不带归档"):
            refused.begin()
        server.stop()
        refused.end()
    with EmbeddedPostgres(room / "home", archive=room / "archive") as server:
        first = only_child("pg_receivewal", str(room / "archive"))
        abandoned = server._archive
        assert abandoned is not None
        assert abandoned._watcher is not None
        abandoned._ending.set()
        abandoned._watcher.join()
        server._archive = second = Archive(room / "archive", server)
        second.begin()
        do(server.url_for("yibao"), "create table paid (n bigint primary key)", "insert into paid values (1)")
        assert only_child("pg_receivewal", str(room / "archive")) != first


async def pay_while_stopped(url: str, server: EmbeddedPostgres, outside: int) -> tuple[bool, str]:
    """Commit while the receiver stands still; say whether that was answered and what it waited for, then let it go on."""
    payer = await asyncpg.connect(url)
    try:
        paying = asyncio.create_task(payer.execute("insert into paid values (1)"))
        await asyncio.sleep(0)
        waits = "select coalesce(max(wait_event), '') from pg_stat_activity where wait_event = 'SyncRep'"
        watched = ""
        for _ in range(200):
            watched = await asyncio.to_thread(server.query, waits)
            if watched:
                break
        answered = paying.done()
        os.kill(outside, signal.SIGCONT)
        await asyncio.wait_for(paying, 30)
        return answered, watched
    finally:
        await payer.close()


def only_child(program: str, mentions: str) -> int:
    """Return the id of the one running process of a program whose arguments mention a directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(program.encode()) and any(mentions.encode() in w for w in words):
            found.append(int(entry.name))
    (one,) = found
    return one


def test_a_backup_restores_to_its_moment_and_into_no_living_database(room: Path) -> None:
    home, archive = room / "home", room / "archive"
    with EmbeddedPostgres(home) as server:
        url = server.url_for("yibao")
        do(url, "create table paid (n bigint primary key)", "insert into paid values (1)")
        generation = make_base_backup(server, archive)
        do(url, "insert into paid values (2)")
        with pytest.raises(PostgresFailed, match="正在运行"):
            restore(archive, home, replace=True)
    assert generation.name == "1"
    with pytest.raises(PostgresFailed, match="已有数据库"):
        restore(archive, home)
    assert restore(archive, home, replace=True).generation == 1
    with EmbeddedPostgres(home) as again:
        assert everything(again.url_for("yibao")) == {1}
        assert (again.place.root / "data.replaced-1" / "PG_VERSION").exists()
        do(again.url_for("yibao"), "insert into paid values (3)")


def test_an_altered_backup_is_refused(room: Path) -> None:
    home, archive = room / "home", room / "archive"
    with EmbeddedPostgres(home) as server:
        do(server.url_for("yibao"), "create table paid (n bigint primary key)")
        generation = make_base_backup(server, archive)
    victim = generation / "base" / "global" / "pg_control"
    content = bytearray(victim.read_bytes())
    content[100] ^= 1
    victim.write_bytes(content)
    with pytest.raises(PostgresFailed, match="global/pg_control"):
        restore(archive, room / "elsewhere")
    with pytest.raises(PostgresFailed, match="没有完整的备份"):
        restore(room / "nothing", room / "elsewhere")


def test_an_archive_goes_on_after_a_restart_and_begins_anew_after_a_restore(room: Path) -> None:
    home, archive = room / "home", room / "archive"
    with EmbeddedPostgres(home, archive=archive) as server:
        do(server.url_for("yibao"), "create table paid (n bigint primary key)", "insert into paid values (1)")
    with EmbeddedPostgres(home, archive=archive) as server:
        do(server.url_for("yibao"), "insert into paid values (2)")
        data = server.place.data
    assert (archive / "current").read_text() == "1\n"
    shutil.rmtree(data)
    restore(archive, home)
    with EmbeddedPostgres(home, archive=archive) as server:
        assert everything(server.url_for("yibao")) == {1, 2}
        do(server.url_for("yibao"), "insert into paid values (3)")
    assert (archive / "current").read_text() == "2\n"
    shutil.rmtree(data)
    restore(archive, home)
    with EmbeddedPostgres(home) as server:
        assert everything(server.url_for("yibao")) == {1, 2, 3}
        # Nobody waits for a receiver, and no log is kept for one, once no archive is asked for.
        assert server.query("show synchronous_standby_names") == ""
        assert server.query("select count(*) from pg_replication_slots") == "0"


def test_any_postgresql_is_backed_up_by_its_address(room: Path) -> None:
    with EmbeddedPostgres(room / "home") as server:
        do(server.url_for("yibao"), "create table paid (n bigint primary key)", "insert into paid values (7)")
        generation = back_up_url(server.admin_url_for("postgres"), room / "archive")
        with pytest.raises(PostgresFailed, match="REPLICATION"):
            back_up_url(server.url_for("yibao"), room / "refused")
    assert (generation / "base" / "backup_manifest").exists()
    restore(room / "archive", room / "other")
    with EmbeddedPostgres(room / "other") as server:
        assert everything(server.url_for("yibao")) == {7}


def test_the_commands_say_what_they_did(room: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("YIBAO_")} | {"YIBAO_HOME": str(room / "home")}

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(app, [*words, "--json"], env={**env, "YIBAO_DATABASE_URL": ""})
        return result.exit_code, json.loads(result.stdout)

    code, said = run("backup", str(room / "archive"))
    assert (code, said["kind"]) == (3, "unavailable")
    with EmbeddedPostgres(room / "home") as server:
        do(server.url_for("yibao"), "create table paid (n bigint primary key)")
    code, said = run("backup", str(room / "archive"))
    assert (code, said["ok"]) == (0, True)
    code, said = run("restore", str(room / "archive"))
    assert (code, said["kind"]) == (3, "unavailable")
    code, said = run("restore", str(room / "archive"), "--replace")
    assert (code, said["restored"]["generation"]) == (0, 1)
