"""A live market as the paper venue sees it: what was fetched of a real one, and nothing else.

The price is what was last observed, until somebody looks again. Down to a lower one it jumps, for nobody saw it pass
what lies between: a stop in there sells at what was seen. Up to a higher one it goes in a line: a target in there sells
at its own price. Where nobody looked for a while (the program was down, the venue could not be reached) the path is
laid along the candles and trades of that time, and until these have come in the feed does not say that it knows that
time: orders wait for it, each market's by themselves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.data.live.gaps import Gap
from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Market, Timeframe, from_millis, to_millis
from engine.simulation import path
from engine.simulation.frames import resample
from engine.simulation.intrabar import Intrabar
from engine.simulation.path import is_another

MOST_POINTS = 8000
"""How many observed prices of one market are kept; the older half goes when there are more."""

Point = tuple[datetime, Decimal]


@dataclass(slots=True, kw_only=True)
class Watched:
    """One market, as far as it is known.

    Attributes:
        market: Its steps; made up until the venue has listed it.
        paused: Why it is not traded at present; empty where it is.
        doubted: Whether the newest answer is not believed yet: the price and the book before it no longer hold.
        points: Observed prices, oldest first.
        book: The newest order book.
        candles: The newest candles, by timeframe.
        bridge: The candles that the path was last laid along.
    """

    market: Market
    paused: str = "nothing has been heard of it yet"
    doubted: bool = False
    points: list[Point] = field(default_factory=list)
    book: Book | None = None
    candles: dict[Timeframe, Candles] = field(default_factory=dict)
    bridge: Candles | None = None


class LiveFeed:
    """The port ``MarketFeed``; the refresher fills it, the paper venue reads it.

    Args:
        symbols: The markets to be traded.
        fresh_for: How long an observed price and book hold.
        max_factor: From this factor on a rise is a jump as well: it is no way that a price went.
        rule: What happens inside a candle of a time that nobody observed.
    """

    timeframe = Timeframe.M1
    """How finely a venue notes how far it has followed this feed."""

    def __init__(
        self,
        symbols: Iterable[str],
        *,
        fresh_for: timedelta,
        max_factor: Decimal = Decimal(500),
        rule: Intrabar = Intrabar.PATH,
    ) -> None:
        self._rule = rule
        self._max_factor = max_factor
        self._watched = {symbol: Watched(market=Market(symbol=symbol)) for symbol in symbols}
        self.fresh_for = fresh_for

    # What the refresher brings

    def list_as(self, market: Market) -> None:
        """Take in a market's steps as the venue lists them; it is traded."""
        watched = self._of(market.symbol)
        watched.market, watched.paused = market, ""

    def pause(self, symbol: str, reason: str) -> None:
        """Note that a market is not traded at present, so that nothing is decided or filled on what is left of it."""
        watched = self._of(symbol)
        watched.paused, watched.book = reason.rstrip("."), None

    def keep(self, candles: Candles) -> None:
        """Take in a market's newest candles of one timeframe, in place of those before."""
        self._of(candles.symbol).candles[candles.timeframe] = candles

    def see(self, symbol: str, at: datetime, price: Decimal, book: Book | None = None) -> None:
        """Take in a price that was observed, and the book it stood in; time never goes back."""
        watched = self._of(symbol)
        if watched.points:
            before, last = watched.points[-1]
            at = max(at, before)
            if at > before and (last > price or is_another(last, price, self._max_factor)):
                watched.points.append((at, last))
        watched.points.append((at, price))
        watched.book, watched.doubted = book, False
        if len(watched.points) > MOST_POINTS:
            del watched.points[: MOST_POINTS // 2]

    def quote(self, symbol: str, at: datetime, price: Decimal) -> None:
        """Take in a price that the venue told between two looks; the book stays, with the age it has."""
        watched = self._of(symbol)
        steady = len(watched.points) > 1 and {each for _, each in watched.points[-2:]} == {price}
        if steady and at > watched.points[-1][0]:
            watched.points[-1] = (at, price)  # what lies between says nothing new
        else:
            self.see(symbol, at, price, watched.book)

    def doubt(self, symbol: str) -> None:
        """Note that an answer came in that is not believed yet; until one is, there is no price of now."""
        self._of(symbol).doubted = True

    def bridge(self, gap: Gap) -> None:
        """Lay the path through a time that nobody observed along what is told of it; what that skips is a jump."""
        watched = self._of(gap.candles.symbol)
        inner = watched.bridge = path.sound(gap.candles)
        begin = float(watched.points[-1][1]) if watched.points else None
        turns = path.points_over_gap(inner, to_millis(gap.after), to_millis(gap.until), begin, gap.trades, self._rule)
        quotable = float(watched.market.tick)  # what is less than a tick is no price that anybody paid
        watched.points += [(from_millis(at), watched.market.price(price)) for at, price in turns if price >= quotable]

    def seen_at(self, symbol: str) -> datetime | None:
        """When a market's price was last observed."""
        points = self._of(symbol).points
        return points[-1][0] if points else None

    def last_price(self, symbol: str) -> Decimal:
        """The newest price of a market that has been seen."""
        return self._of(symbol).points[-1][1]

    def closed_at(self, symbol: str, timeframe: Timeframe) -> datetime | None:
        """The close of the newest candle that is held, open or not."""
        held = self._of(symbol).candles.get(timeframe)
        return held.closed_at if held is not None and len(held) else None

    def held(self, symbol: str, timeframe: Timeframe) -> Candles | None:
        """The candles that are held, as they came; ``None`` where none have."""
        return self._of(symbol).candles.get(timeframe)

    def doubted(self, symbol: str) -> bool:
        """Whether a market's newest answer is not believed yet."""
        return self._of(symbol).doubted

    def paused(self, symbol: str) -> str:
        """Why a market is not traded at present; empty where it is."""
        return self._of(symbol).paused

    # What the venue reads

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets, by symbol."""
        return {symbol: watched.market for symbol, watched in self._watched.items()}

    def reach(self, symbol: str, now: datetime) -> datetime | None:
        """Up to when the path is known: when somebody last looked."""
        del now
        return self.seen_at(symbol)

    def candles(self, symbol: str, timeframe: Timeframe, now: datetime, limit: int) -> Candles:
        """The newest ``limit`` candles closed at ``now``; what the venue does not have is made of shorter ones.

        Raises:
            NoData: The market is not traded, or nothing of it has come in.
        """
        watched = self._active(symbol)
        held = watched.candles.get(timeframe)
        if held is None:
            shorter = [each for each in watched.candles if each.millis < timeframe.millis]
            if not shorter:
                raise NoData(f"No {timeframe} candles of {symbol} have come in.")
            held = resample(watched.candles[max(shorter, key=lambda each: each.millis)], timeframe)
        return held.closed(now).tail(limit)

    def price(self, symbol: str, now: datetime) -> Decimal:
        """The price last observed at a moment.

        Raises:
            NoData: The market is not traded, nobody had looked for too long, or what was seen since is in doubt.
        """
        watched = self._active(symbol)
        index = bisect_right(watched.points, now, key=_time) - 1
        if index < 0:
            raise NoData(f"No price of {symbol} was observed up to {now:%Y-%m-%d %H:%M:%S} UTC.")
        at, price = watched.points[index]
        if index == len(watched.points) - 1 and now - at > self.fresh_for:
            raise NoData(f"The newest price of {symbol} is {(now - at).total_seconds():.0f} s old.")
        if watched.doubted and now > watched.points[-1][0]:
            raise NoData(f"The newest order book of {symbol} is not believed yet.")
        return price

    def path(self, symbol: str, after: datetime, until: datetime) -> Sequence[Point]:
        """The observed prices in ``(after, until]``, oldest first.

        Raises:
            NoData: There is no such market.
        """
        points = self._of(symbol).points
        return points[bisect_right(points, after, key=_time) : bisect_right(points, until, key=_time)]

    def volume(self, symbol: str, now: datetime) -> Decimal:
        """What the last closed candle traded: of the shortest timeframe, else of those that bridge a gap.

        Raises:
            NoData: There is none.
        """
        watched = self._active(symbol)
        shortest = min(watched.candles.values(), key=lambda each: each.timeframe.millis, default=None)
        for held in (shortest, watched.bridge):
            closed = held.closed(now) if held is not None else None
            if closed is not None and len(closed) and 0 <= (volume := float(closed.volume[-1])) < float("inf"):
                return Decimal(repr(volume))
        raise NoData(f"What {symbol} traded last is not known.")

    def book(self, symbol: str, now: datetime) -> Book | None:
        """The order book of about a moment as it was observed; ``None`` where that was too long before, or after."""
        book = self._of(symbol).book
        return book if book is not None and abs(now - book.at) <= self.fresh_for else None

    def _of(self, symbol: str) -> Watched:
        if symbol not in self._watched:
            raise NoData(f"{symbol} is not watched.", f"There are {', '.join(self._watched)}.")
        return self._watched[symbol]

    def _active(self, symbol: str) -> Watched:
        watched = self._of(symbol)
        if watched.paused:
            raise NoData(f"{symbol} is not traded: {watched.paused}.")
        return watched


def _time(point: Point) -> datetime:
    return point[0]
