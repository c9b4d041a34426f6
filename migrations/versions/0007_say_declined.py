"""Say declined where a person said no: rejected is what a venue does."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rename_answer("rejected", "declined")


def _rename_answer(before: str, after: str) -> None:
    op.execute(f"UPDATE approvals SET status = '{after}' WHERE status = '{before}'")  # noqa: S608
    op.execute(
        f"""UPDATE events SET body = replace(body, '"status":"{before}"', '"status":"{after}"')"""  # noqa: S608
        " WHERE kind = 'ApprovalChanged'"
    )


def downgrade() -> None:
    _rename_answer("declined", "rejected")
