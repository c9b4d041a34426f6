"""What is said of a market as a card. Pure.

Headlines are strangers' words: they are shown as they were cleaned, and are never a command, a mention or a
link.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.messages import BREAK, Card, Item
from engine.domain.sentiment import (
    DOMINANCE,
    MARKET_CAP,
    OPEN_INTEREST,
    Reading,
    SentimentData,
    SentimentPart,
    SentimentView,
)
from handlers.cards import wording
from handlers.cards.foreign import inert
from handlers.cards.lines import listed

NEUTRAL = 0.1
"""Below this, either way, it takes no side."""
LONGEST = 140
"""Characters of a headline that are shown."""
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
"""Trillions, billions and millions."""
_MADE_UP = "All of it is made up, as the prices are: nobody said any of this."


def card(view: SentimentView) -> Card:
    """What sources say of a market, each with its age, and the newest headlines.

    Sources that cannot be read stand at the end, each with its reason.
    """
    found = view.data
    whole = found.aggregate()
    told = f"{score(whole)}, {_side(whole)}" if whole is not None else "nothing is known"
    shares = zip(found.parts, found.shares(), strict=True)
    parts = [Item(title=_title(part, share), text=_text(part, found.at)) for part, share in shares]
    headlines = [
        Item(
            title=inert(_short(each.title)),
            text=listed(f"{wording.words(each.source)}, {_ago(each.at, found.at)}, {score(each.score)}"),
        )
        for each in found.headlines
    ]
    topics = ", ".join(f"{topic.words} ({topic.count})" for topic in found.trending)
    return Card(
        title=f"Sentiment on {found.symbol}: {told}",
        fields=(*_figures(view.data), *((("Spoken of", listed(topics)),) if topics else ())),
        items=(*parts, *headlines),
        text=wording.lines(
            *([_MADE_UP] if view.is_made_up else []),
            *(f"{wording.sentence(wording.words(name))}: {reason}" for name, reason in view.troubles),
        ),
    )


def _figures(found: SentimentData) -> list[tuple[str, str]]:
    """Figures that take no side, each with its age."""
    base = found.symbol.partition("/")[0]
    return [(_named(each, base), listed(f"{_figure(each, base)}, {_ago(each.at, found.at)}")) for each in found.figures]


def _named(figure: Reading, base: str) -> str:
    name = wording.sentence(wording.words(figure.source))
    return name if figure.source == OPEN_INTEREST else f"{name} of {base if figure.subject else 'all coins'}"


def _figure(figure: Reading, base: str) -> str:
    if figure.source == DOMINANCE:
        return wording.percent(figure.value)
    large = _large(figure.value)
    return f"${large}" if figure.source == MARKET_CAP else f"{large} {base}"


def _large(value: float) -> str:
    """A large number in short: ``2.31 T``, ``845.20 B``, ``12,300``."""
    for power, unit in _UNITS:
        if value >= power:
            return f"{value / power:,.2f} {unit}"
    return f"{value:,.0f}"


def score(value: float) -> str:
    """A score with its sign: ``+0.31``, ``-0.08``; none is ``0.00``."""
    rounded = round(value, 2) + 0.0  # adding 0 turns -0.0 into 0.0
    return f"{rounded:+.2f}" if rounded else "0.00"


def _side(value: float) -> str:
    if abs(value) < NEUTRAL:
        return "neutral"
    return "bullish" if value > 0 else "bearish"


def _title(part: SentimentPart, share: float) -> str:
    name = wording.sentence(wording.words(part.source))
    return f"{name} {score(part.score)} {BREAK}({wording.percent(share)} of it)"


def _text(part: SentimentPart, now: datetime) -> str:
    texts = f"{wording.count(part.count, 'text')}, the newest " if part.count > 1 else ""
    return f"{texts}{_ago(part.at, now)}"


def _ago(at: datetime, now: datetime) -> str:
    return f"{wording.span(now - at)} ago"


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"
