"""How a market has moved of late: what the risk rules know of it beside the book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.domain.market import Timeframe

if TYPE_CHECKING:
    from engine.domain.market import Floats

GOOD_FOR = 2
"""Candles after which nothing may be entered by them any more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskStats:
    """Figures of one market's closed candles on one timeframe; ``None`` where history is too short.

    Attributes:
        as_of: When the newest of the candles closed.
        returns: Simple returns, one a candle, oldest first, read-only.
        volatility: Realised volatility of a day, as a fraction.
        atr: Average True Range over 14 candles, in the quote currency.
        daily_volume: What was traded in the last day, at the closes, in the quote currency.
        known_volume: The same as far as the candles go back: less than a day's where they are too few.
        correlations: With the returns of other markets over the same candles, by symbol.
        others: These returns, by symbol.
    """

    symbol: str
    timeframe: Timeframe
    as_of: datetime
    returns: Floats
    volatility: float | None
    atr: float | None
    daily_volume: float | None
    known_volume: float = 0.0
    correlations: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Floats] = field(default_factory=dict)

    def age(self, now: datetime) -> timedelta:
        """How long ago the newest candle closed."""
        return now - self.as_of

    @property
    def good_for(self) -> timedelta:
        """How old they may be for an entry."""
        return GOOD_FOR * self.timeframe.duration

    def is_stale(self, now: datetime) -> bool:
        """Whether they are too old for an entry."""
        return self.age(now) > self.good_for
