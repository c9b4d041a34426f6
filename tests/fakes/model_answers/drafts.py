"""Honest answers before they are written down."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from tests.fakes.model_answers.briefs import SENTENCES, Brief, brief_of, places_of
from tests.fakes.model_answers.cases import MAX_FLIP, MAX_LIST, MAX_TEXT, OPINION, Case
from tests.fakes.model_answers.markets import MARKETS, Market, log_uniform, on_tick, prices
from tests.fakes.model_answers.writing import (
    Json,
    Num,
    number_of,
    plain,
    repeated,
    significant,
    style_of,
    wrapped,
    written,
    zero,
)

_SHORT = ("RSI", "low", "ok.", "Up!", "涨势强", "Flat", "Weak volume")

_FLIPS = (
    "A close above the 24h high would change my mind.",
    "If RSI falls below 30 I would approve.",
    "If BTC loses 90000, veto.",
    "A volume ratio above 1.5 for 3 candles.",
    "News of a listing or a delisting.",
    "Sentiment below -0.5 or funding above 0.05 %.",
    "Wenn die Stimmung kippt (unter −0,3).",
    'A second headline that confirms "hack".',
    "n/a",
    "",
)


def _cut(text: str, limit: int) -> str:
    """Shorten a text to the limit."""
    return text[:limit].strip()


def _prose(rng: random.Random, brief: Brief, fields: Sequence[str]) -> str:
    """Write the text of a reason, 3 to 240 characters."""
    chance = rng.random()
    if chance < 0.04:
        return rng.choice(_SHORT)
    if chance < 0.08:
        text = " ".join(rng.sample(SENTENCES, 12))[:MAX_TEXT].strip()
        return text + "." * (MAX_TEXT - len(text))
    parts = rng.sample(SENTENCES, rng.randint(1, 3))
    key = rng.choice(fields)
    figure = brief.figures[key]
    if figure is not None and rng.random() < 0.5:
        value = repeated(rng, figure)
        shown = f"{value:,f}" if rng.random() < 0.3 else plain(value)
        verb = rng.choice(("is", "reads", "stands at", "="))
        parts.insert(0, f"{brief.names[key]} {verb} {shown} ({key}).")
    return _cut(" ".join(parts), MAX_TEXT)


@dataclass
class _Reason:
    """One reason of an answer."""

    text: str
    fields: list[str]
    figures: list[tuple[str, Num]]

    def cite(self, rng: random.Random, key: str) -> None:
        """Add a field, in place of another when there is no room."""
        if key in self.fields:
            return
        if len(self.fields) >= MAX_LIST:
            gone = self.fields.pop(rng.randrange(len(self.fields)))
            self.figures = [item for item in self.figures if item[0] != gone]
        self.fields.insert(rng.randint(0, len(self.fields)), key)

    def state(self, rng: random.Random, key: str, value: Num) -> None:
        """Add the figure of a field, in place of another when there is no room."""
        self.figures = [item for item in self.figures if item[0] != key]
        if len(self.figures) >= MAX_LIST:
            self.figures.pop(rng.randrange(len(self.figures)))
        self.figures.insert(rng.randint(0, len(self.figures)), (key, value))


@dataclass
class Draft:
    """An answer that is not yet written as text."""

    rng: random.Random
    shape: str
    market: Market
    bid: Decimal
    ask: Decimal
    brief: Brief
    symbol: str
    reasons: list[_Reason]
    verdict: str = "approve"
    share: Num = Num("1")
    stop: Num | None = None
    flip: str = ""
    direction: str = "neutral"
    move: Num = Num("0")
    horizon: Num = Num("1")

    def reason(self) -> _Reason:
        """Return one of the reasons."""
        return self.rng.choice(self.reasons)


def _reason(rng: random.Random, brief: Brief) -> _Reason:
    """Make an honest reason."""
    ids = list(brief.figures)
    fields = rng.sample(ids, rng.randint(1, MAX_LIST))
    known = [(key, figure) for key in fields if (figure := brief.figures[key]) is not None]
    stated = rng.sample(known, rng.randint(0, len(known)))
    figures = [(key, number_of(rng, repeated(rng, figure))) for key, figure in stated]
    return _Reason(_prose(rng, brief, fields), fields, figures)


def honest_stop(rng: random.Random, bid: Decimal, tick: Decimal) -> Decimal:
    """Return a stop 0.2 % to 40 % below the best bid."""
    while True:
        far = log_uniform(rng, Decimal("0.0021"), Decimal("0.395"))
        stop = bid * (1 - far)
        chance = rng.random()
        if chance < 0.70:
            stop = on_tick(stop, tick)
        elif chance < 0.92:
            stop = significant(stop, rng.choice((3, 4, 5)), ROUND_HALF_EVEN)
        else:
            stop = significant(stop, rng.choice((8, 10)), ROUND_HALF_EVEN)
        if bid * Decimal("0.60") <= stop <= bid * Decimal("0.998"):
            return stop


def _honest_share(rng: random.Random) -> Num:
    """Return a share between 0.05 and 1."""
    if rng.random() < 0.6:
        forms = ("1", "1.0", "0.5", "0.50", "5e-1", "0.25", "0.75", "0.05", "5e-2", "0.1", "1e0")
        return Num(rng.choice(forms))
    return number_of(rng, places_of(rng.uniform(0.05, 1), rng.choice((2, 2, 3))))


def size_of(rng: random.Random, low: str, high: str) -> Decimal:
    """Return a positive number with at most two decimal places, even in its logarithm."""
    size = log_uniform(rng, Decimal(low), Decimal(high))
    return places_of(float(size), rng.choice((1, 1, 2)))


def _fill_prediction(draft: Draft) -> None:
    """Give a prediction an honest direction, move and horizon."""
    rng = draft.rng
    draft.direction = rng.choice(("bullish", "bearish", "neutral"))
    if draft.direction == "neutral":
        small = places_of(rng.uniform(-0.5, 0.5), rng.choice((1, 2)))
        draft.move = zero(rng) if rng.random() < 0.4 else number_of(rng, small)
    else:
        size = size_of(rng, "0.1", "20")
        if rng.random() < 0.3:
            size = Decimal(rng.randint(1, 8))
        if rng.random() < 0.04:
            size = rng.choice((Decimal(50), Decimal("49.9"), Decimal("0.1"), Decimal("37.5")))
        draft.move = number_of(rng, size if draft.direction == "bullish" else -size)
    horizon = rng.choice((1, 3, 4, 6, 12, 24, 48, 60, rng.randint(1, 60)))
    draft.horizon = Num(str(horizon))


def _fill_opinion(draft: Draft) -> None:
    """Give an opinion an honest verdict, share, stop and flip."""
    rng = draft.rng
    draft.verdict = rng.choice(("approve", "approve", "approve", "veto", "abstain"))
    draft.share = _honest_share(rng)
    likely = 0.65 if draft.verdict == "approve" else 0.12
    if rng.random() < likely:
        draft.stop = number_of(rng, honest_stop(rng, draft.bid, draft.market.tick))
    draft.flip = rng.choice(_FLIPS)
    if rng.random() < 0.2:
        draft.flip = _cut(" ".join(rng.sample(_FLIPS[:-2], 3)), MAX_FLIP)


def draft_of(rng: random.Random, shape: str, least_ticks: int = 1, need: str = "") -> Draft:
    """Make an honest draft."""
    market = rng.choice(MARKETS)
    bid, ask = prices(rng, market, least_ticks)
    brief = brief_of(rng, bid, market.tick, need)
    reasons = [_reason(rng, brief) for _ in range(rng.randint(1, MAX_LIST))]
    draft = Draft(
        rng=rng,
        shape=shape,
        market=market,
        bid=bid,
        ask=ask,
        brief=brief,
        symbol=market.symbol,
        reasons=reasons,
    )
    if shape == OPINION:
        _fill_opinion(draft)
    else:
        _fill_prediction(draft)
    return draft


def _ordered(rng: random.Random, items: dict[str, Json], shuffled: bool) -> dict[str, Json]:
    """Return the items, in another order when wished."""
    if not shuffled:
        return items
    keys = list(items)
    rng.shuffle(keys)
    return {key: items[key] for key in keys}


def case(draft: Draft, kind: str) -> Case:
    """Write a draft as text and return the case."""
    rng = draft.rng
    shuffled = rng.random() < 0.3
    reasons: list[Json] = []
    for reason in draft.reasons:
        figures: list[Json] = [_ordered(rng, {"id": key, "value": value}, shuffled) for key, value in reason.figures]
        items: dict[str, Json] = {
            "text": reason.text,
            "fields": reason.fields,
            "figures": figures,
        }
        reasons.append(_ordered(rng, items, shuffled))
    answer: dict[str, Json]
    if draft.shape == OPINION:
        answer = {
            "symbol": draft.symbol,
            "verdict": draft.verdict,
            "share": draft.share,
            "stop": draft.stop,
            "reasons": reasons,
            "flip": draft.flip,
        }
    else:
        answer = {
            "symbol": draft.symbol,
            "direction": draft.direction,
            "expected_move_percent": draft.move,
            "horizon_candles": draft.horizon,
            "reasons": reasons,
        }
    body = written(_ordered(rng, answer, shuffled), style_of(rng))
    return Case(
        text=wrapped(rng, body),
        shape=draft.shape,
        kind=kind,
        symbol=draft.market.symbol,
        bid=draft.bid,
        ask=draft.ask,
        figures=dict(draft.brief.figures),
    )


def set_stop(draft: Draft, stop: Decimal) -> None:
    """Approve the trade with this stop."""
    draft.verdict = "approve"
    draft.stop = number_of(draft.rng, stop)


def outside(draft: Draft, stop: Decimal) -> bool:
    """Tell whether a stop is above the market or more than 90 % below it."""
    return stop > draft.ask or stop < draft.bid * Decimal("0.1")


def stop_above_market(draft: Draft) -> None:
    """Set the stop above the best ask."""
    far = log_uniform(draft.rng, Decimal("1.002"), Decimal("1.5"))
    stop = on_tick(draft.ask * far, draft.market.tick)
    set_stop(draft, max(stop, draft.ask + draft.market.tick))
