"""What a real venue knows of an order, whoever sent it: by its client id or the venue's, or looked for in its lists."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.domain.market import to_millis
from engine.domain.orders import NotFound, Order, OrderRequest, OrderState, OrderStatus, OrderType
from engine.exchanges.ccxt import legs, orders
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.noes import Missing, Rejected
from engine.exchanges.ccxt.record import OrderRecord
from engine.ports import Clock

Raw = Mapping[str, Any]

_LISTED_BEFORE = timedelta(minutes=5)
"""How much earlier than it was written down here an order may have been placed by the venue's clock."""
_LISTED_FOR = timedelta(hours=24)
"""How far back an order is looked for of which nothing is written down here."""
_REMEMBERED = 5000
"""How many orders are remembered by the venue's ids of them."""


class Lookup:
    """Finds orders; what they are is read from the record.

    Args:
        name: The venue, as our orders name it.
    """

    def __init__(self, *, name: str, account: VenueAccount, record: OrderRecord, clock: Clock) -> None:
        self.name = name
        self._account = account
        self._record = record
        self._clock = clock
        self._dropped: set[str] = set()
        self._untouched: set[str] = set()
        self._seen: dict[tuple[str, str], OrderState] = {}
        self._ids: dict[str, str] = {}
        """What the venue calls an order, by its client id."""
        self._alone: set[str] = set()
        """Stops and targets whose target was never sold, for they were taken in this run."""
        self._cancelled: dict[str, OrderState] = {}
        """Orders that were cancelled in this run and are still taken for open in the record, by client id."""

    def drop(self, client_id: str) -> None:
        """Note that a stop and target that is watched here is watched no more."""
        self._dropped.add(client_id)

    def is_dropped(self, client_id: str) -> bool:
        """Whether it is watched no more."""
        return client_id in self._dropped

    def cancelled(self, state: OrderState) -> None:
        """Note the end of an order that was cancelled: it does not change any more, and need not be asked for.

        Of a stop and target something may be sold that was under way: of that the venue is asked.
        """
        if state.status.final and (state.type is not OrderType.OCO or state.client_id in self._alone):
            self._cancelled[state.client_id] = state

    def end_of(self, client_id: str) -> OrderState | None:
        """How an order has ended that was cancelled; ``None`` where that is not known."""
        return self._cancelled.get(client_id)

    def touch(self, client_id: str) -> None:
        """Note that something of a stop and target that is watched here is at the venue, or may be."""
        self._untouched.discard(client_id)
        self._alone.discard(client_id)

    def is_untouched(self, client_id: str) -> bool:
        """Whether nothing of a stop and target was at the venue when it was asked, and nothing was sent since."""
        return client_id in self._untouched

    async def under_way(self) -> dict[str, Order]:
        """The orders that the venue has as far as is written down, by client id."""
        written = await self._record.unfinished()
        ids = {order.request.client_id for order in written}
        self._dropped &= ids
        self._untouched &= ids
        self._alone &= ids
        self._cancelled = {name: state for name, state in self._cancelled.items() if name in ids}
        self._dropped |= {order.request.client_id for order in written if order.cancel_requested_at is not None}
        return {order.request.client_id: order for order in written if order.status.at_venue}

    async def request_of(self, client_id: str) -> OrderRequest | None:
        """What was sent under a client id; ``None`` where nobody here wrote it down."""
        written = await self._record.order(client_id)
        if written is not None and written.cancel_requested_at is not None:
            self._dropped.add(client_id)
        return written.request if written is not None else None

    def is_watched(self, request: OrderRequest | None) -> bool:
        """Whether nothing of an order is at the venue until its price is there."""
        return request is not None and self._account.habits.watches(request)

    def _has_legs(self, request: OrderRequest | None) -> bool:
        """Whether an order is at the venue as its legs: a stop and target, or the sale of what is watched here."""
        return request is not None and (request.type is OrderType.OCO or self.is_watched(request))

    def taken(self, request: OrderRequest, venue_id: str) -> None:
        """Note what the venue calls an order that it has just taken; of a stop and target it is the stop."""
        if self.is_watched(request):
            return
        is_oco = request.type is OrderType.OCO
        self._call(legs.leg_id(request.client_id, legs.STOP) if is_oco else request.client_id, venue_id)
        if is_oco:
            self._alone.add(request.client_id)

    def ids_of(self, order: Order) -> list[str]:
        """What the venue calls an order, each leg of it where it has several; those that are known."""
        own = order.request.client_id
        if order.request.type is not OrderType.OCO:
            found = [self._ids.get(own) or order.venue_order_id]
        else:
            found = [self._ids.get(legs.leg_id(own, leg), "") for leg in legs.LEGS]
            found[0] = found[0] or order.venue_order_id
        return [each for each in found if each]

    def is_whole(self, known: Mapping[str, OrderState], client_id: str) -> bool:
        """Whether these are all the legs of a stop and target that the venue can have."""
        return len(known) == len(legs.LEGS) or self._is_alone(known.get(legs.STOP), client_id)

    def _is_alone(self, stop: OrderState | None, client_id: str) -> bool:
        """Whether the target was not sold: that is done here, once the stop is gone and something is left of it."""
        if stop is None or not self._account.habits.holds_stops_alone:
            return False
        return not stop.status.final or stop.filled >= stop.quantity or client_id in self._alone

    async def find(self, symbol: str, client_id: str, *, fills: bool = True) -> OrderState | NotFound:
        """What the venue knows of an order.

        Args:
            symbol: Its market.
            client_id: Its id.
            fills: Whether its fills are asked for as well.

        Raises:
            VenueError: It does not answer: that is no ``NotFound``.
        """
        request = await self.request_of(client_id)
        in_legs = self._has_legs(request)
        if not in_legs and (found := await self._one(symbol, client_id, fills=fills)):
            return found
        if in_legs or request is None:
            known = await self._legs(symbol, client_id, fills=fills)
            if known:
                return self.whole(known, request)
        if request is not None and self.is_watched(request):
            self._untouched.add(client_id)
            return self.watched(request)
        return NotFound(client_id=client_id)

    async def _legs(self, symbol: str, client_id: str, *, fills: bool) -> dict[str, OrderState]:
        known: dict[str, OrderState] = {}
        for leg in legs.LEGS:
            part = await self._one(symbol, legs.leg_id(client_id, leg), fills=fills)
            known |= {leg: part} if part is not None else {}
            if self._is_alone(known.get(legs.STOP), client_id):
                break
        return known

    def whole(self, known: Mapping[str, OrderState], request: OrderRequest | None) -> OrderState:
        """The legs of a stop and target as one order; of one that is watched here its stop may have gone to market."""
        found = orders.oco_of(known)
        if request is not None:
            found = replace(
                found,
                type=request.type,
                quantity=request.quantity,
                trigger_price=request.trigger_price,
                limit_price=request.limit_price,
            )
        mine = {leg: replace(part, fills=tuple(replace(f, client_id=found.client_id) for f in part.fills))
                for leg, part in known.items()}  # fmt: skip
        return legs.together(found, mine)

    def watched(self, request: OrderRequest) -> OrderState:
        """The state of an order of which nothing is at the venue."""
        status = OrderStatus.CANCELLED if request.client_id in self._dropped else OrderStatus.OPEN
        return OrderState(
            symbol=request.symbol,
            side=request.side,
            client_id=request.client_id,
            venue_order_id=request.client_id,
            status=status,
            quantity=request.quantity,
            filled=request.quantity * 0,
            type=request.type,
            limit_price=request.limit_price,
            trigger_price=request.trigger_price,
        )

    async def _one(self, symbol: str, client_id: str, *, fills: bool) -> OrderState | None:
        raw = await self._raw(symbol, client_id)
        if raw is None:
            return None
        state = orders.order_state(raw)
        self.note(state)
        if not fills or not state.filled:
            return state
        traded = await self._account.trades_of(symbol, state.venue_order_id)
        return replace(state, fills=tuple(orders.fill_of(each, self.name, client_id) for each in traded))

    async def _raw(self, symbol: str, client_id: str) -> Raw | None:
        try:
            if self._account.habits.by_client_id:
                return await self._account.order(symbol, client_id)
        except Missing:
            return None
        return await self._called(symbol, client_id) or await self._listed(symbol, client_id)

    async def _called(self, symbol: str, client_id: str) -> Raw | None:
        """An order by what the venue calls it; ``None`` where that is not known, or it is another's."""
        venue_id = await self._id_of(client_id)
        if not venue_id:
            return None
        with suppress(Missing, Rejected):
            raw = await self._account.order(symbol, "", venue_id)
            return raw if raw.get("clientOrderId") == client_id else None
        return None

    async def is_called(self, client_id: str) -> bool:
        """Whether it is known what the venue calls an order; of a stop and target, its stop."""
        request = await self.request_of(client_id)
        if request is None or self.is_watched(request):
            return False
        is_oco = request.type is OrderType.OCO
        return bool(await self._id_of(legs.leg_id(client_id, legs.STOP) if is_oco else client_id))

    async def _id_of(self, client_id: str) -> str:
        """What the venue calls an order, as far as is known here or written down; of a stop and target, its stop."""
        if client_id in self._ids:
            return self._ids[client_id]
        whole, leg = legs.whole_of(client_id)
        written = await self._record.order(whole)
        if written is None or leg == legs.TARGET or written.venue_order_id == whole:
            return ""
        return written.venue_order_id

    async def _listed(self, symbol: str, client_id: str) -> Raw | None:
        """An order out of the venue's lists, both of which arrived whole; ``None`` where it is in neither."""
        written = await self._record.order(legs.whole_of(client_id)[0])
        since = written.created_at - _LISTED_BEFORE if written else self._clock.now() - _LISTED_FOR
        return await self._account.listed_order(symbol, client_id, to_millis(since))

    async def venue_id(self, symbol: str, client_id: str) -> str:
        """The venue's id of an order where it is needed; empty where the venue goes by client ids.

        Raises:
            Missing: The venue does not know the order.
        """
        if self._account.habits.by_client_id:
            return ""
        if client_id in self._ids:
            return self._ids[client_id]
        found = await self._one(symbol, client_id, fills=False)
        if found is None:
            raise Missing(f"{self.name} does not know the order {client_id}.")
        return found.venue_order_id

    def note(self, state: OrderState) -> None:
        """Remember an order by the venue's id of it."""
        self._seen[state.symbol, state.venue_order_id] = state
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._call(state.client_id, state.venue_order_id)

    def _call(self, client_id: str, venue_id: str) -> None:
        self._ids[client_id] = venue_id
        if len(self._ids) > _REMEMBERED:
            del self._ids[next(iter(self._ids))]

    async def of_trade(self, symbol: str, venue_id: str) -> OrderState:
        """The order of a trade, by the venue's id of it; how far it is may be older.

        Raises:
            VenueError: The venue does not answer, or does not know it.
        """
        if (symbol, venue_id) not in self._seen:
            self.note(orders.order_state(await self._account.order(symbol, "", venue_id)))
        return self._seen[symbol, venue_id]
