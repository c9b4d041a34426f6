"""Say symbol, trade_id, venue_order_id and oco, as others do: in columns, and in what is kept as JSON."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OF_MARKETS = ("decisions", "approvals", "orders", "fills", "positions", "halts", "marks")
_RENAMED = (
    ("fills", "venue_id", "trade_id"),
    ("orders", "venue_id", "venue_order_id"),
    *(
        (table, "market", "symbol")
        for table in ("decisions", "approvals", "orders", "fills", "positions", "halts", "marks")
    ),
)
_JSON = (("decisions", "record"), ("readings", "signals"), ("approvals", "plan"), ("events", "body"))
_SETTINGS = ("settings", "value")


def upgrade() -> None:
    for table, before, after in _RENAMED:
        op.alter_column(table, before, new_column_name=after)
    op.execute("UPDATE orders SET kind = 'oco' WHERE kind = 'bracket'")
    for table, column in (*_JSON, _SETTINGS):
        _replace(table, column, '"market":"', '"symbol":"')


def _replace(table: str, column: str, before: str, after: str) -> None:
    """Only a name whose value is text: a whole market keeps its own. Quotes within a text are escaped in JSON."""
    op.execute(f"UPDATE {table} SET {column} = replace({column}, '{before}', '{after}')")  # noqa: S608


def downgrade() -> None:
    for table, column in _JSON:
        _replace(table, column, '"symbol":"', '"market":"')
    _replace(*_SETTINGS, ',"symbol":"', ',"market":"')  # what begins so is a whole market
    op.execute("UPDATE orders SET kind = 'bracket' WHERE kind = 'oco'")
    for table, before, after in reversed(_RENAMED):
        op.alter_column(table, after, new_column_name=before)
