"""Call the ids of trades and of orders at the venue, and a stop with its target, what others call them."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_RENAMED = (("fills", "venue_id", "trade_id"), ("orders", "venue_id", "venue_order_id"))


def upgrade() -> None:
    for table, before, after in _RENAMED:
        op.alter_column(table, before, new_column_name=after)
    op.execute("UPDATE orders SET kind = 'oco' WHERE kind = 'bracket'")


def downgrade() -> None:
    op.execute("UPDATE orders SET kind = 'bracket' WHERE kind = 'oco'")
    for table, before, after in reversed(_RENAMED):
        op.alter_column(table, after, new_column_name=before)
