"""Keep how much may be used and since when, and what people are asked to confirm beside trades."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import ExactDecimal, UtcTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "capital_stages",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("is_breach", sa.Boolean(), nullable=False),
        sa.Column("made", ExactDecimal(), nullable=False),
        sa.Column("best", ExactDecimal(), nullable=False),
        sa.Column("last_halt", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "confirmations",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_confirmations_number", "confirmations", ["number"])
    op.create_index("ix_confirmations_stage", "confirmations", ["stage"])


def downgrade() -> None:
    op.drop_table("confirmations")
    op.drop_table("capital_stages")
