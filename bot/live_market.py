"""A real venue's market for the paper venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches

from bot.venues import goes_by
from config.settings import Settings
from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.data.live.feed import LiveFeed
from engine.data.live.plausible import BookLimits
from engine.data.live.refresh import Refresher
from engine.data.live.several import Refreshers
from engine.domain.errors import ConfigError, GreenlightError, VenueError
from engine.domain.market import Timeframe
from engine.exchanges.ccxt.client import VenueClient, check_exchange, known_exchanges
from engine.exchanges.ccxt.parsing import Listing
from engine.exchanges.ccxt.venue_time import MOST_SKEW, REMEDY, ClockCheck
from engine.ports import NoEntry
from engine.simulation.intrabar import Intrabar
from engine.strategies.context import StrategyContexts
from engine.timing.clocks import WallClock

SHARE = 0.65
"""How much of what the venue allows is used: the rest is for a download of its history."""
MOST_AGE = 0.999
"""How old, in candles, the newest close may be at a real venue's close: a whole one is the close before."""
STALE_POLLS = 4
"""How many polls a price and a book hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMarket:
    """What there is to trade on, and who keeps it up to date."""

    feed: LiveFeed
    refresher: Refresher
    venue: str


def no_entry_of(live: Refreshers, contexts: StrategyContexts) -> NoEntry:
    """What speaks against entering at real prices; a context that is no longer configured is held to the strictest."""
    own = {each.name: each for each in contexts}
    shortest = min((each.timeframe for each in contexts), key=lambda each: each.duration)

    def no_entry(context: str) -> str:
        found = own.get(context)
        return live.at(found.venue).no_entry(found.timeframe) if found else live.no_entry(shortest)

    return no_entry


def quality_limits(settings: Settings) -> QualityLimits:
    """When candles are good enough; at a real venue nothing is decided on a bar that is older than its own length."""
    limits = QualityLimits(**settings.quality.model_dump())
    if settings.market.source != "ccxt":
        return limits
    return replace(limits, max_age_candles=min(limits.max_age_candles, MOST_AGE))


def live_market(
    settings: Settings, name: str, timeframes: Mapping[str, tuple[Timeframe, ...]], history: int
) -> LiveMarket:
    """The market of a venue; nothing is asked of it yet.

    Args:
        settings: How it is asked.
        name: The venue, as the settings call it.
        timeframes: The candles that are wanted, by symbol.
        history: How many closed ones of each.

    Raises:
        ConfigError: ccxt does not know the venue.
    """
    asked, risk, clock = settings.exchanges[name], settings.risk, WallClock()
    client = venue_client(settings, name)
    max_factor = Decimal(repr(settings.quality.max_factor))
    feed = LiveFeed(
        timeframes,
        fresh_for=STALE_POLLS * asked.poll_every,
        max_factor=max_factor,
        rule=Intrabar(settings.venue.intrabar),
    )
    refresher = Refresher(
        client=client,
        feed=feed,
        clock=clock,
        timeframes=timeframes,
        history=history,
        quality=DataQualityMonitor(limits=quality_limits(settings)),
        clocks=ClockCheck(
            venue=client.name,
            time=lambda: client.time,
            fraction=settings.market.max_skew,
            timeframes=[each.timeframe for each in settings.contexts if goes_by(settings, each, name)],
        ),
        poll=asked.poll_every,
        websocket=asked.websocket,
        limits=BookLimits(max_spread=risk.max_spread, max_price_gap=risk.max_price_gap),
    )
    return LiveMarket(feed=feed, refresher=refresher, venue=client.name)


def venue_client(settings: Settings, name: str) -> VenueClient:
    """The way to a venue.

    Raises:
        ConfigError: ccxt does not know it.
    """
    asked = settings.exchanges[name]
    check_exchange(asked.venue or name, known_exchanges())
    return VenueClient(
        exchange=asked.venue or name,
        name=name,
        sandbox=asked.sandbox,
        api_url=asked.api_url,
        answer_within=asked.answer_within,
        clock=WallClock(),
        share=SHARE,
    )


async def look_at_venues(settings: Settings) -> str:
    """Ask each venue once for its markets, as a run would.

    Raises:
        GreenlightError: One cannot be reached, its clock is not ours, or a market is not traded there.
    """
    return "; ".join([await _look_at(settings, name) for name in settings.price_venues])


async def _look_at(settings: Settings, name: str) -> str:
    client, asked = venue_client(settings, name), settings.exchanges[name]
    where, elsewhere = asked.api_url or name, f"exchanges.{name}.api_url names another server."
    try:
        await client.open()
        listed = await client.listings()
        _check_clock(client.skew, where, elsewhere)
        _check_contexts(settings, listed, client)
        return f"{where} lists {len(listed)} markets, ours among them; its clock is within {MOST_SKEW:.0f} s of ours"
    except VenueError as error:
        raise VenueError(error.message, f"See that this machine reaches {where}; {elsewhere}") from None
    finally:
        await client.close()


def _check_clock(skew: float | None, where: str, elsewhere: str) -> None:
    if skew is None:
        message = f"The answers of {where} tell no time (no Date): nothing would be entered."
        raise GreenlightError(message, f"See what stands between; {elsewhere}")
    if abs(skew) > MOST_SKEW:
        raise GreenlightError(f"The clock of {where} and ours are {abs(skew):.0f} s apart.", REMEDY)


def _check_contexts(settings: Settings, listed: Mapping[str, Listing], client: VenueClient) -> None:
    own = [(number, each) for number, each in enumerate(settings.contexts) if goes_by(settings, each, client.name)]
    for number, context in own:
        for symbol in context.markets:
            if symbol not in listed:
                near = get_close_matches(symbol, listed, n=1)
                hint = f"Did you mean {near[0]}?" if near else "See which markets it has."
                raise ConfigError(f"{client.name} has no market {symbol}.", hint, key=f"contexts.{number}.markets")
            if not listed[symbol].trading:
                raise GreenlightError(f"{client.name} has halted {symbol}.", "Wait, or leave it out.")
        if context.timeframe not in client.timeframes:
            raise ConfigError(
                f"{client.name} has no {context.timeframe} candles.",
                f"It has {', '.join(each for each in Timeframe if each in client.timeframes)}.",
                key=f"contexts.{number}.timeframe",
            )
