"""Who is asked what the futures of the markets tell."""

from __future__ import annotations

from config.settings import Settings
from engine.data.derivatives.binance import BinanceDerivatives
from engine.data.derivatives.generated import GeneratedDerivatives
from engine.data.derivatives.nobody import NoDerivatives
from engine.domain.errors import NoData, VenueError
from engine.ports import Clock, DerivativesData, MarketFeed
from engine.timing.clocks import WallClock


def derivatives_of(settings: Settings, feed: MarketFeed, clock: Clock) -> DerivativesData:
    """The reader that the settings ask for; beside real prices nothing is made up."""
    asked = settings.derivatives
    if asked.source == "binance":
        return _binance(settings, clock)
    if asked.source == "generated" and settings.market.source == "replay" and not settings.replay.data:
        return GeneratedDerivatives(feed=feed, clock=clock, seed=settings.market.seed)
    return NoDerivatives()


async def look_at_futures(settings: Settings) -> str:
    """Ask the venue once for the futures of each market, as a run would; one that has none is named, and no fault.

    Raises:
        VenueError: It cannot be reached.
    """
    reader, told, untold = _binance(settings, WallClock()), list[str](), list[str]()
    try:
        for symbol in dict.fromkeys(symbol for context in settings.contexts for symbol in context.markets):
            try:
                await reader.funding(symbol)
                told.append(symbol)
            except NoData:
                untold.append(symbol)
    except VenueError as error:
        remedy = "See that this machine reaches it; derivatives.api_url names another server, source: none asks nobody."
        raise VenueError(error.message, remedy) from None
    finally:
        await reader.close()
    lacking = f"; {', '.join(untold)} has none, /why says so" if untold else ""
    return f"futures of {', '.join(told) or 'no market'}{lacking}"


def _binance(settings: Settings, clock: Clock) -> BinanceDerivatives:
    asked = settings.derivatives
    return BinanceDerivatives(api_url=asked.api_url, answer_within=asked.answer_within.total_seconds(), clock=clock)
