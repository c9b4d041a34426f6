"""Keep what positions cost, and what holding the markets would have come to."""

from collections import defaultdict
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_POSITIONS = sa.table(
    "positions", sa.column("id"), sa.column("bought", ExactDecimal()), sa.column("cost", ExactDecimal())
)
_FILLS = sa.table(
    "fills",
    sa.column("position_id"),
    sa.column("side"),
    sa.column("quantity", ExactDecimal()),
    sa.column("price", ExactDecimal()),
)


def upgrade() -> None:
    op.add_column("equity", sa.Column("benchmark", ExactDecimal(), nullable=True))
    op.add_column("positions", sa.Column("bought", ExactDecimal(), nullable=True))
    op.add_column("positions", sa.Column("cost", ExactDecimal(), nullable=True))
    _count_up()
    with op.batch_alter_table("positions") as batch:
        batch.alter_column("bought", existing_type=ExactDecimal(), nullable=False)
        batch.alter_column("cost", existing_type=ExactDecimal(), nullable=False)


def _count_up() -> None:
    """What each position bought and paid, by its fills."""
    connection = op.get_bind()
    bought: defaultdict[str, Decimal] = defaultdict(Decimal)
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in connection.execute(sa.select(_FILLS).where(_FILLS.c.side == "buy")):
        bought[fill.position_id] += fill.quantity
        cost[fill.position_id] += fill.quantity * fill.price
    for position_id in connection.execute(sa.select(_POSITIONS.c.id)).scalars().all():
        values = {"bought": bought[position_id], "cost": cost[position_id]}
        connection.execute(sa.update(_POSITIONS).where(_POSITIONS.c.id == position_id).values(values))


def downgrade() -> None:
    with op.batch_alter_table("positions") as batch:
        batch.drop_column("cost")
        batch.drop_column("bought")
    op.drop_column("equity", "benchmark")
