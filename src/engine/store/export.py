"""Whole tables, oldest row first, as rows of values: for files that other programs read.

Each page is read in a transaction of its own, so a reader that takes hours (somebody's pager) holds up nobody, and no
table is ever in memory as a whole. Texts, exact decimals and aware times; ``None`` where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import starmap
from typing import TypeVar

from sqlalchemy import Engine

from engine.domain.account import EquityPoint
from engine.domain.approvals import Ordered
from engine.domain.figures import bounded
from engine.domain.orders import Order
from engine.domain.payments import paid
from engine.domain.positions import Position
from engine.store import migrate
from engine.store.connections import connect, in_words
from engine.store.database import nowhere
from engine.store.unit_of_work import UnitOfWork

T = TypeVar("T")
K = TypeVar("K")
Cell = str | Decimal | datetime | None
Row = tuple[Cell, ...]

PAGE = 500
"""Rows that are read at a time."""


class What(StrEnum):
    """What can be exported."""

    TRADES = "trades"
    ORDERS = "orders"
    EQUITY = "equity"


HEADS: dict[What, tuple[str, ...]] = {
    What.TRADES: (
        "id",
        "context",
        "symbol",
        "opened_at",
        "closed_at",
        "bought",
        "held",
        "cost",
        "entry_price",
        "exit_price",
        "net",
        "share",
        "fees",
        "closed_by",
        "decided_by",
        "venue",
    ),
    What.ORDERS: (
        "id",
        "context",
        "symbol",
        "side",
        "type",
        "purpose",
        "status",
        "quantity",
        "filled",
        "average_price",
        "fee",
        "stop",
        "target",
        "reason",
        "decision_id",
        "approval_id",
        "trade_id",
        "created_at",
        "updated_at",
        "venue",
    ),
    What.EQUITY: ("at", "equity", "cash", "drawdown", "benchmark", "paid"),
}
"""The names of the columns. They stay what they are; new ones come behind the last."""


@contextmanager
def exporting(url: str, what: What, since: datetime | None = None) -> Iterator[Iterator[Row]]:
    """The rows of a database that a bot may be writing to; nothing in it is changed.

    Args:
        url: Where the database is.
        what: Which rows.
        since: Only trades opened, orders written down or equity recorded at that time or later.

    Raises:
        StoreError: It is not there, cannot be used, or is of another version; also while the rows are read.
    """
    migrate.refuse_other_version(url)
    engine = connect(url, read_only=True)
    try:
        yield _ROWS[what](engine, since)
    finally:
        engine.dispose()


def _pages(
    engine: Engine, page: Callable[[UnitOfWork, K], Sequence[T]], first: K, key: Callable[[T], K]
) -> Iterator[T]:
    """Everything that comes page by page, each read after the key of the last row of the one before."""
    last = first
    while rows := _read(engine, page, last):
        yield from rows
        last = key(rows[-1])


def _read(engine: Engine, page: Callable[[UnitOfWork, K], Sequence[T]], after: K) -> Sequence[T]:
    with in_words(), engine.connect() as connection:
        return page(UnitOfWork(connection, nowhere), after)


def _trades(engine: Engine, since: datetime | None) -> Iterator[Row]:
    def page(uow: UnitOfWork, after: int) -> list[tuple[Position, str]]:
        found = uow.positions.page(since, after, PAGE)
        return [(held, _decided_by(uow, decision_id)) for held, decision_id in found]

    rows: Iterator[tuple[Position, str]] = _pages(engine, page, 0, lambda row: int(row[0].id[1:]))
    return starmap(_trade, rows)


def _decided_by(uow: UnitOfWork, decision_id: str) -> str:
    """Who let a trade happen: people by name, ``bot``, or ``external`` where somebody else traded on the account."""
    if not decision_id:
        return "external"
    asked = uow.approvals.of_decision(decision_id)
    votes = asked.state.votes if asked is not None and isinstance(asked.state, Ordered) else ()
    return ", ".join(vote.person for vote in votes) or "bot"


def _trade(held: Position, by: str) -> Row:
    return (
        held.id,
        held.context,
        held.symbol,
        held.opened_at,
        held.closed_at,
        held.bought,
        held.quantity,
        held.cost,
        held.entry_price,
        _rounded(held.exit_price),
        held.net,
        _rounded(held.share(held.net)),
        held.fees,
        held.closed_by,
        by,
        held.venue,
    )


def _orders(engine: Engine, since: datetime | None) -> Iterator[Row]:
    def page(uow: UnitOfWork, after: int) -> tuple[Order, ...]:
        return uow.orders.page(since, after, PAGE)

    return map(_order, _pages(engine, page, 0, lambda order: int(order.id[1:])))


def _order(order: Order) -> Row:
    return (
        order.id,
        order.context,
        order.request.symbol,
        order.request.side.value,
        order.request.type.value,
        order.purpose.value,
        order.status.value,
        order.request.quantity,
        order.filled,
        _rounded(order.average),
        order.fee,
        *order.levels,
        order.reason,
        order.decision_id,
        order.approval_id,
        order.position_id,
        order.created_at,
        order.updated_at,
        order.request.venue,
    )


def _equity(engine: Engine, since: datetime | None) -> Iterator[Row]:
    def page(uow: UnitOfWork, after: datetime | None) -> list[tuple[EquityPoint, Decimal]]:
        payments = uow.account.payments()
        return [(point, paid(payments[: point.payments])) for point in uow.curve.page(since, after, PAGE)]

    rows: Iterator[tuple[EquityPoint, Decimal]] = _pages(engine, page, None, lambda row: row[0].at)
    return starmap(_point, rows)


def _point(point: EquityPoint, paid_so_far: Decimal) -> Row:
    return (point.at, point.equity, point.cash, _rounded(point.drawdown), _rounded(point.benchmark), paid_so_far)


_ROWS: dict[What, Callable[[Engine, datetime | None], Iterator[Row]]] = {
    What.TRADES: _trades,
    What.ORDERS: _orders,
    What.EQUITY: _equity,
}


def _rounded(figure: Decimal | None) -> Decimal | None:
    """What a division has brought, as the API writes it."""
    return None if figure is None else bounded(figure)
