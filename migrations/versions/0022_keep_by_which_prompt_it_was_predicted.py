"""Keep by which prompt a market was predicted: a context may have one of its own, and predictions of its own by it."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import ExactDecimal, UtcTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KEY = ("venue", "symbol", "timeframe", "at")
_REST = (
    "made_at",
    "due_at",
    "direction",
    "expected_move",
    "horizon",
    "confidence",
    "reasons",
    "by",
    "is_offline",
    "cost",
    "close",
    "graded_at",
    "move",
    "was_right",
)
_LOOKED_UP_BY = ("made_at", "graded_at")


def upgrade() -> None:
    _rebuild(sa.Column("prompt", AutoString(), nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM predictions WHERE prompt <> ''")
    _rebuild()


def _rebuild(*more: sa.Column[str]) -> None:
    """The table anew, with all that is in the old one: a primary key's columns cannot be changed everywhere."""
    op.create_table(
        "predictions_anew",
        sa.Column("venue", AutoString(), nullable=False),
        sa.Column("symbol", AutoString(), nullable=False),
        sa.Column("timeframe", AutoString(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        *more,
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
        sa.PrimaryKeyConstraint(*_KEY, *(each.name for each in more)),
    )
    kept = ", ".join(f'"{name}"' for name in (*_KEY, *_REST))
    new, values = ("".join(f", {each.name}" for each in more), ", ''" * len(more))
    what = f"SELECT {kept}{values} FROM predictions"  # noqa: S608 - names of our own
    op.execute(f"INSERT INTO predictions_anew ({kept}{new}) {what}")
    op.drop_table("predictions")
    op.rename_table("predictions_anew", "predictions")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX predictions_anew_pkey RENAME TO predictions_pkey")
    for name in _LOOKED_UP_BY:
        op.create_index(op.f(f"ix_predictions_{name}"), "predictions", [name])
