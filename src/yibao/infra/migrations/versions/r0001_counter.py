"""The counter: people, institutions, catalogue, encounters, settlements, ledger, messages, audit."""

from __future__ import annotations

from alembic import op

from yibao.infra.migrations.scripts import run_scripts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all schemas, rights and functions."""
    run_scripts(op.get_bind(), "0001_tables.sql", "0001_rights.sql", "0001_functions.sql")


def downgrade() -> None:
    """Refuse: money is never migrated backwards; restore a backup instead."""
    raise NotImplementedError("there is no way back from 0001; restore a backup")
