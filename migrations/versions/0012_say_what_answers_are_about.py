"""Name the topics of answers about an emergency stop by that: stop is what protects a position."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BEFORE, _AFTER = "stop", "emergency_answer"


def upgrade() -> None:
    _rename(_BEFORE, _AFTER)


def _rename(before: str, after: str) -> None:
    """In the outbox, and in the cards of the web chat: there quotes within a text are escaped."""
    op.execute(
        f"UPDATE outbox SET topic = '{after}' || substr(topic, {len(before) + 1}) "  # noqa: S608
        f"WHERE substr(topic, 1, {len(before) + 1}) = '{before}:'"
    )
    op.execute(
        f"""UPDATE chat_messages SET card = replace(card, '"topic":"{before}:', '"topic":"{after}:')"""  # noqa: S608
    )


def downgrade() -> None:
    _rename(_AFTER, _BEFORE)
