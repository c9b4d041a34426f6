"""What happened to an account's orders at a real venue: fills by trade id, and orders that have ended.

Fills are read off the account's trades alone, never off an order's sums, so each counts once whoever tells of it. An
order has ended for us only once all that the venue filled of it is told. At each look the open orders of the markets
where we have some are asked for, or those under way by the venue's ids of them where it tells them so; an order that is
missing there is asked for by itself. Trades are asked for where something was filled, and everywhere once a minute, for
others may trade on the same account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.domain.errors import UnknownCursor
from engine.domain.market import to_millis
from engine.domain.orders import NotFound, Order, OrderState, OrderStatus
from engine.exchanges.ccxt import orders, taken_in
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.budget import asking
from engine.exchanges.ccxt.lookup import Lookup
from engine.exchanges.ccxt.noes import Missing, Rejected
from engine.exchanges.ccxt.taken_in import TakenIn
from engine.exchanges.ccxt.turns import Urgency
from engine.exchanges.ccxt.watching import Watching
from engine.ports import Clock, Cursor, EventBatch, VenueEvent

Raw = Mapping[str, Any]

SWEEP_EVERY = timedelta(minutes=1)
"""How often trades are asked for in every market, whether an order of ours is there or not."""


class Happenings:
    """Reads an account's events.

    Args:
        name: The venue, as our orders name it.
        symbols: The markets that are looked at, whoever trades there.
    """

    def __init__(
        self,
        *,
        name: str,
        account: VenueAccount,
        lookup: Lookup,
        watching: Watching,
        clock: Clock,
        symbols: Collection[str],
    ) -> None:
        self._name = name
        self._account = account
        self._lookup = lookup
        self._watching = watching
        self._clock = clock
        self._symbols = tuple(symbols)
        self._swept = float("-inf")
        self._going_on: set[Cursor | None] = set()
        """With any other cursor somebody goes on elsewhere than where this one is."""
        self._checked: set[str] = set()
        self._stirred: set[str] = set()

    def stir(self, symbol: str) -> None:
        """Have a market's trades asked for at the next look: the venue told of something there."""
        self._stirred.add(symbol)

    async def after(self, cursor: Cursor | None) -> EventBatch:
        """What happened after a cursor, in order; with ``None`` as far back as the venue tells at once.

        It goes before lists, for who asks may be about to sell: who only looks in now and then asks first whether there
        is room (``VenueAccount.has_room_for_a_look``), and leaves it to the next time where there is none.
        """
        taken = TakenIn.read(cursor, self._account.label) if cursor else self._from_now()
        self._account.begin_look()
        under_way = await self._lookup.under_way()
        await self._watching.look(list(under_way.values()))
        with asking(Urgency.NEWS):
            states = await self._states(under_way)
        begins = self._clock.monotonic()
        due = begins - self._swept >= SWEEP_EVERY.total_seconds() and self._account.has_room_for_a_look
        sweeps = cursor is None or cursor not in self._going_on or due
        asked = self._stirred | {states[name].symbol for name in _with_news(states, under_way)}
        symbols = dict.fromkeys([*sorted(asked), *(self._all(taken, under_way) if sweeps else ())])
        found: list[Raw] = []
        for symbol in symbols:
            with asking(Urgency.NEWS if symbol in asked else Urgency.ROUTINE):
                new = await (self._newest_trades(symbol) if cursor is None else self._new_trades(taken, symbol))
            taken = taken.and_(symbol, new)
            found += new
        with asking(Urgency.NEWS):
            events = await self._filled(found, states, under_way)
        events += self._ended(events, states, under_way)
        self._stirred -= set(symbols)
        if sweeps:
            self._swept = begins
        batch = EventBatch(events=tuple(events), cursor=taken.cursor())
        self._going_on = {batch.cursor} if events else {batch.cursor, cursor}
        return batch

    def _from_now(self) -> TakenIn:
        skew = self._account.skew or 0.0
        return TakenIn(
            venue=self._account.label, since_ms=to_millis(self._clock.now() + timedelta(seconds=skew)), trades={}
        )

    def _all(self, taken: TakenIn, under_way: Mapping[str, Order]) -> Sequence[str]:
        """Every market that may have trades of ours and is still listed."""
        known = (*self._symbols, *taken.trades, *(order.request.symbol for order in under_way.values()))
        return [symbol for symbol in dict.fromkeys(known) if symbol in self._account.markets]

    async def _states(self, under_way: Mapping[str, Order]) -> dict[str, OrderState]:
        """Where each order is that was at the venue: with others in one call, else asked for by itself."""
        there: dict[str, dict[str, OrderState]] = {}
        ends = {client_id: end for client_id in under_way if (end := self._lookup.end_of(client_id)) is not None}
        held = [
            order
            for client_id, order in under_way.items()
            if client_id not in ends and not self._lookup.is_watched(order.request)
        ]
        for state in orders.order_states(await self._told_of(held)):
            self._lookup.note(state)
            whole, leg = orders.as_whole(state)
            there.setdefault(whole.client_id, {})[leg] = state
        states: dict[str, OrderState] = {}
        for client_id, order in under_way.items():
            known = there.get(client_id, {})
            if client_id in ends:
                states[client_id] = ends[client_id]
            elif "" in known:
                states[client_id] = known[""]
            elif self._lookup.is_whole(known, client_id):
                states[client_id] = self._lookup.whole(known, order.request)
            elif self._lookup.is_untouched(client_id):
                states[client_id] = self._lookup.watched(order.request)
            else:
                found = await self._lookup.find(order.request.symbol, client_id, fills=False)
                if not isinstance(found, NotFound):
                    states[client_id] = found
        return states

    async def _told_of(self, held: Sequence[Order]) -> Sequence[Raw]:
        """Orders by the venue's ids where it tells them so, else the open ones of each market where there are some."""
        if self._account.habits.told_by_ids:
            with suppress(Missing, Rejected):  # not said of which
                return await self._account.orders_of([each for order in held for each in self._lookup.ids_of(order)])
        symbols = dict.fromkeys(order.request.symbol for order in held)
        return [raw for symbol in symbols for raw in await self._account.open_orders(symbol)]

    async def _newest_trades(self, symbol: str) -> list[Raw]:
        """The newest trades of a market, each of an order that the venue still lists."""
        listed = orders.order_states(await self._account.newest_orders(symbol))
        for state in listed:
            self._lookup.note(state)
        return taken_in.in_order(await self._account.newest_trades(symbol))

    async def _new_trades(self, taken: TakenIn, symbol: str) -> list[Raw]:
        told = await self._account.trades_from(symbol, taken.begins(symbol), to_millis(self._clock.now()))
        new, continues = taken_in.after(told, taken, symbol)
        if symbol not in self._checked and not continues:
            raise UnknownCursor(f"{self._name} does not know the trades in {symbol} that were taken in.")
        self._checked.add(symbol)
        return new

    async def _filled(
        self, raws: Sequence[Raw], states: Mapping[str, OrderState], under_way: Mapping[str, Order]
    ) -> list[VenueEvent]:
        """An event for each trade, with its order as the venue tells it; one under way has not ended yet by it."""
        events = []
        for raw in taken_in.in_order(raws):
            state, leg = await self._order_of(raw, states)
            fill = orders.fill_of(raw, self._name, state.client_id)
            if state.client_id in under_way and state.status.final:
                state = replace(state, status=OrderStatus.OPEN)
            events.append(VenueEvent(at=fill.at, order=replace(state, closed_by=leg or state.closed_by), fill=fill))
        return events

    async def _order_of(self, raw: Raw, states: Mapping[str, OrderState]) -> tuple[OrderState, str]:
        """The order that a trade is of, a leg's as the whole of it, and which leg it is."""
        own = await self._lookup.of_trade(raw["symbol"], str(raw.get("order") or ""))
        whole, leg = orders.as_whole(own)
        if leg:
            self._lookup.touch(whole.client_id)
        if whole.client_id in states:
            return states[whole.client_id], leg
        if not leg:
            return own, leg
        found = await self._lookup.find(own.symbol, whole.client_id, fills=False)
        return (found, leg) if isinstance(found, OrderState) else (own, leg)

    def _ended(
        self, events: Sequence[VenueEvent], states: Mapping[str, OrderState], under_way: Mapping[str, Order]
    ) -> list[VenueEvent]:
        """An event for each order that has ended and whose fills are all told."""
        found = []
        for client_id, state in states.items():
            new = sum(
                (each.fill.quantity for each in events if each.fill and each.fill.client_id == client_id), Decimal(0)
            )
            known = under_way[client_id].filled if client_id in under_way else Decimal(0)
            if state.status.final and known + new >= state.filled:
                found.append(VenueEvent(at=self._now_after(events), order=state))
        return found

    def _now_after(self, events: Sequence[VenueEvent]) -> datetime:
        return max([self._clock.now(), *(each.at for each in events)])


def _with_news(states: Mapping[str, OrderState], under_way: Mapping[str, Order]) -> list[str]:
    """The orders of which more was filled than is written down."""
    return [name for name, state in states.items() if state.filled > under_way[name].filled]
