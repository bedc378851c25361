"""Episodes of care that a window holds up."""

from __future__ import annotations

from alembic import op

from yibao.infra.migrations.scripts import run_scripts

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the script, then secure every table it made."""
    run_scripts(op.get_bind(), "0021_episodes.sql", "secure_new_tables.sql")


def downgrade() -> None:
    """Refuse: money is never migrated backwards; restore a backup instead."""
    raise NotImplementedError("there is no way back from 0021; restore a backup")
