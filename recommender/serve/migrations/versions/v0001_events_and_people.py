"""The first tables: events, and the people who made a viewer of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SPEAKING = sa.text("kind NOT IN ('impression', 'click', 'vote')")
VOTES = sa.text("kind = 'vote'")


def upgrade() -> None:
    """Make both tables and the indexes of the first."""
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("viewer", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("film", sa.BigInteger),
        sa.Column("stars", sa.Double),
        sa.Column("target", sa.String(64)),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("recommendation", sa.String(64)),
        sa.Column("row", sa.Text),
        sa.Column("position", sa.Integer),
        sa.Column("model", sa.Text),
        sa.Column("score", sa.Double),
        sa.Column("propensity", sa.Double),
        sa.Column("time_of_day", sa.String(16)),
        sa.Column("device", sa.String(16)),
        sa.Column("seen_device", sa.String(16)),
        sa.Column("local_hour", sa.Integer),
        sa.Column("note", sa.Text, nullable=False),
        sa.UniqueConstraint("viewer", "id", name="events_viewer_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_viewer_seq", "events", ["viewer", "seq"])
    op.create_index("events_speaking", "events", ["viewer", "seq"], sqlite_where=SPEAKING, postgresql_where=SPEAKING)
    op.create_index("events_votes", "events", ["viewer"], sqlite_where=VOTES, postgresql_where=VOTES)
    op.create_table(
        "people",
        sa.Column("viewer", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("avatar", sa.Text, nullable=False),
        sa.Column("certificate", sa.String(16)),
        sa.Column("genres", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
