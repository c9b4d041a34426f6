"""Keep who asked for a sale, and let buttons name what they are about in one word."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ADDED = (("orders", "asked_by"), ("positions", "closed_by_person"))


def upgrade() -> None:
    for table, column in _ADDED:
        op.add_column(table, sa.Column(column, AutoString(), nullable=False, server_default=""))
    _rename_in_cards("approval_id", "about")


def _rename_in_cards(before: str, after: str) -> None:
    """Quotes within a text are escaped in JSON, so that only names of fields are found."""
    op.execute(f"""UPDATE chat_messages SET card = replace(card, ',"{before}":"', ',"{after}":"')""")  # noqa: S608


def downgrade() -> None:
    _rename_in_cards("about", "approval_id")
    for table, column in reversed(_ADDED):
        op.drop_column(table, column)
