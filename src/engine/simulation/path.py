"""The price inside a candle: straight lines from open over both extremes to close.

    open ──▶ first extreme ──▶ second extreme ──▶ close        at 0, 1/3, 2/3 and 1 of the candle

The low comes first where the candle closes at or above its open, the high where it falls; by the rule ``worst``
(``intrabar``) it is always the low. A candle that opens away from
the last close is a jump: two points at one time. Missing candles are a flat line at the last close, then a jump to
where the price resumes; ``price_at`` has no price meanwhile, because nobody could trade at one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.market import Candles
from engine.simulation.intrabar import Intrabar, is_low_first

if TYPE_CHECKING:
    from engine.domain.market import Millis

LEGS = 3
"""How many straight lines lead through a candle."""
_SECOND = 1000
"""Of the trades in so many milliseconds those are left out that tell nothing of where the price went."""

Trade = tuple[int, float]
"""When something was traded, in milliseconds since 1970, and at what price."""


def sound(candles: Candles) -> Candles:
    """Only the candles whose prices are finite, positive and consistent: the others have no path."""
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    consistent = (candles.low <= prices.min(axis=0)) & (candles.high >= prices.max(axis=0))
    good = np.isfinite(prices).all(axis=0) & (prices > 0).all(axis=0) & consistent
    if good.all():
        return candles
    return Candles(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        open_ms=candles.open_ms[good],
        open=candles.open[good],
        high=candles.high[good],
        low=candles.low[good],
        close=candles.close[good],
        volume=candles.volume[good],
    )


def knots(candles: Candles, index: int, rule: Intrabar = Intrabar.PATH) -> tuple[float, float, float, float]:
    """The four prices a candle's path leads through, in order."""
    first, last = float(candles.open[index]), float(candles.close[index])
    low, high = float(candles.low[index]), float(candles.high[index])
    low_first = is_low_first(first, last, rule is Intrabar.WORST)
    return (first, low, high, last) if low_first else (first, high, low, last)


def price_at(candles: Candles, at_ms: int, rule: Intrabar = Intrabar.PATH, spans: Millis | None = None) -> float | None:
    """The price at a moment, or ``None`` where there is none (a gap, or outside the candles).

    At the moment a candle closes and the next one starts it is the next one's open.

    Args:
        candles: The candles.
        at_ms: The moment.
        rule: What happens inside a candle.
        spans: How long each of them lasts, where some are shorter than their timeframe.
    """
    index = int(candles.open_ms.searchsorted(at_ms, side="right")) - 1
    if index < 0:
        return None
    span = _span(candles, index, spans)
    since = at_ms - int(candles.open_ms[index])
    if since >= span:
        return float(candles.close[index]) if since == span else None
    prices = knots(candles, index, rule)
    leg, rest = divmod(since * LEGS, span)
    return prices[leg] + (prices[leg + 1] - prices[leg]) * (rest / span)


def turning_points(
    candles: Candles,
    after_ms: int,
    until_ms: int,
    rule: Intrabar = Intrabar.PATH,
    spans: Millis | None = None,
) -> Iterator[tuple[int, float]]:
    """The points in ``(after_ms, until_ms]`` where the path turns or jumps, oldest first; else as ``price_at``."""
    longest = candles.timeframe.millis
    first = max(0, int(candles.open_ms.searchsorted(after_ms - longest, side="left")))
    stop = int(candles.open_ms.searchsorted(until_ms, side="right"))
    for index in range(first, stop):
        for at, price in _corners(candles, index, rule, spans):
            if after_ms < at <= until_ms:
                yield at, price


def points_over_gap(
    candles: Candles,
    after_ms: int,
    until_ms: int,
    before: float | None,
    trades: Sequence[Trade] | None = None,
    rule: Intrabar = Intrabar.PATH,
) -> Iterator[tuple[int, float]]:
    """The points in ``(after_ms, until_ms]`` of a path through a time that nobody observed, oldest first.

    Args:
        candles: Those of that time; the last one may still be open.
        after_ms: Where it begins. The candle that is open there counts with its trades. Where these are not known and
            the gap cuts it, it counts with its low and its close: its high may belong to the time before, and a low
            that does has stopped out then what it could.
        until_ms: Where it ends. The candle that it cuts is told up to then: all of that lies in it.
        before: The price at its beginning, if that is known.
        trades: Those of the candle that is open at its beginning, from there on, oldest first; ``None`` where they
            are not known.
        rule: What happens inside a candle of which no trades are known.
    """
    span = candles.timeframe.millis
    first = int(candles.open_ms.searchsorted(after_ms - span, side="right"))
    stop = int(candles.open_ms.searchsorted(until_ms, side="left"))
    for index in range(first, stop):
        opens = int(candles.open_ms[index])
        closes = min(opens + span, until_ms)
        if opens <= after_ms and trades is not None:
            yield from _along(trades, before)
        elif opens < after_ms:
            yield from _cut_corners(candles, index, after_ms, closes, before)
        else:
            if before is not None:
                yield opens, before
            for leg, price in enumerate(knots(candles, index, rule)):
                yield opens + (closes - opens) * leg // LEGS, price
        before = float(candles.close[index])


def _cut_corners(
    candles: Candles, index: int, after_ms: int, closes: int, before: float | None
) -> Iterator[tuple[int, float]]:
    if before is None:
        yield after_ms + 1, float(candles.open[index])
    yield (after_ms + closes) // 2, float(candles.low[index])
    yield closes, float(candles.close[index])


def _along(trades: Sequence[Trade], before: float | None) -> Iterator[tuple[int, float]]:
    """A path along trades: a fall jumps from one to the next, for nobody traded in between; a rise is a line."""
    last = before
    for at, price in _telling(trades):
        if last is not None and price < last:
            yield at, last
        yield at, price
        last = price


def _telling(trades: Sequence[Trade]) -> Iterator[Trade]:
    """Of each second the highest trade, the lowest one, and each that was lower than all before it in that second."""
    for _, of_second in groupby(trades, key=lambda trade: trade[0] // _SECOND):
        within = list(of_second)
        lows = list(accumulate((price for _, price in within), min))
        falls = [index for index, low in enumerate(lows) if not index or low < lows[index - 1]]
        top = max(range(len(within)), key=lambda index: within[index][1])
        yield from (within[index] for index in sorted({*falls, top}))


def _span(candles: Candles, index: int, spans: Millis | None) -> int:
    return candles.timeframe.millis if spans is None else int(spans[index])


def _corners(candles: Candles, index: int, rule: Intrabar, spans: Millis | None) -> Iterator[tuple[int, float]]:
    start, span = int(candles.open_ms[index]), _span(candles, index, spans)
    prices = knots(candles, index, rule)
    if index == 0:
        yield start, prices[0]
    elif start > int(candles.open_ms[index - 1]) + _span(candles, index - 1, spans):
        yield start, float(candles.close[index - 1])
        yield start, prices[0]
    elif prices[0] != float(candles.close[index - 1]):
        yield start, prices[0]
    for leg in range(1, LEGS + 1):
        yield start + span * leg // LEGS, prices[leg]


def first_change(
    points: Sequence[tuple[datetime, Decimal]], *, max_factor: Decimal, gone_for: timedelta, traded_at: datetime
) -> int | None:
    """Where a path first lands after a jump that no price makes: what is priced from there on is something else.

    Args:
        points: The path's points, oldest first.
        max_factor: From this factor on a jump is no move of a price.
        gone_for: A rise after nothing was traded for so long is none either, whatever its size; a fall is a gap, for
            a stop is never to be paid better than the market would.
        traded_at: When it was last traded before the first point.

    Returns:
        The index of that point; the one before it is the last price of what it was. ``None`` without such a jump.
    """
    times = [traded_at, *(at for at, _ in points)]
    for index, ((before, last), (at, price)) in enumerate(pairwise(points), start=1):
        came_back = price > last and at - times[index - 1] >= gone_for
        if at == before and (is_another(last, price, max_factor) or came_back):
            return index
    return None


def is_another(last: Decimal, price: Decimal, max_factor: Decimal) -> bool:
    """Whether two prices are too far apart to be those of one thing: a coin was replaced, or is counted anew."""
    return max(last, price) >= max_factor * min(last, price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where a path first reaches one of two prices.

    Attributes:
        fell: Whether it is the lower one.
        price: That price itself, or the first one beyond it where the path jumped over it.
    """

    at: datetime
    price: Decimal
    fell: bool


def first_crossing(points: Sequence[tuple[datetime, Decimal]], low: Decimal, high: Decimal) -> Crossing | None:
    """Where a path of straight lines first touches ``low`` from above or ``high`` from below.

    Args:
        points: The path's points, oldest first; the first one counts itself.
        low: The price that must not be reached falling, below ``high``.
        high: The price that must not be reached rising.
    """
    if not points:
        return None
    before, last = points[0]
    if not low < last < high:
        return Crossing(at=before, price=last, fell=last <= low)
    for at, price in points[1:]:
        if not low < price < high:
            fell = price <= low
            limit = low if fell else high
            if at == before:
                return Crossing(at=at, price=price, fell=fell)
            return Crossing(at=before + (at - before) * float((limit - last) / (price - last)), price=limit, fell=fell)
        before, last = at, price
    return None
