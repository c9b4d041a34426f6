"""How the paper venue's orders meet the market: along the price path, in the order of time.

Two things happen on the way. A bracket is *triggered* where the path first reaches its stop or its target; where that
is follows from the path alone. It then sells whole, at that moment, whatever the volume:

    stop      at what is bid when the price is at the stop, or at the price beyond it where the path jumped over it: the
              book that was observed, else the model's; what that lacks at its worst price, never better than the stop
    target    at the target, as an order does that rests there, or at the better price to which the path jumped over it

A market order *goes on* at each turning point of the path with whatever the book has there, until it is filled, or
nothing is left to pay or sell it with.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import assert_never

from engine.domain.errors import NoData
from engine.domain.market import Market
from engine.domain.money import Money
from engine.domain.orders import Fill, OrderStatus, Side
from engine.exchanges.paper_file import VenueFile
from engine.exchanges.paper_quote import Quote
from engine.exchanges.paper_rows import VenueOrder
from engine.ports import MarketFeed
from engine.simulation import fills
from engine.simulation.fills import QUOTE, RECEIVED, FillModel, Part
from engine.simulation.path import Crossing, first_change, first_crossing, is_another

_SPENT = "the cash does not pay for the rest"
_REPLACED = "what was traded under this name is no more"
_PAYOUT = "payout"
_SOLD = "what it was to sell is no longer held"

Point = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """A bracket's stop or target was reached."""

    order: VenueOrder
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turned:
    """A market's path turns, or lands after a jump: here orders go on."""

    at: datetime
    symbol: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replaced:
    """What was traded under a symbol is no more: its orders end at its last price."""

    at: datetime
    symbol: str
    price: Decimal


Happening = _Reached | _Turned | _Replaced


class Matching:
    """Fills the orders of a venue's file; the caller holds the transaction."""

    def __init__(self, file: VenueFile, feed: MarketFeed, model: FillModel) -> None:
        self._file = file
        self._feed = feed
        self._model = model

    def quote(self, symbol: str, at: datetime) -> Quote | None:
        """The market at a moment, or ``None`` where it has no price."""
        try:
            return self._quote(symbol, at, self._feed.price(symbol, at))
        except NoData:
            return None

    def _quote(self, symbol: str, at: datetime, price: Decimal) -> Quote:
        return Quote(mid=price, volume=self._volume(symbol, at), seen=self._feed.book(symbol, at))

    def free_cash(self, currency: str) -> Decimal:
        """What is not set aside for the open rest of buys."""
        fee = 1 + self._model.fee
        waiting = [order for order in self._file.open_orders() if _currencies(order)[1] == currency]
        reserved = sum((order.rest * order.reserve_price * fee for order in waiting), Decimal(0))
        return self._file.balance(currency) - reserved

    def free_holding(self, currency: str, besides: VenueOrder | None = None) -> Decimal:
        """What no other order is selling already; brackets that wait for their price set nothing aside."""
        selling = [
            order.rest
            for order in self._file.open_orders()
            if order.request.side is Side.SELL
            and not order.waits_for_price
            and _currencies(order)[0] == currency
            and (besides is None or order.venue_id != besides.venue_id)
        ]
        return self._file.balance(currency) - sum(selling, Decimal(0))

    def happenings(
        self, orders: Sequence[VenueOrder], advanced: Mapping[str, datetime], until: Mapping[str, datetime]
    ) -> list[Happening]:
        """What open orders meet on the way from where their markets were followed to, up to each market's end."""
        happenings: list[Happening] = []
        for symbol in sorted({order.request.symbol for order in orders} & advanced.keys() & until.keys()):
            turns = self._feed.path(symbol, advanced[symbol], until[symbol])
            path = self._with_ends(symbol, turns, advanced[symbol], until[symbol])
            landing = self._landing(symbol, turns, advanced[symbol])
            if landing is not None:
                turns, (at, price) = turns[:landing], turns[landing - 1]
                path = [*(point for point in path if point[0] < at), (at, price)]
                happenings.append(_Replaced(at=at, symbol=symbol, price=price))
            own = [order for order in orders if order.request.symbol == symbol]
            met = [reached for order in own if (reached := _reached(order, path)) is not None]
            happenings += [self._on_its_leg(one, until[symbol]) for one in met]
            if not all(order.waits_for_price for order in own):
                happenings += [_Turned(at=at, symbol=symbol, price=price) for at, price in dict(turns).items()]
        return sorted(happenings, key=_place)

    def is_another(self, symbol: str, price: Decimal, at: datetime) -> bool:
        """Whether what is traded now is something else than what the last closed candle was of."""
        last = self._last_trade(symbol, at)
        if last is None:
            return False
        traded_at, close = last
        return is_another(close, price, self._model.max_factor) or at - traded_at >= self._model.gone_for

    def _landing(self, symbol: str, turns: Sequence[Point], after: datetime) -> int | None:
        """Where the path first is that of something else, see ``first_change``."""
        last = self._last_trade(symbol, after) if turns else None
        return first_change(
            turns,
            max_factor=self._model.max_factor,
            gone_for=self._model.gone_for,
            traded_at=last[0] if last else after,
        )

    def _last_trade(self, symbol: str, at: datetime) -> tuple[datetime, Decimal] | None:
        """When the last candle before a moment closed, and its close; ``None`` where there was none."""
        try:
            candles = self._feed.candles(symbol, self._feed.timeframe, at, 1)
        except NoData:
            return None
        return (candles.closed_at, Decimal(repr(float(candles.close[-1])))) if len(candles) else None

    def carry_out(self, happenings: Sequence[Happening]) -> None:
        """Let orders trade as they are met; the caller holds the transaction."""
        for happening in happenings:
            match happening:
                case _Reached():
                    self._trigger(happening.order, happening.crossing)
                case _Turned():
                    self._go_on(happening)
                case _Replaced():
                    self._pay_out(happening)
                case _:
                    assert_never(happening)

    def begin(self, order: VenueOrder, quote: Quote | None) -> None:
        """Let a new order meet the market of now."""
        if quote is None:
            return
        if order.waits_for_price:
            reached = _reached(order, [(order.at, quote.mid)])
            if reached is not None:
                self._trigger(order, reached.crossing)
        else:
            self._take(order, order.at, quote)

    def cancel(self, order: VenueOrder, at: datetime, reason: str) -> VenueOrder:
        """End an order with whatever of it has traded."""
        return self._end(order, OrderStatus.CANCELLED, at, reason)

    def _with_ends(self, symbol: str, turns: Sequence[Point], after: datetime, until: datetime) -> list[Point]:
        """The path from end to end; where there is no price at first, from where it resumes."""
        start, end = self._price(symbol, after), self._price(symbol, until)
        if start is not None:
            points = [(after, start), *turns]
        else:
            skipped = sum(at == turns[0][0] for at, _ in turns[:2]) - 1 if turns else 0
            points = list(turns[skipped:])
        if end is not None and points[-1:] != [(until, end)]:
            points.append((until, end))
        return points

    def _on_its_leg(self, reached: _Reached, until: datetime) -> _Reached:
        """The same, timed by the whole straight line that it lies on.

        Between two looks of the venue there is a piece of that line whose ends are rounded to ticks: timed by the
        piece, a fill would tell at which moments somebody happened to look.
        """
        span, crossing, order = self._feed.timeframe.duration, reached.crossing, reached.order
        turns = self._feed.path(order.request.symbol, crossing.at - span, crossing.at + span)
        before = [point for point in turns if point[0] <= crossing.at][-1:]
        after = [point for point in turns if point[0] > crossing.at][:1]
        if not before or not after:
            return reached
        (begin, first), (end, last) = *before, *after
        if first == last or not min(first, last) <= crossing.price <= max(first, last):
            return reached
        at = begin + (end - begin) * float((crossing.price - first) / (last - first))
        return replace(reached, crossing=replace(crossing, at=max(order.at, min(at, until))))

    def _price(self, symbol: str, at: datetime) -> Decimal | None:
        try:
            return self._feed.price(symbol, at)
        except NoData:
            return None

    def _volume(self, symbol: str, at: datetime) -> Decimal:
        try:
            return self._feed.volume(symbol, at)
        except NoData:
            return Decimal(0)

    def _trigger(self, order: VenueOrder, crossing: Crossing) -> None:
        """Turn a bracket into a sale of all that is held of it."""
        order = replace(order, closed_by="stop" if crossing.fell else "target")
        self._file.save_order(order)
        if crossing.fell:
            self._take(order, crossing.at, self._quote(order.request.symbol, crossing.at, crossing.price))
            return
        market, target = self._market(order), order.request.limit_price or crossing.price
        price = fills.target_price(crossing.price, target, market, self._model)
        sold = min(order.rest, self.free_holding(market.base, order))
        self._apply(order, crossing.at, [fills.part(sold, price, self._model)] if sold > 0 else [], _SOLD)

    def _pay_out(self, replaced: _Replaced) -> None:
        """End every order: what was to be sold is paid at its last price, never at that of another coin."""
        for order in [each for each in self._file.open_orders() if each.request.symbol == replaced.symbol]:
            sold = min(order.rest, self.free_holding(self._market(order).base, order))
            if order.request.side is Side.SELL and sold > 0:
                order = replace(order, closed_by=_PAYOUT)  # noqa: PLW2901 - the same order, as it ends
                self._apply(order, replaced.at, [fills.part(sold, replaced.price, self._model)], _SOLD)
            else:
                self.cancel(order, replaced.at, _REPLACED)

    def _go_on(self, turn: _Turned) -> None:
        """Let the market orders that still wait take from the book of a turning point."""
        waiting = [
            order
            for order in self._file.open_orders()
            if order.request.symbol == turn.symbol and not order.waits_for_price and order.at <= turn.at
        ]
        if waiting:
            quote = self._quote(turn.symbol, turn.at, turn.price)
            for order in waiting:
                self._take(order, turn.at, quote)

    def _take(self, order: VenueOrder, at: datetime, quote: Quote) -> None:
        """Let an order take from the book what it has (a stop: all), what the cash pays, and what is held."""
        market, side = self._market(order), order.request.side
        offered = quote.offered(side, market, self._model)
        if side is Side.BUY:
            wanted = fills.walk(order.rest, offered, self._model)
            cash = self.free_cash(market.quote) + order.rest * order.reserve_price * (1 + self._model.fee)
            taken = fills.affordable(wanted, cash, market, self._model)
            self._apply(order, at, taken, _SPENT if taken != wanted else "")
        else:
            held = max(self.free_holding(market.base, order), Decimal(0))
            sold = min(order.rest, held)
            if order.closed_by:
                taken = fills.sold_whole(sold, quote.mid, offered, market, self._model)
            else:
                taken = fills.walk(sold, offered, self._model)
            sold_out = held < order.rest and sum((part.quantity for part in taken), Decimal(0)) >= held
            self._apply(order, at, taken, _SOLD if sold_out else "")

    def _apply(self, order: VenueOrder, at: datetime, parts: Sequence[Part], give_up: str) -> None:
        """Book the parts; then the order is filled, waits on, or, with a reason to give up, is cancelled."""
        market = self._market(order)
        sign = 1 if order.request.side is Side.BUY else -1
        for part in parts:
            fee = self._fee(order, part, at)
            self._file.add_fill(_fill(order, part, fee, self._file.next_fill_id(), at))
            self._file.add_balance(market.base, sign * part.quantity)
            self._file.add_balance(market.quote, -sign * part.notional)
            self._file.add_balance(fee.currency, -fee.amount)
            order = replace(order, filled=order.filled + part.quantity)
        if order.rest == 0:
            self._end(order, OrderStatus.FILLED, at, "")
        elif give_up:
            self.cancel(order, at, give_up)
        elif parts:
            self._file.save_order(order)

    def _fee(self, order: VenueOrder, part: Part, at: datetime) -> Money:
        """The fee as the model has it taken; of what is received where there is too little of a third currency."""
        market, buys = self._market(order), order.request.side is Side.BUY
        wanted = self._model.fee_in
        if wanted not in (QUOTE, RECEIVED):
            price = self._model.fee_price or self._price(f"{wanted}/{market.quote}", at)
            fee = fills.fee_of(part, wanted, price) if price else None
            if fee is not None and fee.amount <= self._file.balance(wanted):
                return fee
        if wanted != QUOTE and buys:
            return fills.fee_of(part, market.base, part.price)
        return Money(amount=part.fee, currency=market.quote)

    def _end(self, order: VenueOrder, status: OrderStatus, at: datetime, reason: str) -> VenueOrder:
        order = replace(order, status=status, reason=reason)
        self._file.save_order(order)
        self._file.add_event(order.request.client_id, status, at)
        return order

    def _market(self, order: VenueOrder) -> Market:
        return self._feed.markets[order.request.symbol]


def _currencies(order: VenueOrder) -> tuple[str, str]:
    """Base and quote; from the symbol, as the feed may no longer have the market."""
    base, _, quote = order.request.symbol.partition("/")
    return base, quote


def _reached(order: VenueOrder, path: Sequence[Point]) -> _Reached | None:
    """Where a path triggers an order, if it is a bracket and the path does after it was placed."""
    stop, target = order.request.trigger_price, order.request.limit_price
    if not order.waits_for_price or stop is None or target is None:
        return None
    crossing = first_crossing(_since(order.at, path, stop, target), stop, target)
    return _Reached(order=order, crossing=crossing) if crossing else None


def _since(at: datetime, path: Sequence[Point], stop: Decimal, target: Decimal) -> Sequence[Point]:
    """A path from the moment on when a bracket was placed: then the price was between its stop and its target."""
    later = bisect_left(path, at, key=itemgetter(0))
    if later == 0:
        return path
    _, price = path[later - 1]
    return [(at, price), *path[later:]] if stop < price < target else path[later:]


def _place(happening: Happening) -> tuple[datetime, int, str, int]:
    """The order of happenings: by time; what waits goes on before a bracket is triggered and joins it."""
    match happening:
        case _Reached(order=order, crossing=crossing):
            return crossing.at, 1, "", order.venue_id
        case _Turned(at=at, symbol=symbol):
            return at, 0, symbol, 0
        case _Replaced(at=at, symbol=symbol):
            return at, 2, symbol, 0
        case _:
            assert_never(happening)


def _fill(order: VenueOrder, part: Part, fee: Money, trade_id: int, at: datetime) -> Fill:
    return Fill(
        venue=order.request.venue,
        trade_id=str(trade_id),
        client_id=order.request.client_id,
        symbol=order.request.symbol,
        side=order.request.side,
        quantity=part.quantity,
        price=part.price,
        fee=fee,
        at=at,
    )
