"""What things trade at now, for those who look: asked of the venue, left out where that does not answer."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from engine.domain.errors import VenueError
from engine.domain.halts import HaltKind
from engine.domain.market import Book, Listing
from engine.ports import MarketDataAt, market_data_of
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork

ASKED_WITHIN = 1.0
"""Wall seconds that a venue has to say what something trades at: people who look wait for nobody longer."""


async def prices_of_held(store: DatabaseReader, market_data: MarketDataAt) -> dict[Listing, Decimal]:
    """What each market that something is held of trades at now; the last closes stand for what is left out."""
    held, changed = await store.read(lambda uow: (uow.positions.open(), _changed(uow)))
    listings = dict.fromkeys(position.listing for position in held if position.listing not in changed)
    books = await asyncio.gather(*(book(market_data, listing) for listing in listings))
    return {listing: found.mid for listing, found in zip(listings, books, strict=True) if found is not None}


async def ask(market_data: MarketDataAt, listing: Listing) -> Decimal | None:
    """What buying would cost now; ``None`` where the venue does not say."""
    found = await book(market_data, listing)
    return found.ask if found else None


async def book(market_data: MarketDataAt, listing: Listing) -> Book | None:
    """A market's order book; ``None`` where the venue does not say, or not soon."""
    try:
        async with asyncio.timeout(ASKED_WITHIN):
            return await market_data_of(market_data, listing.venue).book(listing.symbol)
    except (VenueError, TimeoutError):
        return None


def _changed(uow: UnitOfWork) -> set[Listing]:
    """The markets whose price of now is perhaps that of something else than what is held."""
    return {found.halt.listing for found in uow.halts.open() if found.halt.kind is HaltKind.CHANGED}
