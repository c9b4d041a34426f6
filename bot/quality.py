"""What the data of each market is like, for ``/quality``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.markets import Source
from engine.analysis.quality_log import QualityLog
from engine.domain.errors import BadInput
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing, named, names_of
from engine.domain.quality_views import MarketQuality, QualityView
from engine.ports import Clock
from engine.store.database import Database

_SHOWN = 40
_OF_DATA = {HaltKind.DATA, HaltKind.CHANGED}


def quality_view(
    store: Database, market: Source, log: QualityLog, clock: Clock
) -> Callable[[str, str], Awaitable[QualityView]]:
    """Tells of every market that is traded, or of one as people name it; it raises ``BadInput`` where there is none."""
    listings = list(dict.fromkeys(Listing(each.venue, symbol) for each in market.contexts for symbol in each.markets))
    several = len({listing.venue for listing in listings}) > 1

    async def view(asked: str, venue: str) -> QualityView:
        found = _meant(listings, asked, venue, several=several)
        halts = await store.read(lambda uow: [each.halt for each in uow.halts.open() if each.halt.kind in _OF_DATA])
        now = clock.now()
        return QualityView(at=now, markets=[_quality(each, market, log, halts, now, several=several) for each in found])

    return view


def _quality(
    listing: Listing, market: Source, log: QualityLog, halts: Sequence[Halt], now: datetime, *, several: bool
) -> MarketQuality:
    return MarketQuality(
        name=named(listing.symbol, listing.venue if several else ""),
        candles=log.of(listing),
        halts=[each for each in halts if each.listing == listing],
        price_at=market.feed_at(listing.venue).reach(listing.symbol, now),
        streamed=market.live is not None and market.live.at(listing.venue).is_streamed(listing.symbol),
    )


def _meant(listings: Sequence[Listing], asked: str, venue: str, *, several: bool) -> list[Listing]:
    found = [each for each in listings if asked in ("", *names_of(each.symbol)) and venue in ("", each.venue)]
    if found:
        return found
    there = ", ".join(named(each.symbol, each.venue if several else "") for each in listings)
    raise BadInput(f"{named(asked[:_SHOWN], venue[:_SHOWN])} is not traded here.", f"There are {there}.")
