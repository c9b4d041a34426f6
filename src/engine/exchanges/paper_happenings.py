"""What the paper venue's open orders meet along the price path: when, and at which price.

It follows from the path and the orders alone, whatever the moments at which somebody looks, and tells nothing of how
much is traded then (``paper_matching``):

    reached    the path first comes to an order's trigger: its stop or its target, or the price at which a trailing stop
               has followed the best one
    touched    something is traded where a limit rests, or beyond (``order_prices.touches``)
    turned     the path turns: here orders at market go on
    followed   the best price of a trailing stop has changed
    replaced   what was traded under the symbol is no more
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import assert_never

from engine.domain.errors import NoData
from engine.domain.orders import OrderType, Side
from engine.exchanges.paper_rows import VenueOrder
from engine.ports import MarketFeed
from engine.simulation.fills import FillModel
from engine.simulation.order_prices import Point, first_retreat, touches
from engine.simulation.path import Crossing, first_change, first_crossing, is_another

_LOWEST, _HIGHEST = Decimal(0), Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An order's trigger was reached."""

    order: VenueOrder
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Something was traded where an order's limit rests: at its limit, or at the price beyond it to which it jumped."""

    order: VenueOrder
    at: datetime
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A market's path turns, or lands after a jump: here orders go on."""

    at: datetime
    symbol: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A trailing stop has a better best price than before."""

    order: VenueOrder
    at: datetime
    best: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What was traded under a symbol is no more: its orders end at its last price."""

    at: datetime
    symbol: str
    price: Decimal


Happening = Reached | Touched | Turned | Followed | Replaced


class Happenings:
    """Finds them along a feed."""

    def __init__(self, feed: MarketFeed, model: FillModel) -> None:
        self._feed = feed
        self._model = model

    def between(
        self, orders: Sequence[VenueOrder], advanced: Mapping[str, datetime], until: Mapping[str, datetime]
    ) -> list[Happening]:
        """What open orders meet on the way from where their markets were followed to, up to each market's end."""
        happenings: list[Happening] = []
        for symbol in sorted({order.request.symbol for order in orders} & advanced.keys() & until.keys()):
            own = [order for order in orders if order.request.symbol == symbol]
            happenings += self._of_market(symbol, own, advanced[symbol], until[symbol])
        return sorted(happenings, key=_place)

    def _of_market(
        self, symbol: str, own: Sequence[VenueOrder], after: datetime, until: datetime
    ) -> Iterator[Happening]:
        turns = self._feed.path(symbol, after, until)
        path = self._with_ends(symbol, turns, after, until)
        landing = self._landing(symbol, turns, after)
        if landing is not None:
            turns, (at, price) = turns[:landing], turns[landing - 1]
            path = [*(point for point in path if point[0] < at), (at, price)]
            yield Replaced(at=at, symbol=symbol, price=price)
        met = [self._on_its_leg(one, until) for one in (reached(order, path) for order in own) if one is not None]
        yield from met
        if any(order.goes_on for order in own) or any(_goes_on(one.order) for one in met):
            for at, price in dict(turns).items():
                yield Turned(at=at, symbol=symbol, price=price)
        yield from (one for one in (_followed(order, path, until) for order in own) if one is not None)
        resting = [(order, max(after, order.at)) for order in own if order.rests]
        resting += [(one.order, one.crossing.at) for one in met if one.order.request.type is OrderType.STOP_LIMIT]
        if resting:
            lines = self._lines(symbol, turns, after, None if landing is not None else until)
            yield from (each for order, since in resting for each in _touched(order, lines, since, until))

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """The price at a moment, or ``None`` where there is none."""
        try:
            return self._feed.price(symbol, at)
        except NoData:
            return None

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

    def _with_ends(self, symbol: str, turns: Sequence[Point], after: datetime, until: datetime) -> list[Point]:
        """The path from end to end; where there is no price at first, from where it resumes."""
        start, end = self.price(symbol, after), self.price(symbol, until)
        if start is not None:
            points = [(after, start), *turns]
        else:
            skipped = sum(at == turns[0][0] for at, _ in turns[:2]) - 1 if turns else 0
            points = list(turns[skipped:])
        if end is not None and points[-1:] != [(until, end)]:
            points.append((until, end))
        return points

    def _on_its_leg(self, reached: Reached, until: datetime) -> Reached:
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

    def _lines(self, symbol: str, turns: Sequence[Point], after: datetime, until: datetime | None) -> Sequence[Point]:
        """The whole straight lines that lead through a part of the path; they go on beyond its end, if it has one."""
        span = self._feed.timeframe.duration
        beyond = self._feed.path(symbol, until, until + span)[:1] if until is not None else ()
        return [*self._feed.path(symbol, after - span, after), *turns, *beyond]


def reached(order: VenueOrder, path: Sequence[Point]) -> Reached | None:
    """Where a path triggers an order, if it waits for that and the path does after it was placed."""
    if not order.waits_for_price:
        return None
    if order.request.type is OrderType.TRAILING_STOP:
        best, crossing = _trail(order, path)
        order = replace(order, best=best)
    else:
        low, high = _bounds(order)
        crossing = first_crossing(_since(order.at, path, low, high), low, high)
    return Reached(order=order, crossing=crossing) if crossing else None


def _bounds(order: VenueOrder) -> tuple[Decimal, Decimal]:
    """Between which prices an order waits."""
    asked = order.request
    trigger = asked.trigger_price or _LOWEST
    if asked.type is OrderType.OCO:
        return trigger, asked.limit_price or _HIGHEST
    falls = (asked.side is Side.SELL) != (asked.type is OrderType.TAKE_PROFIT)
    return (trigger, _HIGHEST) if falls else (_LOWEST, trigger)


def _trail(order: VenueOrder, path: Sequence[Point]) -> tuple[Decimal | None, Crossing | None]:
    """How far a trailing stop has followed the price, and where it came back to it."""
    best, distance = order.best, order.request.trailing
    if best is None or distance is None:
        return best, None
    return first_retreat(_since(order.at, path, _LOWEST, _HIGHEST), best, distance, order.request.side)


def _followed(order: VenueOrder, path: Sequence[Point], until: datetime) -> Followed | None:
    """Whether a trailing stop has followed the price without being reached."""
    if order.request.type is not OrderType.TRAILING_STOP or not order.waits_for_price:
        return None
    best, crossing = _trail(order, path)
    if best is None or crossing or best == order.best:
        return None
    return Followed(order=order, at=until, best=best)


def _touched(order: VenueOrder, lines: Sequence[Point], since: datetime, until: datetime) -> Iterator[Touched]:
    """Where a path comes to an order's limit after a moment, as far as it is known."""
    limit = order.request.limit_price
    if limit is not None:
        for at, price in touches(lines, limit, order.request.side):
            if since < at <= until:
                yield Touched(order=order, at=at, price=price)


def _goes_on(order: VenueOrder) -> bool:
    """Whether an order that is reached may wait for more than it finds."""
    return order.request.type is OrderType.TAKE_PROFIT


def _since(at: datetime, path: Sequence[Point], low: Decimal, high: Decimal) -> Sequence[Point]:
    """A path from the moment on when an order was placed: then the price was between those that it waits for."""
    later = bisect_left(path, at, key=itemgetter(0))
    if later == 0:
        return path
    _, price = path[later - 1]
    return [(at, price), *path[later:]] if low < price < high else path[later:]


def time_of(happening: Happening) -> datetime:
    """When something happens."""
    return happening.crossing.at if isinstance(happening, Reached) else happening.at


def _place(happening: Happening) -> tuple[datetime, int, str, int]:
    """The order of happenings: by time; what waits goes on before a stop or target is reached and joins it."""
    match happening:
        case Reached(order=order, crossing=crossing):
            return crossing.at, 1, "", order.venue_id
        case Touched(order=order, at=at):
            return at, 1, "", order.venue_id
        case Turned(at=at, symbol=symbol):
            return at, 0, symbol, 0
        case Followed(order=order, at=at):
            return at, 2, "", order.venue_id
        case Replaced(at=at, symbol=symbol):
            return at, 3, symbol, 0
        case _:
            assert_never(happening)
