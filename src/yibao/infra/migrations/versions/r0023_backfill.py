"""Settling afterwards what a window held up."""

from __future__ import annotations

from alembic import op

from yibao.infra.migrations.scripts import run_scripts

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the script, then secure every table it made."""
    run_scripts(op.get_bind(), "0023_backfill.sql", "secure_new_tables.sql")


def downgrade() -> None:
    """Refuse: money is never migrated backwards; restore a backup instead."""
    raise NotImplementedError("there is no way back from 0023; restore a backup")
