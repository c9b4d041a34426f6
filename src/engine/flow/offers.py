"""What each venue of a context offers for an entry: asked of all at once, each for so long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.domain.errors import VenueError
from engine.domain.market import Listing
from engine.domain.order_routing import Offer
from engine.flow.services import CycleServices
from engine.ports import market_data_of
from engine.strategies.context import StrategyContext

OFFERS_WITHIN = 3.0
"""Wall seconds that a venue has to give its book for an entry: after that it is left out."""
Offers = Mapping[tuple[str, str], tuple[Offer, ...]]
"""By context and symbol, the venues in the order of the context."""
NO_OFFERS: Offers = {}


async def offers_of(services: CycleServices, wanted: Iterable[tuple[StrategyContext, str]]) -> Offers:
    """What the venues of each context offer for a market, where it has several."""
    routed = [(context, symbol) for context, symbol in wanted if context.others]
    listings = list(dict.fromkeys(Listing(venue, symbol) for each, symbol in routed for venue in each.venues))
    found = dict(zip(listings, await asyncio.gather(*(_offer(services, each) for each in listings)), strict=True))
    return {
        (context.name, symbol): tuple(found[Listing(venue, symbol)] for venue in context.venues)
        for context, symbol in routed
    }


async def _offer(services: CycleServices, listing: Listing) -> Offer:
    """What a venue offers; one that has just failed to answer about orders gets none."""
    venue, symbol = listing
    fee, answering = services.fees.get(venue, Decimal(0)), services.orchestrator.answering.get(venue)
    if answering is not None and answering.failures:
        return Offer(venue=venue, fee=fee, why_not=f"it does not answer: {answering.why}")
    try:
        market = market_data_of(services.market_data, venue).market(symbol)
        async with asyncio.timeout(OFFERS_WITHIN):
            book = await market_data_of(services.market_data, venue).book(symbol)
    except VenueError as error:
        return Offer(venue=venue, fee=fee, why_not=f"it gives no book: {error.message}")
    except TimeoutError:
        return Offer(venue=venue, fee=fee, why_not="it gives no book in time")
    return Offer(venue=venue, market=market, book=book, fee=fee)
