"""Keep the readings of a decision apart from its record, so that they can go before it does."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import engine.store.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("decision_id", AutoString(), nullable=False),
        sa.Column("at", engine.store.columns.UtcTime(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("ix_readings_at", "readings", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_readings_at", table_name="readings")
    op.drop_table("readings")
