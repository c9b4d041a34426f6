"""Answers of models to a brief, by chance from a seed: honest ones, and such with one planted falsehood.

Written before the validator, from what is asked of it: *false prices, wrong symbols and invented figures are refused,
honest answers pass*. An answer says which market it is about, what to do there at which prices, and why; a reason cites
fields of the brief by their ids, and may repeat a figure beside the id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
MARKETS = {
    "BTC/USDT": "97123.50",
    "ETH/USDT": "3412.77",
    "SOL/USDT": "187.42",
    "ADA/USDC": "0.8125",
    "PEPE/USDT": "0.00001834",
    "XRP/EUR": "2.1407",
    "DOGE/TRY": "14.882",
    "SHIB/USDT": "0.00002561",
}
FIGURES = {
    "rsi_14_1h": (20, 80, 2),
    "rsi_14_4h": (20, 80, 2),
    "return_24h": (-0.12, 0.12, 4),
    "volatility_30d": (0.2, 1.4, 3),
    "funding_rate": (-0.0009, 0.0009, 6),
    "long_share": (0.3, 0.7, 3),
    "fear_greed": (5, 95, 0),
    "volume_ratio": (0.3, 4.0, 2),
    "drawdown": (0.0, 0.35, 3),
    "news_score": (-1, 1, 2),
}
"""What a brief may tell, from, to, and with how many places."""
WORDS = ("momentum holds", "buyers are tired", "the range is narrow", "funding says crowded", "volume confirms it")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An answer, what it is an answer to, and whether it is honest.

    Attributes:
        kind: What was planted; ``honest`` where nothing was.
        figures: The brief's figures by their ids.
    """

    text: str
    kind: str
    symbol: str
    bid: Decimal
    ask: Decimal
    figures: Mapping[str, Decimal]


def honest(seed: int) -> Case:
    """An answer that says only what the brief and the book say."""
    chance = random.Random(seed)  # noqa: S311 - chance from a seed
    about = _about(chance)
    return _case(chance, about, _answer(chance, about), "honest")


def false(seed: int) -> Case:
    """The same with one falsehood, each kind as often as another."""
    chance = random.Random(seed)  # noqa: S311 - chance from a seed
    about = _about(chance)
    kinds = list(PLANTS)
    kind = kinds[seed % len(kinds)]
    answer = _answer(chance, about, stance="buy" if kind in BOUGHT else None)
    PLANTS[kind](chance, about, answer)
    return _case(chance, about, answer, kind)


@dataclass(frozen=True)
class _About:
    symbol: str
    bid: Decimal
    ask: Decimal
    figures: Mapping[str, Decimal]


def _about(chance: random.Random) -> _About:
    symbol = chance.choice(list(MARKETS))
    last = Decimal(MARKETS[symbol])
    step = Decimal(1).scaleb(last.as_tuple().exponent)  # type: ignore[arg-type]
    bid = (last * Decimal(str(round(chance.uniform(0.7, 1.4), 6)))).quantize(step)
    ask = bid + step * chance.randint(1, 3)
    told = chance.sample(list(FIGURES), chance.randint(4, len(FIGURES)))
    return _About(symbol, bid, ask, {name: _figure(chance, name) for name in told})


def _figure(chance: random.Random, name: str) -> Decimal:
    low, high, places = FIGURES[name]
    return Decimal(str(round(chance.uniform(low, high), places)))


def _answer(chance: random.Random, about: _About, *, stance: str | None = None) -> Json:
    stance = stance or chance.choice(("buy", "hold", "sell"))
    answer: Json = {
        "symbol": about.symbol,
        "stance": stance,
        "confidence": round(chance.random(), 2),
        "entry": None,
        "stop": None,
        "target": None,
        "reasons": [_reason(chance, about) for _ in range(chance.randint(1, 4))],
    }
    if stance == "buy":
        answer["entry"] = _price(chance, about, 0.99, 1.01)
        answer["stop"] = _price(chance, about, 0.88, 0.98)
        answer["target"] = _price(chance, about, 1.02, 1.25)
    return answer


def _price(chance: random.Random, about: _About, low: float, high: float) -> float:
    """As a model would write it: with the market's places, or fewer where enough are left to tell."""
    exact = about.ask * Decimal(str(round(chance.uniform(low, high), 6)))
    return float(f"{exact:.{chance.choice((4, 5, 6, 8))}g}")


def _reason(chance: random.Random, about: _About) -> Json:
    cited = chance.sample(list(about.figures), chance.randint(1, min(3, len(about.figures))))
    figures = [{"id": name, "value": _quoted(chance, about.figures[name])} for name in cited if chance.random() < 0.6]
    words = chance.choice(WORDS)
    if chance.random() < 0.4:
        words += f" ({cited[0]} at {about.figures[cited[0]]}; levels of 2024 and 100 % sure of nothing)"
    return {"text": words, "cites": cited, "figures": figures}


def _quoted(chance: random.Random, value: Decimal) -> float:
    """The figure, perhaps with fewer places: three that count at the least."""
    return float(value) if chance.random() < 0.6 else float(f"{value:.{chance.choice((3, 4))}g}")


def _wrong_price(chance: random.Random, about: _About, answer: Json) -> None:
    factor = chance.choice((0.1, 0.5, 0.75, 0.88, 1.12, 1.3, 2.0, 10.0))
    answer |= {"entry": float(f"{float(about.ask) * factor:.6g}")}


def _other_markets_price(chance: random.Random, about: _About, answer: Json) -> None:
    others = [Decimal(price) for symbol, price in MARKETS.items() if symbol != about.symbol]
    far = [price for price in others if not Decimal("0.5") < price / about.ask < 2]
    answer |= {"entry": float(chance.choice(far))}


def _wrong_stop(chance: random.Random, about: _About, answer: Json) -> None:
    """Above the market, or nowhere near it: no stop of a position that is bought now."""
    answer |= {"stop": float(f"{float(about.ask) * chance.choice((0.05, 1.03, 1.2, 5)):.6g}")}


def _wrong_target(chance: random.Random, about: _About, answer: Json) -> None:
    answer |= {"target": float(f"{float(about.ask) * chance.choice((0.4, 0.9, 0.97, 8, 40)):.6g}")}


def _no_price(chance: random.Random, about: _About, answer: Json) -> None:
    answer |= {chance.choice(("entry", "stop", "target")): chance.choice((0, -1, -float(about.ask)))}


def _wrong_symbol(chance: random.Random, about: _About, answer: Json) -> None:
    answer["symbol"] = chance.choice([symbol for symbol in MARKETS if symbol != about.symbol])


def _near_symbol(chance: random.Random, about: _About, answer: Json) -> None:
    base, quote = about.symbol.split("/")
    near = (f"{base}/USD", f"{base}X/{quote}", f"{quote}/{base}", f"{base}3L/{quote}", f"{base}/{quote}:{quote}", base)
    answer["symbol"] = chance.choice(near)


def _invented_id(chance: random.Random, about: _About, answer: Json) -> None:
    _pick(chance, answer)["cites"].append(
        chance.choice(("macd_hist", "whale_flow", "rsi", "etf_inflow", "", "rsi_14_1d"))
    )


def _left_out_id(chance: random.Random, about: _About, answer: Json) -> None:
    """One that briefs may have, and this one has not."""
    missing = [name for name in FIGURES if name not in about.figures] or ["rsi_14_1w"]
    _pick(chance, answer)["cites"].append(chance.choice(missing))


def _invented_figure(chance: random.Random, about: _About, answer: Json) -> None:
    missing = [name for name in FIGURES if name not in about.figures] or ["open_interest"]
    _pick(chance, answer)["figures"].append({"id": chance.choice(missing), "value": round(chance.uniform(1, 90), 2)})


def _wrong_figure(chance: random.Random, about: _About, answer: Json) -> None:
    name = chance.choice(list(about.figures))
    value = float(about.figures[name])
    wrong = value * chance.choice((-1, 0.1, 0.8, 0.95, 1.05, 1.3, 100)) if value else 0.7
    _pick(chance, answer)["figures"].append({"id": name, "value": float(f"{wrong:.6g}")})


def _nothing_cited(chance: random.Random, about: _About, answer: Json) -> None:
    _pick(chance, answer)["cites"] = []


def _pick(chance: random.Random, answer: Json) -> Json:
    reason: Json = chance.choice(answer["reasons"])
    return reason


PLANTS: dict[str, Callable[[random.Random, _About, Json], None]] = {
    "a wrong price": _wrong_price,
    "another market's price": _other_markets_price,
    "a wrong stop": _wrong_stop,
    "a wrong target": _wrong_target,
    "no price": _no_price,
    "a wrong symbol": _wrong_symbol,
    "a near symbol": _near_symbol,
    "an invented id": _invented_id,
    "an id that was left out": _left_out_id,
    "an invented figure": _invented_figure,
    "a wrong figure": _wrong_figure,
    "nothing cited": _nothing_cited,
}

BOUGHT = frozenset({"a wrong price", "another market's price", "a wrong stop", "a wrong target", "no price"})
"""What can only be said of something that is bought."""


def _case(chance: random.Random, about: _About, answer: Json, kind: str) -> Case:
    text = json.dumps(answer, indent=chance.choice((None, 2)), ensure_ascii=chance.random() < 0.5)
    wrapped = (
        text,
        text,
        text,
        f"```json\n{text}\n```",
        f"\n\n{text}\n",
        f"Here is my view:\n{text}",
        f"{text}\n\nTake care!",
    )
    return Case(
        text=chance.choice(wrapped),
        kind=kind,
        symbol=about.symbol,
        bid=about.bid,
        ask=about.ask,
        figures=about.figures,
    )
