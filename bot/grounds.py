"""What an account stands on: its clock, its database, its venues, and the files that are its own."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.account import open_account
from bot.externals import Externals
from bot.lock import account_files, lock_file
from bot.markets import Source
from bot.real_venues import open_real_venues
from bot.terms import Terms
from bot.venues import exchange_of, fees_at, venue_files
from config.settings import Settings
from engine.domain.signatures import LENGTH
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.paper import PaperExchange
from engine.execution.signing import sign
from engine.ports import Exchange, MarketDataAt, Route
from engine.store.database import Database
from engine.store.open_files import OpenFiles
from engine.timing.clocks import MarketClock, WallClock

AnyClock = MarketClock | WallClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """An account that is open.

    Attributes:
        venues: The paper venues, by name.
        real: The venues that orders really go to, by name.
        market_data: What is known of the markets of each.
        files: The account's files, and the locks beside them.
        resumed: Whether an earlier run is gone on with.
    """

    clock: AnyClock
    store: Database
    venues: Mapping[str, PaperExchange]
    real: Mapping[str, CcxtExchange]
    market_data: MarketDataAt
    files: OpenFiles
    resumed: bool

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """Every venue, by name."""
        return {**self.venues, **self.real}


async def open_grounds(settings: Settings, market: Source, route: Route, externals: Externals, terms: Terms) -> Grounds:
    """Open an account at the time where the last run left off; nothing stays open where it cannot be opened."""
    clock: AnyClock = WallClock() if settings.market.clock == "wall" else MarketClock(market.start)
    store = externals.store(settings.database.url, route=route, alone=True)
    venues = _paper_venues(settings, market, store, clock, externals, terms)
    found = open_real_venues(settings, market.feed_at, store, clock, market.quiet_at)
    real = {name: each.exchange for name, each in found.items()}
    market_data: MarketDataAt = {**venues, **{name: each.market_data for name, each in found.items()}}
    try:
        resumed = await open_account(
            settings, market, store, venues, clock, exchanges={**venues, **real}, market_data=market_data
        )
    except BaseException:
        for each in real.values():
            await each.close()
        raise
    if real:
        await store.transact(lambda uow: sign(uow, randomness.token_hex(LENGTH // 2)))
    files = OpenFiles(account_files(settings), map(lock_file, account_files(settings)))
    store.check_before_writing(files.check)
    return Grounds(
        clock=clock,
        store=store,
        venues=venues,
        real=real,
        market_data=market_data,
        files=files,
        resumed=resumed,
    )


def _paper_venues(
    settings: Settings, market: Source, store: Database, clock: AnyClock, externals: Externals, terms: Terms
) -> dict[str, PaperExchange]:
    """Every paper venue, by name, at the fees that are set for it."""
    venues = {}
    for name, file in venue_files(settings).items():
        exchange = exchange_of(settings, name)
        venues[name] = externals.venue(
            name=name,
            file=file,
            feed=market.feed,
            clock=clock,
            model=replace(terms.model, **fees_at(settings, exchange)) if exchange else terms.model,
            balances=settings.venue.balances,
            client=store,
            latency=terms.latency,
        )
    return venues
