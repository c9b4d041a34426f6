"""How the paper venue's orders are filled where they meet the market (``paper_happenings``), in the order of time.

    MARKET         takes what the book has, and goes on at each turning point of the path with whatever the book has
                   there, until it is filled, or nothing is left to pay or sell it with
    LIMIT          takes what the book has at its limit or better; the rest waits there. Each time that something is
                   traded at its limit, or beyond, it is filled at its limit: by no more than one side of a book would
                   hold. Where the path jumps over it, a sale gets the better price, as a target does; a purchase does
                   not: that the price fell may be known only of two looks, and these prove nothing between them
    STOP           trades whole at its trigger, whatever the volume: at what the book has when the price is there, or at
                   the price beyond it where the path jumped over it. What the book lacks trades at its worst price
    TRAILING_STOP  the same, at a trigger that follows the best price
    STOP_LIMIT     from its trigger on is a LIMIT
    TAKE_PROFIT    from its trigger on is a MARKET
    OCO            its stop is a STOP; its target sells whole at its price, as an order does that rests there, or at the
                   better price to which the path jumped over it

IOC expires with what it gets when it begins to act; FOK expires with nothing where it does not get all of it then.
A purchase is cut to what its cash pays, a sale to what is still held: coins that wait for a trigger are not set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from engine.domain.errors import NoData
from engine.domain.market import Level, Market
from engine.domain.money import Money
from engine.domain.orders import Fill, OrderStatus, OrderType, Side, TimeInForce
from engine.exchanges.paper_file import VenueFile
from engine.exchanges.paper_happenings import (
    Followed,
    Happening,
    Happenings,
    Reached,
    Replaced,
    Touched,
    Turned,
    reached,
)
from engine.exchanges.paper_quote import Quote
from engine.exchanges.paper_rows import PAYOUT, STOP, TARGET, VenueOrder
from engine.ports import MarketFeed
from engine.simulation import fills
from engine.simulation.fills import QUOTE, RECEIVED, FillModel, Part
from engine.simulation.path import Crossing

_SPENT = "the cash does not pay for the rest"
_REPLACED = "what was traded under this name is no more"
_SOLD = "what it was to sell is no longer held"
_NOT_AT_ONCE = "the rest could not be filled at once"
_NOT_WHOLE = "it could not be filled whole at once"


class Matching:
    """Fills the orders of a venue's file; the caller holds the transaction."""

    def __init__(self, file: VenueFile, feed: MarketFeed, model: FillModel) -> None:
        self._file = file
        self._feed = feed
        self._model = model
        self._happenings = Happenings(feed, model)

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
        """What no other order is selling already; those that wait for a trigger set nothing aside."""
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
        return self._happenings.between(orders, advanced, until)

    def is_another(self, symbol: str, price: Decimal, at: datetime) -> bool:
        """Whether what is traded now is something else than what the last closed candle was of."""
        return self._happenings.is_another(symbol, price, at)

    def carry_out(self, happenings: Sequence[Happening]) -> None:
        """Let orders trade as they are met; the caller holds the transaction."""
        for happening in happenings:
            match happening:
                case Reached():
                    self._trigger(happening.order, happening.crossing)
                case Touched():
                    self._touch(happening)
                case Turned():
                    self._go_on(happening)
                case Followed():
                    self._follow(happening)
                case Replaced():
                    self._pay_out(happening)
                case _:
                    assert_never(happening)

    def begin(self, order: VenueOrder, quote: Quote | None) -> None:
        """Let a new order meet the market of now."""
        if quote is None:
            return
        if order.waits_for_price:
            at_once = reached(order, [(order.at, quote.mid)])
            if at_once is not None:
                self._trigger(order, at_once.crossing)
        else:
            self._take(order, order.at, quote)

    def cancel(self, order: VenueOrder, at: datetime, reason: str) -> VenueOrder:
        """End an order with whatever of it has traded."""
        return self._end(order, OrderStatus.CANCELLED, at, reason)

    def _volume(self, symbol: str, at: datetime) -> Decimal:
        try:
            return self._feed.volume(symbol, at)
        except NoData:
            return Decimal(0)

    def _trigger(self, order: VenueOrder, crossing: Crossing) -> None:
        """Let an order act that waited for a price."""
        order = replace(order, closed_by=_why(order, crossing))
        self._file.save_order(order)
        if order.request.type is OrderType.OCO and not crossing.fell:
            self._sell_at_target(order, crossing)
        else:
            self._take(order, crossing.at, self._quote(order.request.symbol, crossing.at, crossing.price))

    def _sell_at_target(self, order: VenueOrder, crossing: Crossing) -> None:
        """Sell whole what was held for a target."""
        market, target = self._market(order), order.request.limit_price or crossing.price
        price = fills.target_price(crossing.price, target, market, self._model)
        sold = min(order.rest, self.free_holding(market.base, order))
        self._apply(order, crossing.at, [fills.part(sold, price, self._model)] if sold > 0 else [], _SOLD)

    def _follow(self, followed: Followed) -> None:
        """Keep the best price of a trailing stop, where it has not ended meanwhile."""
        order = self._file.order(followed.order.request.client_id)
        if order is not None and not order.status.final:
            self._file.save_order(replace(order, best=followed.best))

    def _touch(self, touched: Touched) -> None:
        """Fill an order that rests by what is traded there."""
        order = self._file.order(touched.order.request.client_id)
        limit = touched.order.request.limit_price
        if order is None or order.status.final or not order.rests or limit is None:
            return
        market, side = self._market(order), order.request.side
        there = fills.resting(order.rest, self._volume(market.symbol, touched.at), market, self._model)
        price = limit if side is Side.BUY else fills.target_price(touched.price, limit, market, self._model)
        self._trade(order, touched.at, [Level(price=price, quantity=there)])

    def _pay_out(self, replaced: Replaced) -> None:
        """End every order: what was to be sold is paid at its last price, never at that of another coin."""
        for order in [each for each in self._file.open_orders() if each.request.symbol == replaced.symbol]:
            sold = min(order.rest, self.free_holding(self._market(order).base, order))
            if order.request.side is Side.SELL and sold > 0:
                order = replace(order, closed_by=PAYOUT)  # noqa: PLW2901 - the same order, as it ends
                self._apply(order, replaced.at, [fills.part(sold, replaced.price, self._model)], _SOLD)
            else:
                self.cancel(order, replaced.at, _REPLACED)

    def _go_on(self, turn: Turned) -> None:
        """Let the market orders that still wait take from the book of a turning point."""
        waiting = [
            order
            for order in self._file.open_orders()
            if order.request.symbol == turn.symbol and order.goes_on and order.at <= turn.at
        ]
        if waiting:
            quote = self._quote(turn.symbol, turn.at, turn.price)
            for order in waiting:
                self._take(order, turn.at, quote)

    def _take(self, order: VenueOrder, at: datetime, quote: Quote) -> None:
        """Let an order take from the book what it has, at its limit or better where it has one."""
        offered, limit = quote.offered(order.request.side, self._market(order), self._model), order.request.limit_price
        if order.rests and limit is not None:
            offered = fills.at_limit(order.request.side, limit, offered)
        self._trade(order, at, offered, quote.mid)

    def _trade(self, order: VenueOrder, at: datetime, offered: Sequence[Level], mid: Decimal | None = None) -> None:
        """Let an order have what is offered (a stop: all, from there on), what the cash pays, and what is held."""
        market, side = self._market(order), order.request.side
        held = order.rest if side is Side.BUY else max(self.free_holding(market.base, order), Decimal(0))
        wanted = min(order.rest, held)
        if order.is_stop and mid is not None:
            found = fills.taken_whole(side, wanted, mid, offered, market, self._model)
        else:
            found = fills.walk(wanted, offered, self._model)
        if side is Side.BUY:
            cash = self.free_cash(market.quote) + order.rest * order.reserve_price * (1 + self._model.fee)
            taken = fills.affordable(found, cash, market, self._model)
            self._settle(order, at, taken, _SPENT if taken != found else "")
        else:
            sold_out = held < order.rest and _sum(found) >= held
            self._settle(order, at, found, _SOLD if sold_out else "")

    def _settle(self, order: VenueOrder, at: datetime, parts: Sequence[Part], give_up: str) -> None:
        """Book the parts as far as the order's time in force allows."""
        terms = order.request.time_in_force
        if terms is TimeInForce.FOK and _sum(parts) < order.rest:
            self._end(order, OrderStatus.EXPIRED, at, _NOT_WHOLE)
        else:
            self._apply(order, at, parts, give_up, expires=terms is TimeInForce.IOC)

    def _apply(
        self, order: VenueOrder, at: datetime, parts: Sequence[Part], give_up: str, *, expires: bool = False
    ) -> None:
        """Book the parts; then the order is filled, waits on, expires, or, with a reason to give up, is cancelled."""
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
        elif expires:
            self._end(order, OrderStatus.EXPIRED, at, _NOT_AT_ONCE)
        elif parts:
            self._file.save_order(order)

    def _fee(self, order: VenueOrder, part: Part, at: datetime) -> Money:
        """The fee as the model has it taken; of what is received where there is too little of a third currency."""
        market, buys = self._market(order), order.request.side is Side.BUY
        wanted = QUOTE if self._model.fee_in == market.quote else self._model.fee_in
        if wanted not in (QUOTE, RECEIVED):
            price = self._model.fee_price or self._happenings.price(f"{wanted}/{market.quote}", at)
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


def _why(order: VenueOrder, crossing: Crossing) -> str:
    """What made an order act: a stop, or a target."""
    if order.request.type is OrderType.OCO:
        return STOP if crossing.fell else TARGET
    return TARGET if order.request.type is OrderType.TAKE_PROFIT else STOP


def _sum(parts: Sequence[Part]) -> Decimal:
    return sum((part.quantity for part in parts), Decimal(0))


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
