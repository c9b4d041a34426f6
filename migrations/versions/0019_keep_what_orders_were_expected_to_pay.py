"""Keep at which mean price the book of then would have filled an order: what it paid is held against that."""

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("expected", ExactDecimal(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "expected")
