"""The columns of one market's candles on one timeframe, each made once, when it is first asked for.

candles ─▶ indicators ─▶ flags ─┐
        ├▶ levels               ├─▶ TechnicalColumns ─▶ newest row: TechnicalSignals
        └▶ patterns ────────────┘
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.analysis import flags, indicators, patterns
from engine.analysis.indicators import IndicatorSpec
from engine.analysis.levels import WINDOW, Levels
from engine.domain.columns import Columns, Cross, TechnicalColumns
from engine.domain.decisions import TechnicalSignals
from engine.domain.market import Candles, from_millis

if TYPE_CHECKING:
    from engine.analysis.flags import Flag
    from engine.domain.columns import Bools, Signs
    from engine.domain.market import Floats

CORE: Final = (
    "rsi",
    "macd",
    "macd_signal",
    "macd_histogram",
    "bollinger_lower",
    "bollinger_middle",
    "bollinger_upper",
    "ma_20",
    "ma_50",
    "ma_200",
    "atr",
    "volume_ratio",
)
"""The readings of ``TechnicalSignals`` beside the close."""
_OF_ANY_LENGTH: Final = ("ma_", "channel_high_")
_LevelsAt = tuple[tuple[float, ...], tuple[float, ...]]
Extra = tuple[IndicatorSpec, bool]
"""A further indicator, and whether it can be reckoned over all candles at once (see ``indicators.memory``)."""


class CandleColumns:
    """Everything that is read off some candles.

    Args:
        candles: Closed candles, oldest first; what is older than they are is not known.
        extras: Further indicators.
        cross: See ``TechnicalColumns``.
    """

    def __init__(self, candles: Candles, extras: Sequence[Extra] = (), cross: Cross | None = None) -> None:
        self.candles = candles
        self._cross = cross
        self._extras = tuple(extras)
        self._made: dict[str, Floats] = {"close": candles.close}
        self._flags: dict[str, Bools] = {}
        self._patterns: Signs | None = None
        self._levels: Levels | None = None
        self._support = _ByRow(len(candles), self._support_at)
        self._levels_known: dict[int, _LevelsAt] = {}  # of rows that were looked at before their signals were made
        self._windowed = [_Windowed(candles, spec) for spec, at_once in self._extras if not at_once]
        self._whole: dict[str, Floats] | None = None

    @property
    def columns_made(self) -> int:
        """How many readings are held by now, whole."""
        return len(self._made)

    def part(self, start: int, stop: int) -> TechnicalColumns:
        """The columns' rows from one up to, without, another."""
        return TechnicalColumns(
            count=stop - start,
            readings=Columns(("close", *CORE, "support"), self._reading, start, stop),
            flags=Columns(flags.FLAGS, self._flag, start, stop),
            find_patterns=lambda: self._all_patterns()[start:stop],
            pattern_names=patterns.NAMES,
            series=self,
            start=start,
            cross=self._cross,
        )

    def signals(self, row: int) -> TechnicalSignals:
        """What can be read at one candle."""
        candles = self.candles
        readings = {name: _known(self._reading(name, row, row + 1)[0]) for name in CORE}
        levels = self._levels_known.pop(row, None)
        supports, resistances = self._levels_at(row, readings["atr"] or 0.0) if levels is None else levels
        self._support.put(row, supports[0] if supports else math.nan)
        extra = {**{name: column[row] for name, column in self._extra_columns().items()}, **self._windowed_at(row)}
        return TechnicalSignals(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            at=from_millis(int(candles.open_ms[row])) + candles.timeframe.duration,
            close=float(candles.close[row]),
            supports=supports,
            resistances=resistances,
            patterns=patterns.told(self._all_patterns()[row]),
            flags=self._flags_at(row),
            extra={name: float(value) for name, value in extra.items() if math.isfinite(value)},
            **readings,
        )

    def _reading(self, name: str, start: int, stop: int) -> Floats:
        if name in self._made:
            return self._made[name][start:stop]
        if name == "support":
            return self._support.rows(start, stop)
        self._made |= self._make(name)
        if name in self._made:
            return self._made[name][start:stop]
        for windowed in self._windowed:
            if name in windowed.names:
                return windowed.column(name).rows(start, stop)
        raise KeyError(name)

    def _make(self, name: str) -> Mapping[str, Floats]:
        """A column, and those that are made along with it; nothing where there is none of this name."""
        candles, close = self.candles, self.candles.close
        if name == "rsi":
            return {name: indicators.rsi(close)}
        if name.startswith("macd"):
            return dict(zip(("macd", "macd_signal", "macd_histogram"), indicators.macd(close), strict=True))
        if name.startswith("bollinger"):
            names = ("bollinger_lower", "bollinger_middle", "bollinger_upper")
            bands = indicators.bollinger(close)
            return {**dict(zip(names, bands, strict=True)), "ma_20": bands[1]}  # the middle one is that mean
        if name == "atr":
            return {name: indicators.atr(candles.high, candles.low, close)}
        if name == "volume_ratio":
            return {name: indicators.volume_ratio(candles.volume)}
        for prefix in _OF_ANY_LENGTH:
            length = name.removeprefix(prefix)
            if length != name and length.isdecimal() and int(length) > 0:
                of_length: Callable[[Floats, int], Floats] = indicators.sma if prefix == "ma_" else flags.channel_high
                return {name: of_length(close if prefix == "ma_" else candles.high, int(length))}
        return self._extra_columns()

    def _extra_columns(self) -> Mapping[str, Floats]:
        if self._whole is None:
            self._whole = {}
            for spec, at_once in self._extras:
                if at_once:
                    self._whole |= indicators.extra_columns(self.candles, spec)
        return self._whole

    def _windowed_at(self, row: int) -> dict[str, float]:
        return {name: value for each in self._windowed for name, value in each.at(row).items()}

    def _flags_at(self, row: int) -> tuple[Flag, ...]:
        """The flags that hold at a row; whole columns are made where others will be looked at after it."""
        if row == len(self.candles) - 1:
            return flags.of_newest(self.candles, self._whole_reading)
        return tuple(flag for flag in flags.FLAGS if self._flag(flag, row, row + 1)[0])

    def _flag(self, name: str, start: int, stop: int) -> Bools:
        if name not in self._flags:
            self._flags[name] = flags.column(name, self.candles, self._whole_reading)
        return self._flags[name][start:stop]

    def _whole_reading(self, name: str) -> Floats:
        return self._reading(name, 0, len(self.candles))

    def _all_patterns(self) -> Signs:
        if self._patterns is None:
            self._patterns = patterns.columns(self.candles)
        return self._patterns

    def _levels_at(self, row: int, atr: float) -> _LevelsAt:
        if self._levels is None:
            self._levels = Levels(self.candles)
        return self._levels.at(row, atr)

    def _support_at(self, row: int) -> float:
        atr = _known(self._reading("atr", row, row + 1)[0])
        self._levels_known[row] = supports, _ = self._levels_at(row, atr or 0.0)
        return supports[0] if supports else math.nan


class _ByRow:
    """A column of which each row is made by itself, when it is first asked for."""

    def __init__(self, count: int, make: Callable[[int], float]) -> None:
        self._values, self._is_made, self._make = np.full(count, np.nan), np.zeros(count, dtype=np.bool_), make

    def rows(self, start: int, stop: int) -> Floats:
        for row in np.flatnonzero(~self._is_made[start:stop]) + start:
            self.put(int(row), self._make(int(row)))
        return self._values[start:stop]

    def put(self, row: int, value: float) -> None:
        self._values[row], self._is_made[row] = value, True


class _Windowed:
    """An indicator that hangs on where its candles begin, or that fills in the past: read in a window at each row."""

    def __init__(self, candles: Candles, spec: IndicatorSpec) -> None:
        self._candles, self._spec = candles, spec
        self._found: dict[int, dict[str, float]] = {}
        self._columns: dict[str, _ByRow] = {}
        self._names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        if self._names is None:
            self._names = indicators.column_names(self._spec)
        return self._names

    def at(self, row: int) -> dict[str, float]:
        if row not in self._found:
            window = self._candles.cut(max(0, row + 1 - WINDOW), row + 1)
            columns = indicators.extra_columns(window, self._spec)
            self._found[row] = {name: float(column[-1]) for name, column in columns.items()}
        return self._found[row]

    def column(self, name: str) -> _ByRow:
        if name not in self._columns:
            self._columns[name] = _ByRow(len(self._candles), lambda row: self.at(row).get(name, math.nan))
        return self._columns[name]


def _known(value: float) -> float | None:
    return float(value) if value == value else None  # noqa: PLR0124 - NaN
