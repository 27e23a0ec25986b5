"""By which experiment a page was made and what the viewer got by it, and whether anybody was there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SPEAKING = sa.text("NOT simulated AND kind NOT IN ('impression', 'click', 'vote')")
VOTES = sa.text("NOT simulated AND kind = 'vote'")
TRIED = sa.text("experiment IS NOT NULL")


def upgrade() -> None:
    """Add the columns; what was stored before is real and of no experiment. The indexes leave out what is simulated."""
    op.add_column("events", sa.Column("experiment", sa.String(64)))
    op.add_column("events", sa.Column("arm", sa.Text))
    op.add_column("events", sa.Column("simulated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.drop_index("events_speaking", "events")
    op.drop_index("events_votes", "events")
    op.create_index("events_speaking", "events", ["viewer", "seq"], sqlite_where=SPEAKING, postgresql_where=SPEAKING)
    op.create_index("events_votes", "events", ["viewer"], sqlite_where=VOTES, postgresql_where=VOTES)
    op.create_index("events_experiment", "events", ["experiment", "seq"], sqlite_where=TRIED, postgresql_where=TRIED)
