"""What is known of each venue without asking it: whether money is at stake, its key's end, its clock, its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.markets import Source
from bot.venue_keys import keys_of
from bot.venues import exchange_of
from config.settings import Settings
from engine.domain.venue_views import VenueFacts, VenueKind
from engine.exchanges.ccxt.exchange import CcxtExchange

_HERE = "are filled here"
_POLLED = "are told by polling"
_STREAMED = "are told by its stream, and polled"


def venue_facts(settings: Settings, market: Source, real: Mapping[str, CcxtExchange]) -> Callable[[str], VenueFacts]:
    """Tells of a venue, by its name."""

    def facts(venue: str) -> VenueFacts:
        live, exchange = market.live.at(venue) if market.live else None, exchange_of(settings, venue)
        prices = live.outage if live is not None else ""
        if venue not in real:
            skew = live.skew if live is not None else None
            return VenueFacts(kind=VenueKind.PAPER, exchange=exchange, skew=skew, updates=_HERE, prices=prices)
        asked, account = settings.exchanges[venue], real[venue]
        return VenueFacts(
            kind=VenueKind.TEST_NET if asked.sandbox else VenueKind.REAL,
            exchange=asked.venue or venue,
            key=keys_of(venue, asked).last_four,
            skew=account.skew,
            used=account.used,
            updates=_STREAMED if account.is_streamed else _POLLED,
            prices=prices,
        )

    return facts
