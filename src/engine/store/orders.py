"""Orders and their fills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from engine.domain.errors import UnknownId
from engine.domain.reports import FillView, OrderView
from engine.domain.trading import Fill, Intent, OrderKind, OrderStatus, Purpose, Side
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import FillRow, OrderRow, key_of, newest_first, table_of

_FINAL = [status for status in OrderStatus if status.final]
_ORDERS = table_of(OrderRow)
_FILLS = table_of(FillRow)
_ROW = select(_ORDERS).where(*key_of(_ORDERS))
_BY_CLIENT_ID = select(_ORDERS).where(_ORDERS.c.client_id == bindparam("client_id"))
_OF_POSITION = select(_ORDERS).where(_ORDERS.c.position_id == bindparam("position")).order_by(_ORDERS.c.number)
_OF_DECISION = select(_ORDERS).where(_ORDERS.c.decision_id == bindparam("decision")).order_by(_ORDERS.c.number)
_UNFINISHED = select(_ORDERS).where(_ORDERS.c.status.not_in(_FINAL)).order_by(_ORDERS.c.number)
_ADD = insert(_ORDERS)
_CHANGE = update(_ORDERS).where(*key_of(_ORDERS))
_FILL = select(_FILLS.c.venue_id).where(*key_of(_FILLS))
_ADD_FILL = insert(_FILLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it was written down: what is sent, and what it is for.

    Attributes:
        asked_by: The person who asked for it; empty where the bot decided, or people answered its question.
    """

    id: str
    intent: Intent
    purpose: Purpose
    context: str
    price: Decimal
    status: OrderStatus
    created_at: datetime
    filled: Decimal = Decimal(0)
    decision_id: str = ""
    approval_id: str = ""
    position_id: str = ""
    reason: str = ""
    asked_by: str = ""

    @property
    def rest(self) -> Decimal:
        """What has not traded yet, in the base currency."""
        return self.intent.quantity - self.filled


class Orders:
    """The ``orders`` and ``fills`` tables."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def next_id(self) -> str:
        """An id for the next order."""
        return f"O{self._numbering.next('O')}"

    def add(self, order: Order) -> None:
        """Write an order down, before it is sent."""
        intent = order.intent
        new = {
            "id": order.id,
            "number": int(order.id[1:]),
            "client_id": intent.client_id,
            "context": order.context,
            "market": intent.market,
            "side": intent.side,
            "kind": intent.kind,
            "purpose": order.purpose,
            "quantity": intent.quantity,
            "price": order.price,
            "stop": intent.stop,
            "target": intent.target,
            "status": order.status,
            "decision_id": order.decision_id,
            "approval_id": order.approval_id,
            "position_id": order.position_id,
            "asked_by": order.asked_by,
            "created_at": order.created_at,
            "updated_at": order.created_at,
        }
        self._connection.execute(_ADD, new)

    def mark(self, order_id: str, status: OrderStatus, at: datetime, *, venue_id: str = "", reason: str = "") -> None:
        """Note where an order is in its life; a final status is never taken back."""
        row = self._row(order_id)
        if not OrderStatus(row.status).final:
            told = {"venue_id": venue_id or row.venue_id, "reason": reason or row.reason}
            self._change(order_id, status=status, updated_at=at, **told)

    def note(self, order_id: str, reason: str) -> None:
        """Note why something is about to be done to an order, before it is done."""
        self._change(order_id, reason=reason)

    def attach(self, order_id: str, position_id: str) -> None:
        """Note which position an order belongs to."""
        self._change(order_id, position_id=position_id)

    def add_fill(self, order: Order, fill: Fill, position_id: str) -> bool:
        """Count a fill; ``False`` where it was counted already."""
        if self._connection.execute(_FILL, {"its_venue_id": fill.venue_id}).first() is not None:
            return False
        row = self._row(order.id)
        self._change(
            order.id,
            filled=row.filled + fill.quantity,
            cost=row.cost + fill.quantity * fill.price,
            fee=row.fee + fill.fee,
            updated_at=fill.at,
        )
        new = {
            "venue_id": fill.venue_id,
            "number": self._numbering.next("F"),
            "order_id": order.id,
            "client_id": fill.client_id,
            "position_id": position_id,
            "market": fill.market,
            "side": fill.side,
            "quantity": fill.quantity,
            "price": fill.price,
            "fee": fill.fee,
            "at": fill.at,
        }
        self._connection.execute(_ADD_FILL, new)
        return True

    def by_client_id(self, client_id: str) -> Order | None:
        """The order sent under a client id."""
        row = self._connection.execute(_BY_CLIENT_ID, {"client_id": client_id}).first()
        return _order(row) if row else None

    def get(self, order_id: str) -> Order:
        """One order.

        Raises:
            UnknownId: There is none with that id.
        """
        return _order(self._row(order_id))

    def unfinished(self) -> tuple[Order, ...]:
        """Orders that are not final, oldest first."""
        return self._memory.recall("orders", "unfinished", self._load_unfinished)

    def _load_unfinished(self) -> tuple[Order, ...]:
        return tuple(_order(row) for row in self._connection.execute(_UNFINISHED))

    def of_position(self, position_id: str) -> tuple[Order, ...]:
        """Every order of a position, oldest first."""
        return self._memory.recall("orders", position_id, lambda: self._load_of(position_id))

    def _load_of(self, position_id: str) -> tuple[Order, ...]:
        rows = self._connection.execute(_OF_POSITION, {"position": position_id})
        return tuple(_order(row) for row in rows)

    def view(self, order_id: str) -> OrderView:
        """One order as people see it.

        Raises:
            UnknownId: There is none with that id.
        """
        return _view(self._row(order_id))

    def of_decision(self, decision_id: str) -> OrderView | None:
        """The first order that a decision led to."""
        row = self._connection.execute(_OF_DECISION, {"decision": decision_id}).first()
        return _view(row) if row else None

    def newest(self, limit: int, before: str = "") -> tuple[OrderView, ...]:
        """The newest first."""
        query = newest_first(select(_ORDERS), _ORDERS.c.number, limit, before)
        return tuple(_view(row) for row in self._connection.execute(query))

    def page(self, begin: datetime | None, after: int, limit: int) -> tuple[OrderView, ...]:
        """A page of those written down at or after ``begin``, oldest first, after the one with a number."""
        query = select(_ORDERS).where(_ORDERS.c.number > after).order_by(_ORDERS.c.number).limit(limit)
        query = query if begin is None else query.where(_ORDERS.c.created_at >= begin)
        return tuple(_view(row) for row in self._connection.execute(query))

    def newest_fills(self, limit: int, before: str = "") -> tuple[FillView, ...]:
        """The newest fills first."""
        query = newest_first(select(_FILLS), _FILLS.c.number, limit, before)
        return tuple(_fill(row) for row in self._connection.execute(query))

    def fills_after(self, at: datetime) -> tuple[FillView, ...]:
        """What was filled after a time, in the order in which it was counted."""
        query = select(_FILLS).where(_FILLS.c.at > at).order_by(_FILLS.c.number)
        return tuple(_fill(row) for row in self._connection.execute(query))

    def position_of(self, order_id: str) -> str:
        """The position that an order belongs to, or that its first fill changed; empty where there is none.

        Raises:
            UnknownId: There is no order with that id.
        """
        first = select(_FILLS.c.position_id).where(_FILLS.c.order_id == order_id).order_by(_FILLS.c.number).limit(1)
        return str(self._row(order_id).position_id or self._connection.execute(first).scalar() or "")

    def fees_within(self, begin: datetime, end: datetime) -> Decimal:
        """What was paid in fees for positions in ``(begin, end]``.

        What somebody else traded beside these may have cost fees in another currency, and is part of no result.
        """
        at, of_positions = _FILLS.c.at, _FILLS.c.position_id != ""
        fees = self._connection.execute(select(_FILLS.c.fee).where(at > begin, at <= end, of_positions)).scalars()
        return sum(fees, Decimal(0))

    def _row(self, order_id: str) -> Row[Any]:
        row = self._connection.execute(_ROW, {"its_id": order_id}).first()
        if row is None:
            raise _unknown(order_id)
        return row

    def _change(self, order_id: str, **values: object) -> None:
        if not self._connection.execute(_CHANGE, {"its_id": order_id, **values}).rowcount:
            raise _unknown(order_id)


def _unknown(order_id: str) -> UnknownId:
    return UnknownId(f"There is no order {order_id}.", "See /trades for ids.")


def _order(row: Row[Any]) -> Order:
    return Order(
        id=row.id,
        intent=Intent(
            client_id=row.client_id,
            market=row.market,
            side=Side(row.side),
            kind=OrderKind(row.kind),
            quantity=row.quantity,
            stop=row.stop,
            target=row.target,
        ),
        purpose=Purpose(row.purpose),
        context=row.context,
        price=row.price,
        status=OrderStatus(row.status),
        created_at=row.created_at,
        filled=row.filled,
        decision_id=row.decision_id,
        approval_id=row.approval_id,
        position_id=row.position_id,
        reason=row.reason,
        asked_by=row.asked_by,
    )


def _view(row: Row[Any]) -> OrderView:
    return OrderView(
        id=row.id,
        client_id=row.client_id,
        market=row.market,
        context=row.context,
        side=Side(row.side),
        kind=OrderKind(row.kind),
        purpose=Purpose(row.purpose),
        quantity=row.quantity,
        filled=row.filled,
        average=row.cost / row.filled if row.filled else None,
        fee=row.fee,
        status=OrderStatus(row.status),
        reason=row.reason,
        decision_id=row.decision_id,
        approval_id=row.approval_id,
        position_id=row.position_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        stop=row.stop,
        target=row.target,
        asked_by=row.asked_by,
    )


def _fill(row: Row[Any]) -> FillView:
    return FillView(
        id=f"F{row.number}",
        fill=Fill(
            venue_id=row.venue_id,
            client_id=row.client_id,
            market=row.market,
            side=Side(row.side),
            quantity=row.quantity,
            price=row.price,
            fee=row.fee,
            at=row.at,
        ),
        order_id=row.order_id,
        position_id=row.position_id,
    )
