"""Alembic's environment: one transaction on the connection that ``yibao.infra.migrate`` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

# Any constant will do as long as nothing else locks it: two migrators of one database queue here.
_MIGRATION_LOCK = 708_451_202


def run() -> None:
    """Run the wanted migrations."""
    connection: Connection | None = context.config.attributes["connection"]
    if connection is None:
        raise RuntimeError("run migrations with `yibao migrate`, not with alembic's own command")
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    context.configure(connection=connection, target_metadata=None, version_table="schema_version")
    context.run_migrations()


run()
