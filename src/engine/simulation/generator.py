"""A market that never was: endless, seeded, and rough in the ways that real ones are.

Returns are Student's t with 4 degrees of freedom (Blattberg and Gonedes 1974), scaled by a volatility that a Markov
chain switches between calm, normal and wild (Hamilton 1989), around a trend that another chain turns up, flat and down.
A factor common to all markets correlates them. Crashes come as a Poisson process, fall within hours and are mostly won
back within days. The log price is pulled weakly to where it started, so that it stays in a sensible range for years.
Volume follows volatility.

Candles are made in chunks, each from its own random stream, which hangs on the seed, the number of the chunk and the
symbol alone: what was asked for before, or which other markets there are, changes nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.currencies import dollar
from engine.domain.errors import NoData
from engine.domain.market import Candles, Market, Timeframe, to_millis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CHUNK = 4096
"""How many candles are made at a time."""

_YEAR = timedelta(days=365)
_PULL = timedelta(days=180)
_FREEDOM = 4.0
_COMMON = 0.6
"""How much of a market's variance is common to all: the correlation of any two."""
_VOLATILITIES, _REGIME_LASTS = np.array([0.4, 0.75, 1.5]), timedelta(days=3)
"""As multiples of a market's own volatility; their mean square is one."""
_TRENDS, _TREND_LASTS = np.array([0.0, 0.25, -0.25]), timedelta(days=5)
"""Drift a day, in daily volatilities."""
_CRASH_EVERY = timedelta(days=45)
_CRASH_FALLS, _CRASH_RECOVERS = timedelta(hours=4), timedelta(days=6)
_CRASH_LASTS = timedelta(days=40)
"""After so long what is left of a crash no longer changes."""
_BIGGEST_MOVE = 0.35
"""Of the log price in one candle: beyond it the tails of the t distribution are cut."""
_TURNOVER = 5_000_000.0
"""What is traded an hour in quiet times, in dollars."""


@dataclass(frozen=True, kw_only=True)
class GeneratedMarket:
    """A market to make up.

    Attributes:
        start_price: In the quote currency.
        volatility: Of the log price per year: 0.7 is a large coin, 1.0 a small one.
    """

    market: Market
    start_price: float
    volatility: float


@dataclass(frozen=True, kw_only=True)
class _Crash:
    """A fall of the log price that begins with a candle, and the part of it that is won back."""

    index: int
    size: float
    recovery: float


@dataclass(frozen=True, kw_only=True)
class _Weather:
    """What one chunk of time does to every market: float64[CHUNK] each."""

    factor: Floats
    volatility: Floats
    trend: Floats
    shock: Floats


@dataclass(kw_only=True)
class _Track:
    """How far one market has been made."""

    recipe: GeneratedMarket
    price: float
    candles: Candles | None = None


@dataclass(kw_only=True)
class _Climate:
    """What the next chunk's weather hangs on."""

    regime: int = 1
    trend: int = 0
    crashes: list[_Crash] = field(default_factory=list)


class MarketGenerator:
    """Makes candles of its markets from ``start`` on, as far as they are asked for.

    Args:
        markets: What to make up.
        timeframe: The length of the candles.
        seed: The same seed makes the same candles.
        start: When the first candle opens; moved back to a boundary of the timeframe.
    """

    def __init__(self, *, markets: Sequence[GeneratedMarket], timeframe: Timeframe, seed: int, start: datetime) -> None:
        self.timeframe = timeframe
        self.start = timeframe.floor(start)
        self._seed = seed
        self._climate = _Climate()
        self._tracks = {
            recipe.market.symbol: _Track(recipe=recipe, price=float(recipe.market.price(recipe.start_price)))
            for recipe in markets
        }
        self._chunks = 0

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets, by symbol."""
        return {symbol: track.recipe.market for symbol, track in self._tracks.items()}

    def candles(self, symbol: str, until: datetime) -> Candles:
        """Every candle made so far; at least all that open at or before ``until``.

        Raises:
            NoData: There is no such market.
        """
        if symbol not in self._tracks:
            raise NoData(f"The generated market has no {symbol}.", f"It has {', '.join(self._tracks)}.")
        while self._tracks[symbol].candles is None or self.start + self._chunks * CHUNK * self._step <= until:
            self._extend()
        candles = self._tracks[symbol].candles
        assert candles is not None  # noqa: S101 - a chunk has just been made
        return candles

    @property
    def _step(self) -> timedelta:
        return self.timeframe.duration

    def _extend(self) -> None:
        """Make the next chunk of every market."""
        number = self._chunks
        weather = _weather(self._stream(number, "weather"), self._climate, number * CHUNK, self._step)
        open_ms = to_millis(self.start) + (np.arange(CHUNK, dtype=np.int64) + number * CHUNK) * self.timeframe.millis
        for symbol, track in self._tracks.items():
            made = _make(self._stream(number, symbol), track, weather, open_ms, self.timeframe)
            track.price = float(made.close[-1])
            track.candles = track.candles.joined(made) if track.candles else made
        self._chunks += 1

    def _stream(self, number: int, name: str) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self._seed, number, zlib.crc32(name.encode())]))


def _weather(rng: np.random.Generator, climate: _Climate, first: int, step: timedelta) -> _Weather:
    """Make the weather of the chunk that begins with candle ``first``, and move the climate on."""
    regimes = _states(rng, climate.regime, len(_VOLATILITIES), step / _REGIME_LASTS)
    trends = _states(rng, climate.trend, len(_TRENDS), step / _TREND_LASTS)
    began = np.flatnonzero(rng.random(CHUNK) < step / _CRASH_EVERY)
    climate.crashes = [c for c in climate.crashes if (first - c.index) * step < _CRASH_LASTS]
    climate.crashes += [
        _Crash(index=first + int(at), size=rng.uniform(0.12, 0.35), recovery=rng.uniform(0.6, 1.1)) for at in began
    ]
    climate.regime, climate.trend = int(regimes[-1]), int(trends[-1])
    shock, fear = _crash_track(climate.crashes, first, step)
    return _Weather(factor=_student(rng), volatility=_VOLATILITIES[regimes] + fear, trend=_TRENDS[trends], shock=shock)


def _states(rng: np.random.Generator, state: int, count: int, chance: float) -> NDArray[np.int64]:
    """Run a Markov chain that leaves its state with a chance per candle, for any other one alike."""
    leaves = rng.random(CHUNK) < min(chance, 1.0)
    moves = np.where(leaves, rng.integers(1, count, CHUNK), 0)
    states: NDArray[np.int64] = (state + np.cumsum(moves)) % count
    return states


def _student(rng: np.random.Generator) -> Floats:
    """Student's t, scaled to a variance of one, its far tails cut."""
    drawn: Floats = rng.standard_t(_FREEDOM, CHUNK) / np.sqrt(_FREEDOM / (_FREEDOM - 2))
    return drawn.clip(-8.0, 8.0)


def _crash_track(crashes: Sequence[_Crash], first: int, step: timedelta) -> tuple[Floats, Floats]:
    """What crashes do in each candle of a chunk: the move of the log price, and the volatility on top."""
    shock, fear = np.zeros(CHUNK), np.zeros(CHUNK)
    for crash in crashes:
        age = np.maximum(np.arange(CHUNK + 1) + first - crash.index, 0) * step.total_seconds()
        fallen = 1.0 - np.exp(-age / _CRASH_FALLS.total_seconds())
        won_back = crash.recovery * (1.0 - np.exp(-age / _CRASH_RECOVERS.total_seconds()))
        shock += np.diff(crash.size * (won_back - fallen))
        fear += np.where(age[1:] > 0, 3.0 * np.exp(-age[1:] / timedelta(days=1).total_seconds()), 0.0)
    return shock, fear


def _make(
    rng: np.random.Generator, track: _Track, weather: _Weather, open_ms: NDArray[np.int64], timeframe: Timeframe
) -> Candles:
    """Make one market's next chunk, beginning at its last price."""
    recipe, step = track.recipe, timeframe.duration
    sigma = recipe.volatility * np.sqrt(step / _YEAR) * weather.volatility
    drift = weather.trend * recipe.volatility * np.sqrt(timedelta(days=1) / _YEAR) * (step / timedelta(days=1))
    noise = np.sqrt(_COMMON) * weather.factor + np.sqrt(1 - _COMMON) * _student(rng)
    moves = np.clip(sigma * noise + drift + weather.shock, -_BIGGEST_MOVE, _BIGGEST_MOVE)
    logs = _pulled(np.log(track.price / recipe.start_price), moves, step)
    closes = _on_tick(recipe.start_price * np.exp(logs), recipe.market)
    opens = np.concatenate([[track.price], closes[:-1]])
    wicks = rng.exponential(0.4, (2, CHUNK)) * sigma
    turnover = _TURNOVER * float(dollar(recipe.market.quote))
    volume = turnover * (step / timedelta(hours=1)) / closes * weather.volatility
    volume *= (0.4 + 0.6 * np.abs(noise)) * rng.lognormal(0.0, 0.4, CHUNK)
    return Candles(
        symbol=recipe.market.symbol,
        timeframe=timeframe,
        open_ms=open_ms,
        open=opens,
        high=_on_tick(np.maximum(opens, closes) * np.exp(wicks[0]), recipe.market),
        low=_on_tick(np.minimum(opens, closes) * np.exp(-wicks[1]), recipe.market),
        close=closes,
        volume=np.round(volume, 6),
    )


def _pulled(start: float, moves: Floats, step: timedelta) -> Floats:
    """Add up moves from a start while a little of the sum is lost in each candle (an AR(1) process around zero)."""
    keep = float(np.exp(-(step / _PULL)))
    logs = np.empty(len(moves))
    for index, move in enumerate(moves.tolist()):
        start = start * keep + move
        logs[index] = start
    return logs


def _on_tick(prices: Floats, market: Market) -> Floats:
    """The nearest prices the market can quote, and never less than one tick."""
    tick = float(market.tick)
    decimals = max(0, -int(market.tick.as_tuple().exponent))
    return np.round(np.maximum(np.rint(prices / tick), 1.0) * tick, decimals)
