"""Make and drop the tests' databases with psql, as the owning role, which is no superuser."""

from __future__ import annotations

import subprocess

from yibao.infra.postgres_place import wheel_binaries


def execute(url: str, *statements: str) -> None:
    """Run statements one after the other, each in a transaction of its own; the first failure ends it."""
    commands = [part for sql in statements for part in ("-c", sql)]
    subprocess.run(
        [wheel_binaries() / "psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", url, *commands],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )


def named(server_url: str, database: str) -> str:
    """Return the URL of a database on the server of another database's URL."""
    base, _, query = server_url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{database}?{query}"


def drop_database(server_url: str, name: str) -> None:
    """End the connections to a database and drop it.

    Not ``with (force)``: that fails for a role that is no superuser while an autovacuum worker is at work
    there, which the plain form sends away by itself.
    """
    execute(
        server_url,
        f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}' and usename = current_user",
        f"drop database {name}",
    )
