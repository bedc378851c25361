"""${message}"""

from __future__ import annotations

from alembic import op

from yibao.infra.migrations.scripts import run_scripts

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Say what this revision makes."""
    run_scripts(op.get_bind(), "${up_revision}_.sql")


def downgrade() -> None:
    """Refuse: money is never migrated backwards; restore a backup instead."""
    raise NotImplementedError("there is no way back; restore a backup")
