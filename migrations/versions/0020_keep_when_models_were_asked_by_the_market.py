"""Keep when a model was asked by the market's clock: in a replay a day of people's is one of the market's."""

import sqlalchemy as sa
from alembic import op

from engine.store.columns import UtcTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_calls", sa.Column("market_at", UtcTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("model_calls", "market_at")
