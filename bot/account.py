"""The account at the start: whose a database is, and a new account or one that is gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.markets import Source, quote_of
from bot.venues import named_together
from config.settings import Settings
from engine.backtest.replay import INSTANT
from engine.domain.events import Welcomed
from engine.exchanges.paper import PaperExchange
from engine.execution import opening
from engine.ports import Clock, Exchange, MarketDataAt
from engine.store.database import Database, stamp
from engine.store.peak import recount_drawdown
from engine.store.unit_of_work import UnitOfWork
from engine.timing.clocks import MarketClock


async def open_account(
    settings: Settings,
    market: Source,
    store: Database,
    venues: Mapping[str, PaperExchange],
    clock: Clock,
    *,
    exchanges: Mapping[str, Exchange],
    market_data: MarketDataAt,
) -> bool:
    """Stamp a new database and open its account; on a known one, go on at the market time it had reached.

    A new account begins a moment before anything is decided: its first trades belong to its first day.

    Args:
        settings: Whose account it is.
        market: What is traded.
        store: The database.
        venues: The paper venues, which follow the market themselves.
        clock: The market time.
        exchanges: Every venue, paper ones among them.
        market_data: What is known of the markets of each.

    Returns:
        Whether the database was known.
    """
    quote = quote_of(market.contexts.contexts, market.feed)
    owner = owner_of(settings, market)
    # First, and without writing: whatever the venue is asked, it follows the market that it is given to now.
    await store.read(lambda uow: stamp(uow, owner))
    followed = [at for venue in venues.values() if (at := venue.advanced_to) is not None]
    if isinstance(clock, MarketClock) and followed:
        clock.move_to(max(followed))
    is_open = await store.read(lambda uow: uow.account.opened())
    found = [] if is_open else [await opening.observe(exchanges[name], market_data[name], quote) for name in exchanges]
    known = not await store.transact(lambda uow: stamp(uow, owner))

    def work(uow: UnitOfWork) -> tuple[datetime | None, ...]:
        if found:
            opening.open_account(uow, found, settings.account.holdings, clock.now())
            uow.settings.set("account.began", clock.now().isoformat())
            uow.emit(Welcomed(at=clock.now() + INSTANT))
        elif not uow.account.counts_from_peak():
            recount_drawdown(uow)
        return uow.curve.last_at(), uow.last_event_at()

    reached = [at for at in (*await store.transact(work), *followed) if at is not None]
    if isinstance(clock, MarketClock) and reached:
        clock.move_to(max(reached))
    return known


def owner_of(settings: Settings, market: Source) -> dict[str, str]:
    """Whose a database is, as it is stamped."""
    return {"profile": settings.profile, "venue": named_together(settings), "market": market.label}
