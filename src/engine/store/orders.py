"""Orders and their fills."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, exists, func, insert, not_, select, update

from engine.domain.errors import UnknownId
from engine.domain.money import Money
from engine.domain.orders import Fill, Order, OrderStatus, Unsent
from engine.domain.trade_views import FillView
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import FillRow, OrderRow, key_of, newest_first, table_of

REPLACED_WITHIN = timedelta(minutes=2)
"""How long after an entry was cancelled another takes its place: the world it was judged in is gone after that."""
_TOLD_WITHIN = timedelta(days=1)
"""How long after that people are told that none did."""
_FINAL = [status for status in OrderStatus if status.final]
_ORDERS = table_of(OrderRow)
_FILLS = table_of(FillRow)
_ORDER = RowMapping(Order, _ORDERS)
_OF_FILL = RowMapping(Fill, _FILLS)
_ROW = select(_ORDERS).where(*key_of(_ORDERS))
_BY_CLIENT_ID = select(_ORDERS).where(_ORDERS.c.client_id == bindparam("client_id"))
_OF_POSITION = select(_ORDERS).where(_ORDERS.c.position_id == bindparam("position")).order_by(_ORDERS.c.number)
_CHILDREN = select(_ORDERS).where(_ORDERS.c.parent_id == bindparam("parent")).order_by(_ORDERS.c.number)
_OF_DECISION = select(_ORDERS).where(_ORDERS.c.decision_id == bindparam("decision")).order_by(_ORDERS.c.number)
_UNFINISHED = select(_ORDERS).where(_ORDERS.c.status.not_in(_FINAL)).order_by(_ORDERS.c.number)
_FOLLOWED = select(_ORDERS).where(_ORDERS.c.follows_at.is_not(None)).order_by(_ORDERS.c.number)
_CHILD = _ORDERS.alias()
_REPLACED = exists().where(_CHILD.c.parent_id == _ORDERS.c.client_id, _CHILD.c.decision_id == _ORDERS.c.decision_id)
_GIVEN_WAY = (
    select(_ORDERS)
    .where(
        _ORDERS.c.status == OrderStatus.CANCELLED,
        _ORDERS.c.cancel_requested_at >= _ORDERS.c.wait_until,
        _ORDERS.c.updated_at >= bindparam("since"),
        _ORDERS.c.worst_price.is_not(None),
        not_(_REPLACED),
    )
    .order_by(_ORDERS.c.number)
)
_LOST = (
    select(_ORDERS)
    .where(
        _ORDERS.c.venue == bindparam("of_venue"),
        _ORDERS.c.unsent == Unsent.LOST,
        _ORDERS.c.updated_at >= bindparam("since"),
    )
    .order_by(_ORDERS.c.number)
)
_ADD = insert(_ORDERS)
_CHANGE = update(_ORDERS).where(*key_of(_ORDERS))
_FILL = select(_FILLS).where(
    _FILLS.c.venue == bindparam("of_venue"),
    _FILLS.c.symbol == bindparam("of_symbol"),
    _FILLS.c.trade_id == bindparam("of_trade"),
)
_ADD_FILL = insert(_FILLS)
_CHANGE_FILL = update(_FILLS).where(*key_of(_FILLS))


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
        self._connection.execute(_ADD, {"number": int(order.id[1:]), **_ORDER.to_row(order)})

    def mark(
        self,
        order_id: str,
        status: OrderStatus,
        at: datetime,
        *,
        venue_order_id: str = "",
        reason: str = "",
        unsent: Unsent = Unsent.NO,
    ) -> None:
        """Note where an order is in its life.

        A final status is never taken back, unless it was held never to have arrived and has ended at the venue.
        """
        row = self._row(order_id)
        has_turned_up = _ORDER.from_row(row).never_arrived and status.final and status is not OrderStatus.REJECTED
        if has_turned_up or not OrderStatus(row.status).final:
            told = {"venue_order_id": venue_order_id or row.venue_order_id, "reason": reason or row.reason}
            self._change(order_id, status=status, updated_at=at, unsent=unsent, **told)

    def request_cancel(self, order_id: str, reason: str, at: datetime) -> None:
        """Note that the venue is about to be asked to cancel an order, and why, before it is asked."""
        status = OrderStatus(self._row(order_id).status)
        changed = {"status": OrderStatus.CANCELLING} if status.at_venue else {}
        self._change(order_id, reason=reason, cancel_requested_at=at, **changed)

    def give_up(self, order_id: str, reason: str) -> None:
        """Note that what an entry has not got is not bought after all, and why."""
        self._change(order_id, worst_price=None, reason=reason)

    def end_patience(self, order_id: str, at: datetime, reason: str) -> None:
        """Note that an order at a limit is waited for no longer, and that what it has not got is given up."""
        self._change(order_id, wait_until=at, worst_price=None, reason=reason)

    def follow(self, order_id: str, at: datetime | None, reason: str = "") -> None:
        """Note when the next slice after an order is due; ``None`` where it was written down, or none follows any more.

        Args:
            order_id: The slice before.
            at: When it is due.
            reason: Why none follows, or not yet; empty where nothing is to be said of it.
        """
        told = {"reason": reason} if reason else {}
        self._change(order_id, follows_at=at, **told)

    def followed(self) -> tuple[Order, ...]:
        """The orders after which a slice is still to be sent, oldest first."""
        return self._memory.get_or_load("orders", "followed", self._load_followed)

    def _load_followed(self) -> tuple[Order, ...]:
        return tuple(_ORDER.from_row(row) for row in self._connection.execute(_FOLLOWED))

    def attach(self, order_id: str, position_id: str) -> None:
        """Note which position an order belongs to."""
        self._change(order_id, position_id=position_id)

    def fill_like(self, fill: Fill) -> FillView | None:
        """The fill that was counted under the same venue, symbol and trade id."""
        key = {"of_venue": fill.venue, "of_symbol": fill.symbol, "of_trade": fill.trade_id}
        row = self._connection.execute(_FILL, key).first()
        return _fill(row) if row else None

    def add_fill(self, order: Order, fill: Fill, fee_value: Decimal, position_id: str) -> None:
        """Count a fill that was not counted before, and what its fee was worth in the quote currency."""
        row = self._row(order.id)
        self._change(
            order.id,
            filled=row.filled + fill.quantity,
            cost=row.cost + fill.value,
            fee=row.fee + fee_value,
            updated_at=fill.at,
        )
        new = {"number": self._numbering.next("F"), "order_id": order.id, "position_id": position_id}
        self._connection.execute(_ADD_FILL, {**new, **_OF_FILL.to_row(fill), "fee_value": fee_value})

    def add_fee(self, counted: FillView, fee: Money, fee_value: Decimal) -> None:
        """Note the fee of a fill that was counted before the venue said what it took."""
        kept = {"fee_amount": fee.amount, "fee_currency": fee.currency, "fee_value": fee_value}
        self._connection.execute(_CHANGE_FILL, {"its_number": int(counted.id[1:]), **kept})
        self._change(counted.order_id, fee=self._row(counted.order_id).fee + fee_value)

    def by_client_id(self, client_id: str) -> Order | None:
        """The order sent under a client id."""
        row = self._connection.execute(_BY_CLIENT_ID, {"client_id": client_id}).first()
        return _ORDER.from_row(row) if row else None

    def get(self, order_id: str) -> Order:
        """One order.

        Raises:
            UnknownId: There is none with that id.
        """
        return _ORDER.from_row(self._row(order_id))

    def unfinished(self) -> tuple[Order, ...]:
        """Orders that are not final, oldest first."""
        return self._memory.get_or_load("orders", "unfinished", self._load_unfinished)

    def _load_unfinished(self) -> tuple[Order, ...]:
        return tuple(_ORDER.from_row(row) for row in self._connection.execute(_UNFINISHED))

    def lost_since(self, venue: str, since: datetime) -> tuple[Order, ...]:
        """Orders that were held never to have reached a venue, and so ended at or after a time."""
        return self._changed_since(since, _LOST, of_venue=venue)

    def impatient(self, now: datetime) -> tuple[Order, ...]:
        """Entries whose patience is over: those that wait, and those cancelled for it, not replaced and not given up.

        For the last it may be too late (``REPLACED_WITHIN``): that is still to be said.
        """
        waiting = [each for each in self.unfinished() if each.wait_until is not None and each.wait_until <= now]
        given_way = self._changed_since(now - _TOLD_WITHIN, _GIVEN_WAY)
        return tuple(sorted((each for each in (*waiting, *given_way) if each.rest > 0), key=_number))

    def _changed_since(self, since: datetime, query: Select[Any], **of: str) -> tuple[Order, ...]:
        """Those of a query that changed at or after a time; as times go on, what an earlier one gave holds them all."""

        def load() -> tuple[datetime, tuple[Order, ...]]:
            rows = self._connection.execute(query, {**of, "since": since})
            return since, tuple(_ORDER.from_row(row) for row in rows)

        asked, found = self._memory.get_or_load("orders", (query, *of.values()), load)
        if since < asked:  # the clock was set back
            _, found = load()
        return tuple(order for order in found if order.updated_at >= since)

    def of_position(self, position_id: str) -> tuple[Order, ...]:
        """Every order of a position, oldest first."""
        return self._memory.get_or_load("orders", position_id, lambda: self._load_of(position_id))

    def approvals_of(self, position_id: str) -> tuple[str, ...]:
        """The approvals that led to orders of a position, the first one first; one may add to what another began."""
        asked = (order.approval_id for order in self.of_position(position_id))
        return tuple(dict.fromkeys(filter(None, asked)))

    def _load_of(self, position_id: str) -> tuple[Order, ...]:
        rows = self._connection.execute(_OF_POSITION, {"position": position_id})
        return tuple(_ORDER.from_row(row) for row in rows)

    def of_decision(self, decision_id: str) -> Order | None:
        """The first order that a decision led to."""
        row = self._connection.execute(_OF_DECISION, {"decision": decision_id}).first()
        return _ORDER.from_row(row) if row else None

    def all_of_decision(self, decision_id: str) -> tuple[Order, ...]:
        """Every order that a decision led to, oldest first: slices, and what took the place of another."""
        rows = self._connection.execute(_OF_DECISION, {"decision": decision_id})
        return tuple(_ORDER.from_row(row) for row in rows)

    def newest(self, limit: int, before: str = "") -> tuple[Order, ...]:
        """The newest first."""
        query = newest_first(select(_ORDERS), _ORDERS.c.number, limit, before)
        return tuple(_ORDER.from_row(row) for row in self._connection.execute(query))

    def page(self, begin: datetime | None, after: int, limit: int) -> tuple[Order, ...]:
        """A page of those written down at or after ``begin``, oldest first, after the one with a number."""
        query = select(_ORDERS).where(_ORDERS.c.number > after).order_by(_ORDERS.c.number).limit(limit)
        query = query if begin is None else query.where(_ORDERS.c.created_at >= begin)
        return tuple(_ORDER.from_row(row) for row in self._connection.execute(query))

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

    def position_of_kin(self, order: Order) -> str:
        """The position of any order that this one adds to or takes the place of, or that does so for it, at any remove.

        Empty where there is none: which of them trades first is the venue's business.
        """
        first = order
        while first.request.parent_id and (parent := self.by_client_id(first.request.parent_id)) is not None:
            first = parent
        family = [first]
        for each in family:
            if each.position_id:
                return each.position_id
            rows = self._connection.execute(_CHILDREN, {"parent": each.request.client_id})
            family.extend(_ORDER.from_row(row) for row in rows)
        return ""

    def fills_of(self, order_id: str) -> tuple[FillView, ...]:
        """What was filled of an order, in the order in which it was counted."""
        query = select(_FILLS).where(_FILLS.c.order_id == order_id).order_by(_FILLS.c.number)
        return tuple(_fill(row) for row in self._connection.execute(query))

    def last_change(self, venue: str) -> datetime | None:
        """When an order at a venue last changed; ``None`` where there never was one."""
        found: datetime | None = self._connection.execute(
            select(func.max(_ORDERS.c.updated_at)).where(_ORDERS.c.venue == venue)
        ).scalar()
        return found

    def fees_within(self, begin: datetime, end: datetime) -> Decimal:
        """What was paid in fees for positions in ``(begin, end]``.

        Each at its worth then. What somebody else traded beside these is part of no result.
        """
        at, of_positions = _FILLS.c.at, _FILLS.c.position_id != ""
        fees = self._connection.execute(select(_FILLS.c.fee_value).where(at > begin, at <= end, of_positions)).scalars()
        return sum(fees, Decimal(0))

    def _row(self, order_id: str) -> Row[Any]:
        row = self._connection.execute(_ROW, {"its_id": order_id}).first()
        if row is None:
            raise _unknown(order_id)
        return row

    def _change(self, order_id: str, **values: object) -> None:
        if not self._connection.execute(_CHANGE, {"its_id": order_id, **values}).rowcount:
            raise _unknown(order_id)


def _number(order: Order) -> int:
    return int(order.id[1:])


def _unknown(order_id: str) -> UnknownId:
    return UnknownId(f"There is no order {order_id}.", "See /trades for ids.")


def _fill(row: Row[Any]) -> FillView:
    return FillView(
        id=f"F{row.number}",
        fill=_OF_FILL.from_row(row),
        fee_value=row.fee_value,
        order_id=row.order_id,
        position_id=row.position_id,
    )
