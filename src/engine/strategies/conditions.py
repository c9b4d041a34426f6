"""Conditions that strategies are made of, each with a detail that reads well in chat.

A reading that is not there yet makes a condition not hold, and the detail says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from engine.domain.decisions import Condition, TechnicalSignals
from engine.domain.figures import grouped
from engine.domain.market import Timeframe
from engine.ports import Frames

_SMALL = 0.1
_MOST_PLACES = 12


READINGS = tuple(each.name for each in fields(TechnicalSignals) if each.type in ("float", "float | None"))
"""The readings that are always there, by name: ``rsi``, ``ma_200`` ...; configured indicators add their columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCondition:
    """A condition of the user's own: holds where a reading is above one limit and below another.

    Attributes:
        column: One of ``READINGS``, or a column of a configured indicator: ``ADX_14``.
        above, below: A number, or the name of another reading; at least one is given.
        weight: How much it counts among the others.
        timeframe: Where it is read; ``None`` for the strategy's own candles.
    """

    column: str
    above: float | str | None = None
    below: float | str | None = None
    weight: float = 1.0
    timeframe: Timeframe | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every reading that it names."""
        return (self.column, *(limit for limit in (self.above, self.below) if isinstance(limit, str)))

    def look(self, frames: Frames, own: Timeframe) -> Condition:
        """Whether it holds now."""
        timeframe = self.timeframe or own
        signals = frames[timeframe].signals if timeframe in frames else None
        value = reading(signals, self.column)
        parts = [
            _compared("", self.column, value, _limit(signals, limit), side=side, weight=self.weight)
            for side, limit in (("above", self.above), ("below", self.below))
            if limit is not None
        ]
        limits = " and ".join(
            f"{side} {grouped(limit, 6) if isinstance(limit, float | int) else limit}"
            for side, limit in (("above", self.above), ("below", self.below))
            if limit is not None
        )
        on = "" if timeframe is own else f" on {timeframe}"
        return Condition(
            name=f"{self.column} {limits}{on}",
            holds=all(part.holds for part in parts),
            weight=self.weight,
            detail="; ".join(dict.fromkeys(part.detail for part in parts)),
        )


def reading(signals: TechnicalSignals | None, column: str) -> float | None:
    """A reading by its name; ``None`` where it is not known yet."""
    if signals is None:
        return None
    found: float | None = getattr(signals, column) if column in READINGS else signals.extra.get(column)
    return found


def _limit(signals: TechnicalSignals | None, limit: float | str) -> float | None:
    return reading(signals, limit) if isinstance(limit, str) else limit


def above(name: str, what: str, value: float | None, limit: float | None, *, weight: float = 1.0) -> Condition:
    """Holds where a reading is above a limit, e.g. ``volume 1.83, wants above 1.20``."""
    return _compared(name, what, value, limit, side="above", weight=weight)


def below(name: str, what: str, value: float | None, limit: float | None, *, weight: float = 1.0) -> Condition:
    """Holds where a reading is below a limit, e.g. ``RSI 34.20, wants below 35.00``."""
    return _compared(name, what, value, limit, side="below", weight=weight)


def between(name: str, what: str, value: float | None, low: float, high: float, *, weight: float = 1.0) -> Condition:
    """Holds where a reading lies in a range, its ends included."""
    wants = f"wants {grouped(low, 6)} to {grouped(high, 6)}"
    if value is None:
        return Condition(name=name, holds=False, weight=weight, detail=f"{what} is not known yet, {wants}")
    reads, *_ = distinctly(value, low, high)
    return Condition(name=name, holds=low <= value <= high, weight=weight, detail=f"{what} {reads}, {wants}")


def uptrends(frames: Frames, timeframes: Sequence[Timeframe]) -> tuple[Condition, ...]:
    """One for each timeframe: holds where its close and 20-candle mean are above its 50-candle mean.

    The nearest timeframe counts fully, the next one half, and so on: a daily trend takes months to turn.
    """
    return tuple(
        _trend(f"trend up on {timeframe}", frames, timeframe, weight=1 / place, rising=True)
        for place, timeframe in enumerate(timeframes, start=1)
    )


def no_downtrends(frames: Frames, timeframes: Sequence[Timeframe]) -> tuple[Condition, ...]:
    """One for each timeframe: holds unless its close and 20-candle mean are below its 50-candle mean.

    Weighted as in ``uptrends``.
    """
    return tuple(
        _trend(f"no downtrend on {timeframe}", frames, timeframe, weight=1 / place, rising=False)
        for place, timeframe in enumerate(timeframes, start=1)
    )


def bullish_pattern(signals: TechnicalSignals, *, weight: float = 1.0) -> Condition:
    """Holds where the newest candle completes a bullish pattern and no bearish one."""
    names = [f"{'bullish' if p.bullish else 'bearish'} {p.name}" for p in signals.patterns]
    holds = bool(names) and all(pattern.bullish for pattern in signals.patterns)
    return Condition(name="bullish candle", holds=holds, weight=weight, detail=", ".join(names) or "no pattern")


def near_support(signals: TechnicalSignals, reach_atr: float, *, weight: float = 1.0) -> Condition:
    """Holds where the nearest support is at most so many ATRs below the close."""
    name = "support near"
    if not signals.supports or not signals.atr:
        return Condition(name=name, holds=False, weight=weight, detail="no support known below the price")
    distance = (signals.close - signals.supports[0]) / signals.atr
    away, _ = distinctly(distance, reach_atr, places=1)
    detail = f"support {number(signals.supports[0])} is {away} ATR below, wants at most {grouped(reach_atr, 6)}"
    return Condition(name=name, holds=distance <= reach_atr, weight=weight, detail=detail)


def number(value: float, places: int = 2) -> str:
    """A reading with two decimals and thousands set off; below 0.1 with two significant digits more than that."""
    return grouped(value, places + 2) if 0 < abs(value) < _SMALL else f"{value:,.{places}f}"


def distinctly(*values: float, places: int = 2) -> tuple[str, ...]:
    """Readings that are compared, with as many decimals as it takes to see which are not the same.

    Where all that may be shown are not enough, there is no use in any of them.
    """
    for enough in range(places, _MOST_PLACES + 1):
        reads = tuple(number(value, enough) for value in values)
        if len(set(reads)) >= len(set(values)):
            return reads
    return tuple(number(value, places) for value in values)


def _compared(name: str, what: str, value: float | None, limit: float | None, *, side: str, weight: float) -> Condition:
    if value is None or limit is None:
        return Condition(name=name, holds=False, weight=weight, detail=f"{what} is not known yet")
    holds = value > limit if side == "above" else value < limit
    reads, wanted = distinctly(value, limit)
    if reads == wanted and value != limit:
        reads = f"just {'above' if value > limit else 'below'} {reads}"
    return Condition(name=name, holds=holds, weight=weight, detail=f"{what} {reads}, wants {side} {wanted}")


def _trend(name: str, frames: Frames, timeframe: Timeframe, *, weight: float, rising: bool) -> Condition:
    """Holds in a rising trend, or else where there is no falling one."""
    signals = frames[timeframe].signals if timeframe in frames else None
    if signals is None or signals.ma_20 is None or signals.ma_50 is None:
        return Condition(name=name, holds=False, weight=weight, detail=f"too few {timeframe} candles to see a trend")
    close, fast, slow = signals.close, signals.ma_20, signals.ma_50
    at, near, far = distinctly(close, fast, slow)
    is_so = _is_up(close, fast, slow) if rising else _is_down(close, fast, slow)
    detail = f"close {at} and MA20 {near} {'>' if rising else '<'} MA50 {far}: {'yes' if is_so else 'no'}"
    return Condition(name=name, holds=is_so is rising, weight=weight, detail=detail)


def _is_up(close: float, fast: float, slow: float) -> bool:
    return close > slow and fast > slow


def _is_down(close: float, fast: float, slow: float) -> bool:
    return close < slow and fast < slow
