"""What a market is and what it did: symbols, timeframes, candles, books."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from engine.domain.currencies import dollar, least_order
from engine.domain.errors import DataError
from engine.domain.figures import grouped

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Millis = NDArray[np.int64]

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_THE_QUOTE = Decimal(-1)
_DIGITS = 24
"""How many digits a price may have: ``Decimal`` reckons with 28."""


class Listing(NamedTuple):
    """A market at a venue: the same symbol may have another price at another one."""

    venue: str
    symbol: str


def named(symbol: str, venue: str) -> str:
    """A market as people are told of it: with its venue, where there is one to tell apart."""
    return f"{symbol} at {venue}" if venue else symbol


def from_millis(millis: int) -> datetime:
    """Turn milliseconds since 1970 into an aware UTC time, exactly."""
    return _EPOCH + timedelta(milliseconds=int(millis))


def to_millis(at: datetime) -> int:
    """Turn an aware time into whole milliseconds since 1970, rounding down."""
    return (at - _EPOCH) // _MILLISECOND


def names_of(symbol: str) -> tuple[str, ...]:
    """What people may call a market, in capitals: with and without its slash, and by its coin alone."""
    base, _, quote = symbol.upper().partition("/")
    return f"{base}/{quote}", f"{base}{quote}", base


class Timeframe(StrEnum):
    """The length of a candle, spelled as venues spell it."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"
    W1 = "1w"

    @cached_property
    def duration(self) -> timedelta:
        """How long one candle lasts."""
        return _DURATIONS[self.value]

    @cached_property
    def millis(self) -> int:
        """How long one candle lasts, in milliseconds."""
        return self.duration // _MILLISECOND

    def floor(self, at: datetime) -> datetime:
        """The last boundary of this timeframe at or before ``at`` (weeks begin on Monday, UTC)."""
        anchor = datetime(1970, 1, 5, tzinfo=UTC) if self is Timeframe.W1 else _EPOCH
        return at - (at - anchor) % self.duration


_DURATIONS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A tradable pair and the steps its venue accepts.

    Attributes:
        symbol: ``BASE/QUOTE``, for example ``BTC/USDT``.
        lot: The smallest step of a quantity, in the base currency.
        tick: The smallest step of a price, in the quote currency.
        min_notional: The smallest order value the venue accepts, in the quote currency; not given, what suits that.
    """

    symbol: str
    lot: Decimal = Decimal("0.00001")
    tick: Decimal = Decimal("0.01")
    min_notional: Decimal = _OF_THE_QUOTE

    def __post_init__(self) -> None:
        if self.min_notional == _OF_THE_QUOTE:
            object.__setattr__(self, "min_notional", least_order(self.quote))

    @property
    def base(self) -> str:
        """The currency that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency that prices are in."""
        return self.symbol.partition("/")[2]

    def quantity(self, lots: int) -> Decimal:
        """The quantity that so many whole lots make."""
        return lots * self.lot

    def lots(self, quantity: Decimal) -> int:
        """How many whole lots fit into a quantity."""
        return int((quantity / self.lot).to_integral_value(ROUND_FLOOR))

    def price(self, value: float | Decimal) -> Decimal:
        """The nearest price this market can quote.

        Raises:
            DataError: There is none: the value is not positive, or so far below one tick that it would be 0.
        """
        exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
        steps = (exact / self.tick).to_integral_value(ROUND_HALF_EVEN) if exact.is_finite() else Decimal(0)
        if steps <= 0:
            raise DataError(
                f"{self.symbol}: {grouped(exact)} is no price in steps of {grouped(self.tick)}.", "Set a finer tick."
            )
        return int(steps) * self.tick  # an int, for 5.49E+3 steps would leave out a zero: 54.9 for 54.90

    @classmethod
    def around(cls, symbol: str, lowest: float, highest: float) -> Self:
        """A market with steps that hold over a range of prices, for candle files that say nothing about them.

        The lowest price gets six significant digits; at the highest a lot is worth about a dollar at most. Steps are
        powers of ten: a wider range has steps that divide those of a narrower one within.

        Args:
            symbol: ``BASE/QUOTE``.
            lowest: The lowest price, positive.
            highest: The highest price.
        """
        finest = _magnitude(highest) - _DIGITS
        dollars = _magnitude(highest) - dollar(symbol.partition("/")[2]).adjusted()
        return cls(
            symbol=symbol,
            lot=Decimal(1).scaleb(-max(0, dollars + 1)),
            tick=Decimal(1).scaleb(min(-2, max(_magnitude(lowest) - 5, finest))),
        )


def _magnitude(price: float) -> int:
    """The power of ten of a price's first digit."""
    return Decimal(repr(float(price))).adjusted()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """Candles of one market as read-only columns, oldest first.

    Attributes:
        market: Symbol, ``BASE/QUOTE``.
        timeframe: The length of each candle.
        open_ms: ``int64[n]``, the opening time of each candle in milliseconds since 1970, UTC.
        open, high, low, close: ``float64[n]``, prices in the quote currency.
        volume: ``float64[n]``, traded quantity in the base currency.
        within: The longer series these are a part of, and the row at which they begin there; ``None`` where they are a
            series of their own.
    """

    symbol: str
    timeframe: Timeframe
    open_ms: Millis
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    within: tuple[Candles, int] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        columns = (self.open_ms, self.open, self.high, self.low, self.close, self.volume)
        if len({len(column) for column in columns}) != 1:
            raise DataError(f"{self.symbol}: the columns of these candles have different lengths.")
        for column in columns:
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.open_ms)

    @classmethod
    def none_of(cls, symbol: str, timeframe: Timeframe) -> Candles:
        """No candles of a market."""
        prices = np.empty(0)
        return cls(
            symbol=symbol,
            timeframe=timeframe,
            open_ms=np.empty(0, dtype=np.int64),
            open=prices,
            high=prices,
            low=prices,
            close=prices,
            volume=prices,
        )

    def slice(self, start: int, stop: int) -> Candles:
        """The candles from index ``start`` up to, without, index ``stop``; no data is copied."""
        part = self.cut(start, stop)
        whole, row = self.within or (self, 0)
        object.__setattr__(part, "within", (whole, row + start))
        return part

    def cut(self, start: int, stop: int) -> Candles:
        """The same as a series of its own: what was before is not its past."""
        return Candles(
            symbol=self.symbol,
            timeframe=self.timeframe,
            open_ms=self.open_ms[start:stop],
            open=self.open[start:stop],
            high=self.high[start:stop],
            low=self.low[start:stop],
            close=self.close[start:stop],
            volume=self.volume[start:stop],
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Candles:
        """Some of the candles, chosen by marks or by index, as a series of its own."""
        columns = ("open_ms", "open", "high", "low", "close", "volume")
        chosen = {name: getattr(self, name)[rows] for name in columns}
        return Candles(symbol=self.symbol, timeframe=self.timeframe, **chosen)

    def joined(self, newer: Candles) -> Candles:
        """These with newer ones of the same market and timeframe behind them, as a series of its own."""
        columns = ("open_ms", "open", "high", "low", "close", "volume")
        both = {name: np.concatenate([getattr(self, name), getattr(newer, name)]) for name in columns}
        return Candles(symbol=newer.symbol, timeframe=newer.timeframe, **both)

    def tail(self, count: int) -> Candles:
        """The newest ``count`` candles, or all where there are fewer."""
        return self.slice(max(0, len(self) - count), len(self))

    def closed(self, now: datetime) -> Candles:
        """Only the candles that have closed at ``now``."""
        last_open = to_millis(now) - self.timeframe.millis
        return self.slice(0, int(np.searchsorted(self.open_ms, last_open, side="right")))

    def is_same_part(self, other: Candles) -> bool:
        """Whether both are the same object, or the same part of the same series; two may be equal and neither."""
        if self is other:
            return True
        (whole, start), (others, begins) = self.within or (self, 0), other.within or (other, 0)
        return whole is others and start == begins and len(self) == len(other)

    @property
    def closed_at(self) -> datetime:
        """When the newest of these candles closes.

        Raises:
            DataError: There are no candles.
        """
        if not len(self):
            raise DataError(f"{self.symbol} {self.timeframe}: there are no candles.")
        return from_millis(int(self.open_ms[-1])) + self.timeframe.duration

    def frame(self) -> pd.DataFrame:
        """The candles as a new pandas frame, indexed by opening time (UTC)."""
        import pandas as pd  # heavy, and most callers never ask for a frame

        columns = {"open": self.open, "high": self.high, "low": self.low, "close": self.close, "volume": self.volume}
        return pd.DataFrame(columns, index=pd.to_datetime(self.open_ms, unit="ms", utc=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of an order book."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """An order book: bids from the highest down, asks from the lowest up."""

    symbol: str
    at: datetime
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def bid(self) -> Decimal:
        """The best price somebody pays."""
        return self.bids[0].price

    @property
    def ask(self) -> Decimal:
        """The best price somebody sells for."""
        return self.asks[0].price

    @property
    def mid(self) -> Decimal:
        """Halfway between bid and ask."""
        return (self.bid + self.ask) / 2

    def mean_price(self, quantity: Decimal, *, buying: bool) -> Decimal | None:
        """The mean price of so much at market, from level to level; ``None`` where the book holds less."""
        left, paid = quantity, Decimal(0)
        for level in self.asks if buying else self.bids:
            taken = min(left, level.quantity)
            left, paid = left - taken, paid + taken * level.price
            if not left:
                return paid / quantity if quantity else None
        return None
