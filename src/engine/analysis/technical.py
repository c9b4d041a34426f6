"""From candles to technical signals: the columns of every timeframe of one market, and their newest row in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from engine.analysis import indicators
from engine.analysis.columns import CandleColumns, Extra
from engine.analysis.indicators import IndicatorSpec
from engine.analysis.levels import WINDOW
from engine.domain.columns import Cross
from engine.domain.decisions import Frame, TechnicalSignals
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe

HISTORY = max(
    WINDOW,  # the levels
    14 + indicators.smoothing_memory(13 / 14),  # RSI and ATR, by Wilder's smoothing
    26 + 9 + indicators.smoothing_memory(25 / 27),  # MACD, by its slowest mean
    200,
)
"""Candles that the core set wants of each timeframe: older ones change nothing in its newest row."""


@dataclass(frozen=True, kw_only=True)
class TechnicalAnalyzer:
    """Reads closed candles. Equal candles give equal signals, and later candles never change earlier ones.

    Attributes:
        indicators: Further ones; these go through pandas and cost about a millisecond each.
    """

    indicators: tuple[IndicatorSpec, ...] = ()
    _known: dict[tuple[str, Timeframe], CandleColumns] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _longer: dict[tuple[str, Timeframe], tuple[Candles, CandleColumns | None]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def history(self) -> int:
        """Closed candles that are wanted of each timeframe: older ones change nothing (see ``indicators.SETTLED``).

        With fewer there are readings all the same, as soon as each can be reckoned.

        Raises:
            ConfigError: A further indicator does not exist.
        """
        return max((HISTORY, *(wanted or 0 for _, wanted in self._extras)))

    def frame(self, candles: Candles) -> Frame:
        """All that can be read of one timeframe: its columns, and the signals of the newest candle.

        Where the candles are the newest part of a longer series that was given before, nothing is reckoned anew but
        what was not read yet.

        Raises:
            DataError: There are no candles.
            ConfigError: A further indicator does not exist.
        """
        if not len(candles):
            raise DataError(f"{candles.symbol} {candles.timeframe}: there are no candles.")
        columns, first = self._columns(candles)
        last = first + len(candles)
        return Frame(candles=candles, columns=columns.part(first, last), signals=columns.signals(last - 1))

    def whole(self, candles: Candles, cross: Cross | None = None) -> Frame:
        """As ``frame``, for those who go over all candles by their columns: nothing is read before it is asked for.

        Of the newest candle nothing is told but its close.

        Args:
            candles: Closed candles.
            cross: What compares means faster than strategies do by themselves.

        Raises:
            DataError: There are no candles.
        """
        at, columns = candles.closed_at, self._new(candles, cross).part(0, len(candles))
        newest = TechnicalSignals(
            symbol=candles.symbol, timeframe=candles.timeframe, at=at, close=float(candles.close[-1])
        )
        return Frame(candles=candles, columns=columns, signals=newest)

    def analyze(self, candles: Candles) -> TechnicalSignals:
        """The readings at the newest candle of one timeframe.

        Raises:
            DataError: There are no candles.
            ConfigError: A further indicator does not exist.
        """
        return self.frame(candles).signals

    def frames(
        self, candles: Mapping[Timeframe, Candles], known: Mapping[Timeframe, Frame] | None = None
    ) -> dict[Timeframe, Frame]:
        """A frame for each timeframe that has candles.

        Args:
            candles: Closed candles of one market.
            known: Frames this analyzer made before, e.g. in the last cycle: where the candles are still the same (a
                daily candle lasts 24 hourly cycles) the frame is taken over, which changes nothing but the time it
                takes.
        """
        before = known or {}
        return {
            timeframe: before[timeframe]
            if timeframe in before and _same(before[timeframe].candles, columns)
            else self.frame(columns)
            for timeframe, columns in candles.items()
            if len(columns)
        }

    @cached_property
    def _extras(self) -> tuple[tuple[IndicatorSpec, int | None], ...]:
        """The further indicators, each with how much it remembers."""
        return tuple((spec, indicators.memory(spec)) for spec in self.indicators)

    def _columns(self, candles: Candles) -> tuple[CandleColumns, int]:
        """The columns that hold those of some candles, and where these begin in them.

        A part of a longer series is read there, once all of it is, if it is long enough that older candles change
        nothing in it, or has none.
        """
        whole, first = candles.within or (candles, 0)
        if whole is not candles and (not first or len(candles) >= self.history):
            columns = self._of_longer(whole)
            if columns is not None:
                return columns, first
        key = (candles.symbol, candles.timeframe)
        known = self._known.get(key)
        if known is None or known.candles is not candles:
            known = self._known[key] = self._new(candles)
        return known, 0

    def _of_longer(self, whole: Candles) -> CandleColumns | None:
        """The columns of a longer series; none where a value in it is no number, as that is remembered for ever."""
        key = (whole.symbol, whole.timeframe)
        known = self._longer.get(key)
        if known is None or known[0] is not whole:
            known = self._longer[key] = whole, self._new(whole) if _is_sound(whole) else None
        return known[1]

    def _new(self, candles: Candles, cross: Cross | None = None) -> CandleColumns:
        extras: tuple[Extra, ...] = tuple((spec, remembers is not None) for spec, remembers in self._extras)
        return CandleColumns(candles, extras, cross)


def _is_sound(candles: Candles) -> bool:
    """Whether every value is a number."""
    return bool(np.isfinite(candles.open + candles.high + candles.low + candles.close + candles.volume).all())


def _same(left: Candles, right: Candles) -> bool:
    if left.is_same_part(right):
        return True
    columns = ("open_ms", "close", "high", "low", "open", "volume")
    return left.symbol == right.symbol and all(np.array_equal(getattr(left, c), getattr(right, c)) for c in columns)
