"""Feeds for a simulated venue: candle files, or a market that is made up as time goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from engine.data.files import read_candles
from engine.data.recorded_books import RecordedBooks
from engine.domain.errors import DataError, NoData
from engine.domain.figures import grouped
from engine.domain.market import Book, Candles, Market, Timeframe, from_millis
from engine.simulation import fills
from engine.simulation.frames import Series
from engine.simulation.generator import MarketGenerator
from engine.simulation.intrabar import Intrabar


class SeriesFeed(ABC):
    """The port ``MarketFeed`` over one series of candles for each market."""

    @property
    @abstractmethod
    def markets(self) -> Mapping[str, Market]:
        """The markets it has, by symbol."""

    @property
    @abstractmethod
    def timeframe(self) -> Timeframe:
        """The shortest candles it has."""

    @abstractmethod
    def _series(self, symbol: str, until: datetime) -> Series:
        """A market's candles, at least those that open at or before ``until``.

        Raises:
            NoData: There is no such market.
        """

    def candles(self, symbol: str, timeframe: Timeframe, now: datetime, limit: int) -> Candles:
        """The newest ``limit`` candles closed at ``now``; fewer, or none, where history is shorter.

        Raises:
            NoData: It does not have that market, or not in that timeframe.
        """
        return self._series(symbol, now).closed(timeframe, now, limit)

    def price(self, symbol: str, now: datetime) -> Decimal:
        """The price at a moment; at the end of a candle that of the next one's open.

        Raises:
            NoData: There is no such market, or no price at that moment.
        """
        price = self._series(symbol, now).price(now)
        if price is None:
            raise NoData(f"{symbol} has no price at {now:%Y-%m-%d %H:%M:%S} UTC: a gap, or outside the data.")
        try:
            return self.markets[symbol].price(price)
        except DataError as error:
            raise NoData(error.message, error.remedy) from error

    def path(self, symbol: str, after: datetime, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        """The turning points in ``(after, until]``; a jump is two of them at one time (see ``simulation.path``).

        Raises:
            NoData: There is no such market.
        """
        market = self.markets.get(symbol)
        points = self._series(symbol, until).turning_points(after, until)
        return [(from_millis(at), market.price(price)) for at, price in points] if market else []

    def volume(self, symbol: str, now: datetime) -> Decimal:
        """What the last closed candle traded, in the base currency.

        Raises:
            NoData: There is no such market, or none of its candles has closed.
        """
        volume = self._series(symbol, now).volume(now)
        if volume is None:
            raise NoData(f"{symbol} has not traded before {now:%Y-%m-%d %H:%M:%S} UTC.")
        return volume

    def book(self, symbol: str, now: datetime) -> Book | None:
        """No book was ever observed."""
        del symbol, now
        return None

    def reach(self, symbol: str, now: datetime) -> datetime:
        """All of the past is there."""
        del symbol
        return now


class GeneratedFeed(SeriesFeed):
    """A feed from a market generator; it has no end.

    Args:
        generator: Makes the candles.
        rule: What happens inside each of them.
    """

    def __init__(self, generator: MarketGenerator, rule: Intrabar = Intrabar.PATH) -> None:
        self._generator = generator
        self._rule = rule
        self._known: dict[str, Series] = {}
        self._markets = dict(generator.markets)

    @property
    def markets(self) -> Mapping[str, Market]:
        """The generator's markets, by symbol."""
        return self._markets

    @property
    def timeframe(self) -> Timeframe:
        """The candles that are generated."""
        return self._generator.timeframe

    def _series(self, symbol: str, until: datetime) -> Series:
        candles = self._generator.candles(symbol, until)
        known = self._known.get(symbol)
        if known is None or known.base is not candles:
            known = self._known[symbol] = Series(candles, self._rule)
        return known


class FileFeed(SeriesFeed):
    """A feed from candles that are already there.

    Args:
        candles: One series for each market, in order of time; they need not have the same length.
        markets: Their steps, by symbol.
        rule: What happens inside a candle.
        shorter: Shorter candles of some markets: the price goes along these where they tell all of one.
        books: Recorded order books of some markets.
    """

    def __init__(
        self,
        candles: Sequence[Candles],
        markets: Mapping[str, Market],
        rule: Intrabar = Intrabar.PATH,
        shorter: Mapping[str, Candles] | None = None,
        books: Mapping[str, RecordedBooks] | None = None,
    ) -> None:
        self._markets = dict(markets)
        self._books = dict(books or {})
        self._all = {each.symbol: Series(each, rule, (shorter or {}).get(each.symbol)) for each in candles}
        self._timeframe = min((each.timeframe for each in candles), key=lambda timeframe: timeframe.millis)
        self._span = min(from_millis(int(each.open_ms[0])) for each in candles), max(each.closed_at for each in candles)

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        overrides: Mapping[str, Market] | None = None,
        rule: Intrabar = Intrabar.PATH,
    ) -> FileFeed:
        """Read candle files, one for each market.

        Args:
            paths: Files as ``exchanges.files`` describes them.
            overrides: Markets whose steps are known; those of others suit the lowest and the highest price of the file.
            rule: What happens inside a candle.

        Raises:
            DataError: A file cannot be used, two hold the same market, none is given, or known steps are too coarse.
        """
        found: dict[str, Path] = {}
        candles = []
        for path in paths:
            read = read_candles(path)
            if read.symbol in found:
                remedy = "Give one of them; longer candles are made from shorter ones."
                raise DataError(f"{found[read.symbol]} and {path} both hold {read.symbol}.", remedy)
            found[read.symbol] = path
            candles.append(read)
        if not candles:
            raise DataError("No candle file is given.", "Give at least one, for example BTCUSDT-1h.parquet.")
        known = overrides or {}
        markets = {each.symbol: _steps(each, known.get(each.symbol), found[each.symbol]) for each in candles}
        return cls(candles, markets, rule)

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets of the files, by symbol."""
        return self._markets

    @property
    def timeframe(self) -> Timeframe:
        """The shortest candles of any file."""
        return self._timeframe

    def book(self, symbol: str, now: datetime) -> Book | None:
        """The newest book that was recorded until a moment and is not too old by then, in the steps of its market."""
        recorded = self._books.get(symbol)
        found = recorded.newest(now) if recorded else None
        return fills.on_steps(found, self.markets[symbol]) if found else None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the first candle's open to the last one's close, over all markets."""
        return self._span

    def _series(self, symbol: str, until: datetime) -> Series:
        del until
        if symbol not in self._all:
            raise NoData(f"There are no candles of {symbol}.", f"There are {', '.join(self._all)}.")
        return self._all[symbol]


def _steps(candles: Candles, known: Market | None, path: Path) -> Market:
    """The steps of a file's market: the known ones, or such as suit its prices.

    Raises:
        DataError: Its lowest price cannot be told in them.
    """
    market = known or Market.around(candles.symbol, float(candles.low.min()), float(candles.high.max()))
    row = int(candles.low.argmin())
    lowest = Decimal(repr(float(candles.low[row])))
    if lowest < market.tick:
        wanted = (
            f"Set a finer tick under market.markets.{market.symbol}, or leave it out there: steps then suit the file."
        )
        raise DataError(
            f"{path}: row {row + 1} goes down to {grouped(lowest)}, which is less than the tick of "
            f"{grouped(market.tick)}.",
            wanted if known else "Mend the row, or leave it out.",
        )
    return market
