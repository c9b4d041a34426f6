"""Orders and the ledger as venues have them: venues, types, cursors, fees as they were taken; positions have a side."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal, UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAPER = "paper"
"""The one venue there was."""
_OUTSIDE = "account.outside"
_ACCOUNT = sa.table(
    "account", sa.column("quote"), sa.column("cash", ExactDecimal()), sa.column("venue_seq", sa.BigInteger())
)
_BALANCES = sa.table("balances", sa.column("venue"), sa.column("currency"), sa.column("amount", ExactDecimal()))
_CURSORS = sa.table("cursors", sa.column("venue"), sa.column("cursor"))
_SETTINGS = sa.table("settings", sa.column("key"), sa.column("value"))
_PLANS = (("approvals", "id", "plan"), ("decisions", "id", "record"))
_EVENTS = ("OrderFilled", "BalanceAdopted")

_OF_ORDERS: tuple[tuple[str, Any, str | None], ...] = (
    ("limit_price", ExactDecimal(), None),
    ("trigger_price", ExactDecimal(), None),
    ("trailing", ExactDecimal(), None),
    ("time_in_force", sa.String(), "gtc"),
    ("post_only", sa.Boolean(), "0"),
    ("reduce_only", sa.Boolean(), "0"),
    ("parent_id", sa.String(), ""),
    ("cancel_requested_at", UtcTime(), None),
    ("unsent", sa.String(), ""),
    ("wait_until", UtcTime(), None),
    ("worst_price", ExactDecimal(), None),
)
_OF_POSITIONS: tuple[tuple[str, Any, str | None], ...] = (
    ("direction", sa.String(), "long"),
    ("multiplier", ExactDecimal(), "1"),
)
_BEGAN = (
    ("withheld", "not sent"),
    ("stopped", "it never reached the venue"),
    ("lost", "it never reached the venue: its request was lost"),
)
"""Why an order was never had by the venue, and how its reason began."""

Json = dict[str, Any]


def upgrade() -> None:
    for table in ("orders", "positions"):
        op.add_column(table, sa.Column("venue", sa.String(), nullable=False, server_default=PAPER))
    _upgrade_orders()
    for column in _OF_POSITIONS:
        op.add_column("positions", _new(column))
    op.add_column("halts", sa.Column("timeframe", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE halts SET timeframe = replace(by, ' candles', '') WHERE kind = 'data' AND by LIKE '% candles'")
    _upgrade_fills()
    _upgrade_account()
    _rewrite(_with_venue)


def _new(column: tuple[str, Any, str | None]) -> sa.Column[Any]:
    """A column that every row needs a value for, where one is given; else one that may be empty."""
    name, kind, default = column
    return sa.Column(name, kind, nullable=default is None, server_default=default)


def _upgrade_orders() -> None:
    """An OCO has its stop and target as its prices; why an order ended is in columns, no beginning of a text."""
    op.alter_column("orders", "kind", new_column_name="type")
    for column in _OF_ORDERS:
        op.add_column("orders", _new(column))
    op.execute(
        "UPDATE orders SET trigger_price = stop, limit_price = target, stop = NULL, target = NULL WHERE type = 'oco'"
    )
    op.execute("UPDATE orders SET stop = NULL, target = NULL WHERE side = 'sell'")
    op.execute(f"UPDATE orders SET reduce_only = {_true()} WHERE side = 'sell' AND purpose <> 'external'")  # noqa: S608
    op.execute("UPDATE orders SET cancel_requested_at = updated_at WHERE reason LIKE 'taken back%'")
    for unsent, begins in _BEGAN:
        op.execute(f"UPDATE orders SET unsent = '{unsent}' WHERE status = 'rejected' AND reason LIKE '{begins}%'")  # noqa: S608
    op.execute("UPDATE orders SET status = 'partly_filled' WHERE status = 'open' AND CAST(filled AS REAL) > 0")


def _true() -> str:
    return "1" if _on_sqlite() else "true"


def _upgrade_fills() -> None:
    """A fill is known by venue, symbol and trade id; its fee by amount and currency, which was the quote's."""
    quote = "substr(symbol, instr(symbol, '/') + 1)" if _on_sqlite() else "split_part(symbol, '/', 2)"
    columns = (
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("trade_id", sa.String(), nullable=False),
        *_unchanged(),
        sa.Column("fee_value", ExactDecimal(), nullable=False),
        sa.Column("fee_amount", ExactDecimal(), nullable=True),
        sa.Column("fee_currency", sa.String(), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("venue", "symbol", "trade_id", name="fills_once"),
    )
    values = {"venue": f"'{PAPER}'", "fee_value": "fee", "fee_amount": "fee", "fee_currency": quote}
    _remake_fills(columns, values, ("order_id", "position_id", "at"))


def _unchanged() -> list[sa.Column[Any]]:
    texts = ("client_id", "position_id", "side")
    return [
        sa.Column("order_id", sa.String(), sa.ForeignKey("orders.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        *(sa.Column(name, ExactDecimal(), nullable=False) for name in ("quantity", "price")),
    ]


def _remake_fills(columns: Sequence[Any], values: Mapping[str, str], indexed: Sequence[str]) -> None:
    """Make the table anew, as its key is another: each row with some columns by another name, or another value."""
    op.execute("CREATE TABLE fills_before AS SELECT * FROM fills")
    op.drop_table("fills")
    op.create_table("fills", *columns)
    names = [column.name for column in columns if isinstance(column, sa.Column)]
    op.execute(
        f"INSERT INTO fills ({', '.join(names)}) "  # noqa: S608 - names of our own
        f"SELECT {', '.join(values.get(name, name) for name in names)} FROM fills_before ORDER BY number"
    )
    op.drop_table("fills_before")
    for name in indexed:
        op.create_index(f"ix_fills_{name}", "fills", [name])


def _upgrade_account() -> None:
    connection = op.get_bind()
    op.create_table(
        "balances",
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("venue", "currency"),
    )
    op.create_table(
        "cursors",
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("venue"),
    )
    for account in connection.execute(sa.select(_ACCOUNT)).all():
        owned = {account.quote: account.cash}
        kept = connection.execute(sa.select(_SETTINGS.c.value).where(_SETTINGS.c.key == _OUTSIDE)).scalar()
        for currency, amount in json.loads(kept or "{}").items():
            owned[currency] = owned.get(currency, Decimal(0)) + Decimal(amount)
        rows = [{"venue": PAPER, "currency": currency, "amount": amount} for currency, amount in owned.items()]
        connection.execute(_BALANCES.insert(), rows)
        if account.venue_seq:
            connection.execute(_CURSORS.insert(), {"venue": PAPER, "cursor": str(account.venue_seq)})
    connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.key == _OUTSIDE))
    op.drop_column("account", "venue_seq")
    op.drop_column("account", "cash")


def _with_venue(found: Json) -> Json:
    """The same with a venue where a plan, a fill or an adopted balance has none."""
    plans = [each for each in (found, found.get("plan"), (found.get("ruling") or {}).get("plan")) if each]
    for plan in plans:
        if "venue" not in plan and ({"key", "side", "quantity"} <= plan.keys() or _is_told_of(plan)):
            plan["venue"] = PAPER
    return found


def _is_told_of(event: Json) -> bool:
    return {"order_id", "price", "fee"} <= event.keys() or {"currency", "before", "after"} <= event.keys()


def _without_venue(found: Json) -> Json:
    for each in (found, found.get("plan"), (found.get("ruling") or {}).get("plan")):
        if each:
            each.pop("venue", None)
            each.pop("fee_paid", None)
    return found


def _rewrite(change: Callable[[Json], Json]) -> None:
    """Change what is kept as JSON: plans, and events of fills and payments."""
    connection = op.get_bind()
    for table, key, column in (*_PLANS, ("events", "id", "body")):
        rows = sa.table(table, sa.column(key), sa.column(column), sa.column("kind"))
        query = sa.select(rows.c[key], rows.c[column])
        query = query.where(rows.c.kind.in_(_EVENTS)) if table == "events" else query
        for its, text in connection.execute(query).all():
            changed = json.dumps(change(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
            connection.execute(sa.update(rows).where(rows.c[key] == its).values({column: changed}))


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    _rewrite(_without_venue)
    _downgrade_account()
    columns = (
        sa.Column("trade_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_unchanged(),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("trade_id"),
    )
    _remake_fills(columns, {"fee": "fee_value"}, ("number", "order_id", "position_id", "at"))
    op.drop_column("halts", "timeframe")
    for name, *_ in reversed(_OF_POSITIONS):
        op.drop_column("positions", name)
    _downgrade_orders()
    for table in ("positions", "orders"):
        op.drop_column(table, "venue")


def _downgrade_orders() -> None:
    """What an older version does not know becomes what is nearest to it."""
    op.execute("UPDATE orders SET stop = trigger_price, target = limit_price WHERE type = 'oco'")
    op.execute("UPDATE orders SET status = 'open' WHERE status IN ('partly_filled', 'cancelling')")
    op.execute("UPDATE orders SET status = 'unknown' WHERE status = 'sent'")
    op.execute("UPDATE orders SET status = 'cancelled' WHERE status = 'expired'")
    for name, *_ in reversed(_OF_ORDERS):
        op.drop_column("orders", name)
    op.alter_column("orders", "type", new_column_name="kind")


def _downgrade_account() -> None:
    connection = op.get_bind()
    op.add_column("account", sa.Column("cash", ExactDecimal(), nullable=True))
    op.add_column("account", sa.Column("venue_seq", sa.BigInteger(), nullable=True))
    quote = connection.execute(sa.select(_ACCOUNT.c.quote)).scalar()
    owned = {row.currency: row.amount for row in connection.execute(sa.select(_BALANCES)).all()}
    cursor = connection.execute(sa.select(_CURSORS.c.cursor)).scalar() or "0"
    connection.execute(
        sa.update(_ACCOUNT).values(cash=owned.pop(quote, Decimal(0)), venue_seq=int(cursor.partition(" ")[0]))
    )
    if owned:
        kept = {currency: format(amount, "f") for currency, amount in owned.items()}
        connection.execute(_SETTINGS.insert(), {"key": _OUTSIDE, "value": json.dumps(kept)})
    with op.batch_alter_table("account") as batch:
        batch.alter_column("cash", existing_type=ExactDecimal(), nullable=False)
        batch.alter_column("venue_seq", existing_type=sa.BigInteger(), nullable=False)
    op.drop_table("cursors")
    op.drop_table("balances")
