"""Keep how far the bot may trade, and why: what halts entries everywhere now makes the first state."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.columns import UtcTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_HALTS = sa.table(
    "halts",
    *(sa.column(name) for name in ("id", "number", "kind", "status", "reason", "symbol", "venue", "by")),
    sa.column("since", UtcTime()),
)
_EVERYWHERE = (
    sa.select(_HALTS)
    .where(_HALTS.c.status == "open", _HALTS.c.symbol == "", _HALTS.c.venue == "")
    .order_by(sa.case((_HALTS.c.kind == "emergency", 0), else_=1), _HALTS.c.number)
)


def upgrade() -> None:
    states = op.create_table(
        "trading_states",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("by", AutoString(), nullable=False),
        sa.Column("halt_id", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    halt = op.get_bind().execute(_EVERYWHERE).first()
    if halt is not None:
        state = "halted" if halt.kind == "emergency" else "reducing"
        first = {"number": 1, "state": state, "at": halt.since, "reason": halt.reason, "by": halt.by}
        op.bulk_insert(states, [{**first, "halt_id": halt.id}])


def downgrade() -> None:
    op.drop_table("trading_states")
