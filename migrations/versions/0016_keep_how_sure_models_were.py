"""Keep how sure a model was of its answer: a tape and a cache tell it as the provider once did."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_calls", sa.Column("probability", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("model_calls", "probability")
