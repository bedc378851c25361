"""Pharmacy sales, prescriptions, stock and traceability codes."""

from __future__ import annotations

from alembic import op

from yibao.infra.migrations.scripts import run_scripts

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the script, then secure every table it made."""
    run_scripts(op.get_bind(), "0004_dispensing.sql", "secure_new_tables.sql")


def downgrade() -> None:
    """Refuse: money is never migrated backwards; restore a backup instead."""
    raise NotImplementedError("there is no way back from 0004; restore a backup")
