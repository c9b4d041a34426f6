"""Keep what is still to be bought in slices after an order, and when."""

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal, UtcTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("to_follow", ExactDecimal(), nullable=True))
    op.add_column("orders", sa.Column("follows_at", UtcTime(), nullable=True))
    op.create_index("ix_orders_follows_at", "orders", ["follows_at"])


def downgrade() -> None:
    op.drop_index("ix_orders_follows_at", table_name="orders")
    op.drop_column("orders", "follows_at")
    op.drop_column("orders", "to_follow")
