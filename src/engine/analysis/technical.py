"""From candles to technical signals: the newest readings of every timeframe of one market.

candles ─▶ indicators ─▶ flags ─┐
        ├▶ levels               ├─▶ TechnicalSignals
        └▶ patterns ────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from engine.analysis import flags, indicators, levels, patterns
from engine.analysis.indicators import IndicatorColumns, IndicatorSpec
from engine.domain.decisions import Frame, TechnicalSignals
from engine.domain.market import Candles, Timeframe

HISTORY = 300
"""Candles an analysis wants of each timeframe: enough for the 200-candle average and the levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalAnalyzer:
    """Reads closed candles. Equal candles give equal signals, and later candles never change earlier ones.

    Attributes:
        indicators: Further ones; these go through pandas and cost about a millisecond each.
    """

    indicators: tuple[IndicatorSpec, ...] = ()

    def analyze(self, candles: Candles) -> TechnicalSignals:
        """The readings at the newest candle of one timeframe.

        Raises:
            DataError: There are no candles.
            ConfigError: A further indicator does not exist.
        """
        at = candles.closed_at
        columns = indicators.compute(candles)
        readings = _newest(columns)
        supports, resistances = levels.find(candles, readings["atr"] or 0.0)
        return TechnicalSignals(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            at=at,
            close=float(candles.close[-1]),
            supports=supports,
            resistances=resistances,
            patterns=patterns.find(candles),
            flags=flags.interpret(candles, columns),
            extra=indicators.newest(candles, self.indicators),
            **readings,
        )

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
            else Frame(candles=columns, signals=self.analyze(columns))
            for timeframe, columns in candles.items()
            if len(columns)
        }


_COLUMNS = tuple(column.name for column in fields(IndicatorColumns))


def _newest(columns: IndicatorColumns) -> dict[str, float | None]:
    values = {name: float(getattr(columns, name)[-1]) for name in _COLUMNS}
    return {name: value if value == value else None for name, value in values.items()}  # noqa: PLR0124 - NaN


def _same(left: Candles, right: Candles) -> bool:
    if left is right:
        return True
    columns = ("open_ms", "close", "high", "low", "open", "volume")
    return left.symbol == right.symbol and all(np.array_equal(getattr(left, c), getattr(right, c)) for c in columns)
