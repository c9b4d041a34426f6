"""A mark is of a market at a venue: the same symbol may have another price at another one."""

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal, UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PAPER = "paper"
"""The one venue there was."""


def upgrade() -> None:
    venue = sa.Column("venue", sa.String(), nullable=False)
    _remake([venue], ("venue", "symbol"), f"SELECT '{PAPER}' AS venue, symbol, price, at FROM marks_before")  # noqa: S608


def downgrade() -> None:
    """Of several marks of a symbol the newest is kept; of equally new ones, that of the first venue by name."""
    _remake(
        [],
        ("symbol",),
        "SELECT symbol, price, at FROM marks_before AS one WHERE NOT EXISTS ("
        "SELECT 1 FROM marks_before AS other WHERE other.symbol = one.symbol "
        "AND (other.at > one.at OR (other.at = one.at AND other.venue < one.venue)))",
    )


def _remake(more: list[sa.Column[str]], key: tuple[str, ...], rows: str) -> None:
    """Make the table anew, as its key is another, with rows of the one before."""
    op.execute("CREATE TABLE marks_before AS SELECT * FROM marks")
    op.drop_table("marks")
    columns = (
        *more,
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_table("marks", *columns, sa.PrimaryKeyConstraint(*key))
    names = ", ".join(column.name for column in columns)
    op.execute(f"INSERT INTO marks ({names}) {rows}")
    op.drop_table("marks_before")
