"""Keep what language models were asked, what they answered, and what that cost."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import ExactDecimal, UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_calls",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.Column("context", AutoString(), nullable=False),
        sa.Column("provider", AutoString(), nullable=False),
        sa.Column("model", AutoString(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("system_message", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("schema_name", AutoString(), nullable=False),
        sa.Column("json_schema", sa.Text(), nullable=False),
        sa.Column("max_tokens", sa.Integer(), nullable=False),
        sa.Column("reserved_usd", ExactDecimal(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("stop", AutoString(), nullable=False),
        sa.Column("served", AutoString(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("tier", AutoString(), nullable=True),
        sa.Column("cost_usd", ExactDecimal(), nullable=True),
        sa.Column("latency", sa.Float(), nullable=True),
        sa.Column("verdict", AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("number", "at", "key", "state"):
        op.create_index(op.f(f"ix_model_calls_{column}"), "model_calls", [column])
    op.create_table(
        "model_spend",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", AutoString(), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.Column("context", AutoString(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("usd", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", "purpose", "context"),
    )


def downgrade() -> None:
    op.drop_table("model_spend")
    op.drop_table("model_calls")
