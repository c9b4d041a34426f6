"""What in a brief speaks for a rising price, and what against it: the plain rules of textbooks. Pure.

Each piece has a strength in [-1, 1]: above 0 it speaks for a rise. Averages and their distance (trend), MACD's
side of its signal and the RSI's ends (momentum), levels and volume are read as J. Welles Wilder, "New Concepts
in Technical Trading Systems" (1978), and John J. Murphy, "Technical Analysis of the Financial Markets" (1999), do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.domain.briefs import BriefField
from engine.domain.figures import plain
from engine.domain.market import Timeframe

OVERBOUGHT, OVERSOLD = 70, 30
_OF_TIMEFRAME = {"1d": 1.5, "4h": 1.2, "1w": 1.2}
"""How much the readings of a timeframe count; 1 for those that are not named."""
_FULL_TREND = 5.0
"""Per cent above an average at which a trend counts in full."""
_DRY, _BUSY = 0.5, 1.5
"""Volume of a candle, as a ratio to the mean of twenty, below which it is little and above which it is much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that speaks for a rise, or against it."""

    strength: float
    text: str
    fields: tuple[str, ...]


Figures = Mapping[str, tuple[str, float]]
"""The id and the figure of each field, by its name."""


def figures_of(fields: Sequence[BriefField]) -> Figures:
    """The fields that have a figure."""
    return {field.name: (field.id, float(field.figure)) for field in fields if field.figure is not None}


def evidence_in(fields: Sequence[BriefField], only: str = "") -> tuple[Evidence, ...]:
    """Everything that speaks for or against a rise, the strongest first; of one timeframe alone where one is given."""
    return evidence_of(figures_of(fields), only)


def evidence_of(figures: Figures, only: str = "") -> tuple[Evidence, ...]:
    """The same by the figures alone: nothing else speaks for or against anything."""
    found = [each for timeframe in Timeframe if only in ("", timeframe) for each in _readings(figures, timeframe)]
    found += _beside(figures, with_outlook=not only)
    return tuple(sorted(found, key=lambda each: -abs(each.strength)))


def balance(found: Sequence[Evidence]) -> float:
    """Where all of it points, in [-1, 1]: its mean by strength, so that what is weak counts little; 0 without any."""
    weight = sum(abs(each.strength) for each in found)
    return sum(each.strength * abs(each.strength) for each in found) / weight if weight else 0.0


def _readings(figures: Figures, timeframe: str) -> Iterator[Evidence]:
    counts = _OF_TIMEFRAME.get(timeframe, 1.0)
    for each in (*_trend(figures, timeframe), *_momentum(figures, timeframe), *_room(figures, timeframe)):
        yield Evidence(strength=_capped(each.strength * counts), text=each.text, fields=each.fields)


def _trend(figures: Figures, timeframe: str) -> Iterator[Evidence]:
    for name, counts in (("ma_50", 0.4), ("ma_200", 0.6)):
        if (known := figures.get(f"{timeframe}.above_{name}")) is not None:
            field, above = known
            where = "above" if above > 0 else "below"
            text = f"the {timeframe} close is {plain(abs(above), 2)} % {where} its {name.replace('_', ' ').upper()}"
            yield Evidence(strength=counts * _capped(above / _FULL_TREND), text=text, fields=(field,))


def _momentum(figures: Figures, timeframe: str) -> Iterator[Evidence]:
    if (known := figures.get(f"{timeframe}.macd_histogram")) is not None and known[1]:
        rising = known[1] > 0
        text = f"MACD on {timeframe} is {'above' if rising else 'below'} its signal"
        yield Evidence(strength=0.25 if rising else -0.25, text=text, fields=(known[0],))
    if (known := figures.get(f"{timeframe}.rsi")) is None:
        return
    field, rsi = known
    if rsi >= OVERBOUGHT:
        yield Evidence(
            strength=-(0.3 + (rsi - OVERBOUGHT) / 60), text=f"RSI on {timeframe} is overbought", fields=(field,)
        )
    elif rsi <= OVERSOLD:
        yield Evidence(strength=0.3 + (OVERSOLD - rsi) / 60, text=f"RSI on {timeframe} is oversold", fields=(field,))


def _room(figures: Figures, timeframe: str) -> Iterator[Evidence]:
    """Levels that are nearer than what the price moves in a candle, and how much is traded."""
    atr = figures.get(f"{timeframe}.atr_percent")
    for name, strength in (("resistance", -0.35), ("support", 0.2)):
        known = figures.get(f"{timeframe}.{name}_percent")
        if atr is not None and known is not None and abs(known[1]) < atr[1]:
            text = f"{name} on {timeframe} is nearer than its average true range"
            yield Evidence(strength=strength, text=text, fields=(known[0], atr[0]))
    if (volume := figures.get(f"{timeframe}.volume_ratio")) is not None:
        if volume[1] < _DRY:
            yield Evidence(strength=-0.25, text=f"little is traded on {timeframe}", fields=(volume[0],))
        elif volume[1] > _BUSY:
            yield Evidence(strength=0.15, text=f"much is traded on {timeframe}", fields=(volume[0],))


def _beside(figures: Figures, *, with_outlook: bool) -> Iterator[Evidence]:
    named = [("sentiment", 0.6, "what is said of it")]
    if with_outlook:
        named.append(("outlook.alignment", 0.8, "what is predicted for it"))
    for name, counts, text in named:
        if (known := figures.get(name)) is not None and known[1]:
            way = "bullish" if known[1] > 0 else "bearish"
            yield Evidence(strength=counts * _capped(known[1]), text=f"{text} is {way}", fields=(known[0],))


def _capped(value: float) -> float:
    return max(-1.0, min(1.0, value))
