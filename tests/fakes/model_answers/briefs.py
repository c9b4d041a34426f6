"""Briefs that answers cite: fields by their ids, with figures or without."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from tests.fakes.model_answers.markets import log_uniform, on_tick
from tests.fakes.model_answers.writing import significant

_FIELDS: tuple[tuple[str, str], ...] = (
    ("RSI (14)", "index"),
    ("RSI (7) 1h", "index"),
    ("Stochastic %K", "index"),
    ("Fear and greed", "count"),
    ("MACD", "signed_price"),
    ("MACD histogram", "signed_price"),
    ("Momentum", "signed_price"),
    ("close", "price"),
    ("EMA (20)", "price"),
    ("EMA (200)", "price"),
    ("VWAP", "price"),
    ("24h high", "price"),
    ("Bollinger lower", "price"),
    ("ATR per cent", "small_percent"),
    ("Spread per cent", "tiny_percent"),
    ("Distance to EMA (50) per cent", "percent"),
    ("Change 24h per cent", "percent"),
    ("Distance to 30d high per cent", "percent"),
    ("Sentiment", "unit"),
    ("News sentiment", "unit"),
    ("Correlation with BTC", "unit"),
    ("Order book imbalance", "unit"),
    ("Funding", "funding"),
    ("Volume ratio", "ratio"),
    ("Long/short ratio", "ratio"),
    ("Open positions", "count"),
    ("Headlines in 24h", "count"),
    ("Trades in the last hour", "count"),
    ("Volume 24h", "volume"),
    ("Open interest", "volume"),
    ("Slope of the trend", "tiny"),
    ("Variance of returns", "tiny"),
    ("Headline", "words"),
    ("Regime", "words"),
    ("Note of the analyst", "words"),
    ("Trend", "words"),
)

_LEAST_FIGURE = Decimal("0.00000001")

_MAY_BE_ZERO = frozenset({"signed_price", "percent", "unit", "funding", "count", "tiny_percent"})


def places_of(value: float, places: int) -> Decimal:
    """Return a number with so many decimal places, never minus zero."""
    result = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places))
    return abs(result) if result == 0 else result


def signed(rng: random.Random, value: Decimal) -> Decimal:
    """Give a number a sign by chance."""
    return -value if rng.random() < 0.5 else value


_EVENLY = {
    "index": (3, 97, (0, 1, 2, 2, 4)),
    "small_percent": (0.1, 12, (2, 2, 3)),
    "tiny_percent": (0.001, 0.4, (3, 4, 5)),
    "percent": (-45, 45, (1, 2, 2, 3)),
    "unit": (-1, 1, (1, 2, 2, 4)),
    "funding": (-0.0008, 0.0008, (4, 5, 6, 8)),
    "ratio": (0.05, 8, (2, 2, 3)),
}
"""Figures that are spread evenly: from, to, and with how many places."""


def _figure(rng: random.Random, style: str, bid: Decimal, tick: Decimal) -> Decimal | None:
    """Make the figure of one field."""
    if style == "words":
        return None
    if style in _MAY_BE_ZERO and rng.random() < 0.08:
        return Decimal(rng.choice(("0", "0.0", "0.00", "0.0000")))
    if style in _EVENLY:
        low, high, places = _EVENLY[style]
        return places_of(rng.uniform(low, high), rng.choice(places))
    match style:
        case "price":
            return max(on_tick(bid * Decimal(repr(rng.uniform(0.7, 1.3))), tick), _LEAST_FIGURE)
        case "signed_price":
            size = max(bid * Decimal(repr(rng.uniform(0.0005, 0.03))), _LEAST_FIGURE)
            return signed(rng, significant(size, rng.randint(2, 6), ROUND_HALF_EVEN))
        case "count":
            return Decimal(rng.randint(0, rng.choice((5, 100, 5000))))
        case "volume":
            return places_of(float(log_uniform(rng, Decimal(1), Decimal(1000000))), rng.choice((0, 1, 2, 3)))
    size = log_uniform(rng, _LEAST_FIGURE, Decimal("0.001"))
    return signed(rng, significant(size, rng.randint(1, 5), ROUND_HALF_EVEN))


@dataclass
class Brief:
    """The fields of a brief: their figures and names by id."""

    figures: dict[str, Decimal | None]
    names: dict[str, str]

    def ids(self, test: Callable[[Decimal], bool]) -> list[str]:
        """Return the ids of the fields whose figure passes the test."""
        return [key for key, figure in self.figures.items() if figure is not None and test(figure)]

    def wordy(self) -> list[str]:
        """Return the ids of the fields without a figure."""
        return [key for key, figure in self.figures.items() if figure is None]


def brief_of(rng: random.Random, bid: Decimal, tick: Decimal, need: str) -> Brief:
    """Make a brief with 5 to 40 fields; need may be "words" or "zero"."""
    count = rng.choice((5, 40, rng.randint(5, 12), rng.randint(5, 40), rng.randint(5, 40)))
    brief = Brief({}, {})
    for number in range(1, count + 1):
        name, style = rng.choice(_FIELDS)
        brief.figures[f"f{number}"] = _figure(rng, style, bid, tick)
        brief.names[f"f{number}"] = name
    # Every brief has three figures that differ from zero and from each other.
    certain = (
        ("RSI (14)", places_of(rng.uniform(5, 95), 2)),
        ("close", bid),
        ("Change 24h per cent", places_of(-rng.uniform(0.3, 4), 2)),
    )
    *keys, spare = rng.sample(sorted(brief.figures), 4)
    for key, (name, figure) in zip(keys, certain, strict=True):
        brief.figures[key] = figure
        brief.names[key] = name
    if need == "words" and not brief.wordy():
        brief.figures[spare] = None
        brief.names[spare] = "Headline"
    if need == "zero" and not brief.ids(lambda figure: figure == 0):
        brief.figures[spare] = Decimal(rng.choice(("0", "0.00")))
        brief.names[spare] = "Sentiment"
    return brief


SENTENCES = (
    "Momentum is fading while volume stays thin.",
    "The spread is narrow enough for this size.",
    "BTC dominates and altcoins follow it.",
    "BTC/USDT moved first; this market usually follows within 3 candles.",
    "ETH and SOL show the same pattern.",
    "As in 2021, late entries after such a run were punished.",
    "The usual overbought line is 70, the oversold line is 30.",
    "A break of the 200-day average would change the picture.",
    "Risk/reward is about 1:2.5 here.",
    "The ETF decision of 2024-01-10 still shapes the flow.",
    "Roughly 60% of similar setups worked in backtests.",
    'The headline says "exchange outage", which is a risk.',
    "Pfad C:\\data ist egal; die Lage bleibt unübersichtlich.",
    "Piyasa kararsız, hacim düşük.",
    "市场情绪谨慎，成交量不足。",
    "Объём растёт, но цена стоит.",
    "Sentiment is cautious \U0001f43b but not extreme.",
    "Trend up \U0001f680, yet the stop is near.",
    "Price ≈ average; deviation ± 0.5 σ.",
    "First point: trend.\nSecond point: volume.",
    "Trend:\tflat. Volume:\tlow.",
    "Range {low, high} is intact; see [note 3].",
    "L’élan s’essouffle – prudence.",
    "Funding near 0.01 % per 8h is normal.",
    "The round level of 100,000 attracts sellers.",
    "Volatility is moderate, so a smaller part of the trade is enough.",
    "USDT and EUR pairs agree.",
    "<b>Caution</b> & patience are advised.",
    "-5 % in a day is not rare for this coin.",
)
