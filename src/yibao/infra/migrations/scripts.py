"""Runs the SQL files of a revision as they are: many statements, no parameters."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from sqlalchemy import Connection


def run_scripts(bind: Connection, *names: str) -> None:
    """Run the named files of ``migrations/sql`` in order, inside the revision's transaction."""
    for name in names:
        script = files("yibao.infra.migrations").joinpath("sql", name).read_text(encoding="utf-8")
        # The driver's simple protocol takes a whole script; SQLAlchemy would split and prepare it.
        bind.exec_driver_sql("select 1")
        adapted: Any = bind.connection.dbapi_connection
        adapted.run_async(lambda connection, script=script: connection.execute(script))
