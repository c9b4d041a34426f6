"""What the data of the markets is like as a card. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.domain.decisions import IDLE
from engine.domain.messages import Card, Item
from engine.domain.quality_views import CandleQuality, Finding, MarketQuality, Outcome, QualityView
from handlers.cards import wording
from handlers.cards.lines import listed

FINDINGS = 6
"""How many kinds of findings are told of one market, where one is asked about; of many, the newest of each."""


def card(view: QualityView) -> Card:
    """Each market's data: whether it is good, how old, and what was mended, refused or has changed since the start."""
    bad = [each.name for each in view.markets if not _is_good(each)]
    shown = FINDINGS if len(view.markets) == 1 else 1
    return Card(
        title=_title(view, bad),
        items=tuple(
            Item(title=f"{each.name}: {_state(each)}", text=wording.lines(*map(listed, _told(each, view.at, shown))))
            for each in view.markets
        ),
    )


def _title(view: QualityView, bad: list[str]) -> str:
    if bad:
        return f"Data is not good: {wording.listing(bad)}"
    if not any(each.candles for each in view.markets):
        return "Data: no close has been looked at yet"
    return f"Data is good: {wording.count(len(view.markets), 'market')}"


def _is_good(market: MarketQuality) -> bool:
    return not market.halts and all(each.usable for each in market.candles)


def _state(market: MarketQuality) -> str:
    if market.halts:
        return "halted"
    if not market.candles:
        return "not looked at yet"
    if not _is_good(market):
        return "refused"
    return "nothing is traded" if any(map(_is_idle, market.candles)) else "good"


def _is_idle(candles: CandleQuality) -> bool:
    """Whether nothing is traded, where that halts nothing: people know, or it was so before the account began."""
    return any(each.kind == IDLE and each.last == candles.checked_at for each in candles.findings)


def _told(market: MarketQuality, at: datetime, shown: int) -> Iterator[str]:
    for halt in market.halts:
        yield f"halted since {wording.moment(halt.since)}: {halt.reason}"
    if market.candles:
        yield f"newest closes: {', '.join(_age(each, at) for each in market.candles)}"
    if market.price_at is not None:
        how = ", by websocket" if market.streamed else ""
        yield f"price {wording.span(max(at - market.price_at, at - at))} old{how}"
    found = [(each, finding) for each in market.candles for finding in each.findings]
    found.sort(key=lambda pair: pair[1].last, reverse=True)
    for each, finding in found[:shown]:
        yield _finding(each, finding, at)
    if len(found) > shown:
        more = wording.count(len(found) - shown, "kind of finding", "kinds of findings")
        yield f"and {more} more" + ("" if shown == FINDINGS else f": /quality {market.name.partition(' ')[0]}")


def _age(candles: CandleQuality, at: datetime) -> str:
    if candles.closed_at is None:
        return f"{candles.timeframe} none"
    return f"{candles.timeframe} {wording.span(max(at - candles.closed_at, at - at))} ago"


_WORDS = {
    Outcome.REPAIRED: "repaired",
    Outcome.SHORT: "short",
    Outcome.REFUSED: "refused",
    Outcome.CHANGED: "changed its nature",
}


def _finding(candles: CandleQuality, finding: Finding, at: datetime) -> str:
    times = wording.count(finding.closes, "close")
    ago = wording.span(max(at - finding.last, at - at))
    return (
        f"{candles.timeframe} {_WORDS[finding.outcome]}, {finding.kind}: {finding.detail} (at {times}, last {ago} ago)"
    )
