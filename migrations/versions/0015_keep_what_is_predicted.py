"""Keep what is predicted of markets, each with when it was known, and what came of it."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import ExactDecimal, UtcTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_LOOKED_UP_BY = ("made_at", "graded_at")


def upgrade() -> None:
    op.create_table(
        "predictions",
        sa.Column("venue", AutoString(), nullable=False),
        sa.Column("symbol", AutoString(), nullable=False),
        sa.Column("timeframe", AutoString(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("direction", AutoString(), nullable=False),
        sa.Column("expected_move", sa.Float(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("by", AutoString(), nullable=False),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.Column("cost", ExactDecimal(), nullable=False),
        sa.Column("close", sa.Float(), nullable=False),
        sa.Column("graded_at", UtcTime(), nullable=True),
        sa.Column("move", sa.Float(), nullable=True),
        sa.Column("was_right", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("venue", "symbol", "timeframe", "at"),
    )
    for name in _LOOKED_UP_BY:
        op.create_index(op.f(f"ix_predictions_{name}"), "predictions", [name])


def downgrade() -> None:
    op.drop_table("predictions")
