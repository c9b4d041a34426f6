"""Say declined where a person said no, for venues reject; and hold where nothing was wanted, for that is no refusal."""

import json
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DECISIONS = sa.table(
    "decisions", sa.column("id"), sa.column("number", sa.Integer()), sa.column("status"), sa.column("record")
)
_PAGE = 500
_RULING = '"ruling":'
"""Quotes within a text are escaped in JSON, so that only names of fields are found."""


def upgrade() -> None:
    _rename_answer("rejected", "declined")
    _rename_held_up("questions", "approvals")
    _rewrite_holds(lambda _: "{}")
    _rename_drawdown("paused_at", "paused_drawdown")


def _rename_answer(before: str, after: str) -> None:
    op.execute(f"UPDATE approvals SET status = '{after}' WHERE status = '{before}'")  # noqa: S608
    op.execute(
        f"""UPDATE events SET body = replace(body, '"status":"{before}"', '"status":"{after}"')"""  # noqa: S608
        " WHERE kind = 'ApprovalChanged'"
    )


def _rename_drawdown(before: str, after: str) -> None:
    """The drawdown at which entries were last paused, which is no time."""
    op.execute(
        f"""UPDATE settings SET value = replace(value, '"{before}":', '"{after}":')"""  # noqa: S608
        " WHERE key = 'account.drawdown'"
    )


def _rename_held_up(before: str, after: str) -> None:
    """What halts hold up, in the events that tell of them."""
    op.execute(
        f"""UPDATE events SET body = replace(body, '"{before}":[', '"{after}":[')"""  # noqa: S608
        " WHERE kind IN ('Halted', 'HaltEnded')"
    )


def _rewrite_holds(ruling: Callable[[str], str]) -> None:
    """Give each decision that held another ruling; all else in its record stays as it was written."""
    connection, number = op.get_bind(), _DECISIONS.c.number
    held = sa.select(_DECISIONS).where(_DECISIONS.c.status == "held").order_by(number).limit(_PAGE)
    change = sa.update(_DECISIONS).where(_DECISIONS.c.id == sa.bindparam("its_id"))
    after = -1
    while rows := connection.execute(held.where(number > after)).all():
        changes = [{"its_id": row.id, "record": _with_ruling(row.record, ruling(row.record))} for row in rows]
        connection.execute(change, changes)
        after = rows[-1].number


def _with_ruling(record: str, ruling: str) -> str:
    begin = record.index(_RULING) + len(_RULING)
    _, end = json.JSONDecoder().raw_decode(record, begin)
    return record[:begin] + ruling + record[end:]


def _refusal(record: str) -> str:
    """What a hold was kept as: a refusal for the decision's own reasons."""
    reasons = json.loads(record)["decision"]["reasons"]
    return json.dumps({"reasons": reasons}, ensure_ascii=False, separators=(",", ":"))


def downgrade() -> None:
    _rename_drawdown("paused_drawdown", "paused_at")
    _rewrite_holds(_refusal)
    _rename_held_up("approvals", "questions")
    _rename_answer("declined", "rejected")
