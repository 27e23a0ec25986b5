"""When a viewer that somebody made of themselves was last made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; who was stored before counts as never changed."""
    op.add_column("people", sa.Column("changed", sa.Double, nullable=False, server_default="0"))
