"""The venues that orders really go to: their keys, and the way to each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.venue_keys import keys_of
from bot.venues import prices_of, real_venues
from config.markets import ExchangeSettings
from config.settings import Settings
from engine.data.live.feed_data import FeedData, OwnBooks
from engine.domain.market import Market
from engine.domain.orders import Order
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.headers import Quiet
from engine.ports import Clock, MarketFeed
from engine.store.database import Database
from engine.support.faults import FaultLog

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Wall seconds after which a stream that was lost is connected anew, doubling."""
_HELD = 30.0
"""Wall seconds for which a connection that is lost must have held to have been a good one."""
_log = structlog.get_logger(__name__)
SHARE = 0.3
"""How much of what a venue allows is used for an account: the rest is for its prices, and for a download of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealVenue:
    """A venue that orders go to, and what is known of its markets."""

    exchange: CcxtExchange
    market_data: FeedData


class StoredOrders:
    """The port ``OrderRecord`` over the database."""

    def __init__(self, store: Database, venue: str) -> None:
        self._store = store
        self._venue = venue

    async def unfinished(self) -> Sequence[Order]:
        """The orders of this venue that are not final."""
        found = await self._store.read(lambda uow: uow.orders.unfinished())
        return [order for order in found if order.request.venue == self._venue]

    async def order(self, client_id: str) -> Order | None:
        """The one under a client id; ``None`` where there is none of this venue."""
        found = await self._store.read(lambda uow: uow.orders.by_client_id(client_id))
        return found if found is not None and found.request.venue == self._venue else None


def account_of(name: str, asked: ExchangeSettings, clock: Clock, quiet: Quiet | None = None) -> VenueAccount:
    """The way to an account; nothing is asked of the venue yet.

    Args:
        name: What the venue is called here.
        asked: How it is set up.
        clock: What time it is.
        quiet: Shared with whoever else asks the same server from here; ``None`` for its own.

    Raises:
        ConfigError: It has no keys.
    """
    return VenueAccount(
        exchange=asked.venue or name,
        name=name,
        keys=keys_of(name, asked),
        sandbox=asked.sandbox,
        api_url=asked.api_url,
        answer_within=asked.answer_within,
        clock=clock,
        share=SHARE,
        quiet=quiet,
    )


def open_real_venues(
    settings: Settings,
    feed_at: Callable[[str], MarketFeed],
    store: Database,
    clock: Clock,
    quiet_at: Callable[[str], Quiet | None],
) -> dict[str, RealVenue]:
    """Every venue that orders really go to, by name; nothing is asked of them yet.

    Args:
        settings: Which these are.
        feed_at: Tells the prices that a venue goes by.
        store: Where their orders are written down.
        clock: What time it is.
        quiet_at: Tells for how long the server that these prices come from wants to be left alone.
    """
    found = {}
    for name in real_venues(settings):
        first = prices_of(settings, name)
        asked, prices = settings.exchanges[name], settings.exchanges[first]
        elsewhere = settings.listed_as(name) != settings.listed_as(first)
        same = not elsewhere and (asked.api_url, asked.sandbox) == (prices.api_url, prices.sandbox)
        account = account_of(name, asked, clock, quiet_at(name) if same else None)
        found[name] = _open(name, account, feed_at(name), store, clock, elsewhere=elsewhere)
    return found


async def follow_news(
    exchange: CcxtExchange,
    sync: Callable[[str], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Have what a venue tells by itself taken in at once, until it is cancelled; the looks between go on as ever.

    A connection that held for a while and told nothing was a good one: after it the next is made soon again.

    Args:
        exchange: The venue.
        sync: Takes in what happened at the venue of a name.
        sleep: Waits so many wall seconds.
    """
    pause, now = _FIRST_PAUSE, asyncio.get_running_loop().time
    faults = FaultLog(_log.bind(venue=exchange.name), "orders are looked at in turn meanwhile")
    while True:
        begins = now()
        try:
            if not await exchange.news():
                return
            pause = _FIRST_PAUSE
            await sync(exchange.name)
            faults.works()
        except Exception as error:  # noqa: BLE001 - the boundary of a task that is to last as long as the program
            faults.note(error)
            pause = _FIRST_PAUSE if now() - begins >= _HELD else pause
            await sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _open(
    name: str, account: VenueAccount, feed: MarketFeed, store: Database, clock: Clock, *, elsewhere: bool
) -> RealVenue:
    """Put a venue together; one that prices do not come from is asked for its books itself."""

    def listed(symbol: str) -> Market | None:
        found = account.markets.get(symbol)
        return found.market if found else None

    seen = FeedData(venue=name, feed=feed, clock=clock, listed=listed)
    market_data = OwnBooks(venue=name, feed=feed, clock=clock, listed=listed, ask=account.book) if elsewhere else seen
    exchange = CcxtExchange(
        name=name,
        account=account,
        market_data=market_data,
        record=StoredOrders(store, name),
        clock=clock,
        symbols=tuple(feed.markets),
    )
    return RealVenue(exchange=exchange, market_data=market_data)
