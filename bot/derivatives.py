"""Who is asked what the futures of the markets tell."""

from __future__ import annotations

from config.settings import Settings
from engine.data.derivatives.binance import BinanceDerivatives
from engine.data.derivatives.generated import GeneratedDerivatives
from engine.data.derivatives.nobody import NoDerivatives
from engine.ports import Clock, DerivativesData, MarketFeed


def derivatives_of(settings: Settings, feed: MarketFeed, clock: Clock) -> DerivativesData:
    """The reader that the settings ask for; beside real prices nothing is made up."""
    asked = settings.derivatives
    if asked.source == "binance":
        within = asked.answer_within.total_seconds()
        return BinanceDerivatives(api_url=asked.api_url, answer_within=within, clock=clock)
    if asked.source == "generated" and settings.market.source == "replay" and not settings.replay.data:
        return GeneratedDerivatives(feed=feed, clock=clock, seed=settings.market.seed)
    return NoDerivatives()
