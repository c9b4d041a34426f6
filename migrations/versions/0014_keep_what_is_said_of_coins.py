"""Keep what is said of coins, each with when it was known: a backtest later knows no more than was known."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import UtcTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sentiment_texts",
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("fingerprint", AutoString(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", AutoString(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("known_at", UtcTime(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("coins", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("source", "fingerprint"),
    )
    op.create_index(op.f("ix_sentiment_texts_known_at"), "sentiment_texts", ["known_at"])
    op.create_table(
        "sentiment_readings",
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("subject", AutoString(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("known_at", UtcTime(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("source", "subject", "at"),
    )
    op.create_index(op.f("ix_sentiment_readings_known_at"), "sentiment_readings", ["known_at"])


def downgrade() -> None:
    op.drop_table("sentiment_readings")
    op.drop_table("sentiment_texts")
