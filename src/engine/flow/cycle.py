"""The decision cycle: the function that is the flow.

observe ─▶ propose ─▶ deliberate ─▶ conclude ─▶ send

observe     what is known of a market at a closed candle   MarketSnapshot   (engine.flow.observing)
propose     what a strategy wants of it                    Proposal         (engine.flow.proposing)
deliberate  what a panel says of that, within its time     Opinion          (engine.ai.panel)
conclude    plan, risk, autonomy, in one transaction       Outcome          (engine.flow.deciding)
send        the orders that were written down              Order            (engine.execution)

The proposal is made within that transaction, on what is held by then (``decide_at_close``).

What comes before and after it at a candle's close is the job ``candle`` of ``engine.jobs.table``; what goes on with it
once a panel has spoken is in ``engine.flow.panel_rounds``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from engine.domain.decisions import CycleRecord, Judged
from engine.domain.errors import StrategyError
from engine.domain.halts import HaltKind
from engine.domain.market import Listing, Timeframe
from engine.domain.order_routing import Offer
from engine.domain.orders import Order
from engine.domain.snapshots import MarketSnapshot
from engine.flow.consolidating import bought, in_turn
from engine.flow.deciding import Outcome, decide_at_close
from engine.flow.observing import checked, observe
from engine.flow.offers import NO_OFFERS, Offers, offers_of
from engine.flow.services import CycleServices
from engine.inputs.data_halts import data_halts
from engine.store.halting import end_halt
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext
from engine.support.batches import in_batches

Wanted = tuple[Listing, tuple[Timeframe, ...]]
"""What a context looks at: a market, and its timeframes."""


async def run_cycles(
    services: CycleServices, contexts: Sequence[StrategyContext], candle_at: datetime
) -> tuple[CycleRecord, ...]:
    """Decide on every market of every context whose candle has closed, as far as nothing has to be waited for.

    Exits, entries that no panel has to hear, and starters are decided here and now, in one transaction on the
    portfolio of now, one context after the other; those that look at the same timeframes of a market see the same of
    it. A market that is late follows by itself, once it has answered. What a panel has to think about is written down
    for it: see ``PanelRounds``. A market that was decided on at this candle already (the program was restarted) is
    left alone.

    Raises:
        StrategyError: A strategy failed: the first one, raised once everything else has been decided and sent.
    """
    asked = {
        wanted: partial(_in_turn, services, context, symbol, candle_at)
        for wanted, (context, symbol) in looked_at(contexts).items()
    }
    judged: dict[str, list[Judged]] = {context.name: [] for context in contexts}
    failed: list[StrategyError] = []
    async for seen in in_batches(asked, services.late_after):
        at_hand = [(each, symbol) for each in contexts for symbol in each.markets if wanted_by(each, symbol) in seen]
        conclude = partial(decide_at_closes, services, contexts, seen, offers=await offers_of(services, at_hand))
        decided = Outcome()
        for name, outcome in await services.store.transact(conclude):
            if isinstance(outcome, StrategyError):
                failed.append(outcome)
                continue
            judged[name] += outcome.judged
            decided += outcome
        await send(services, decided)
    for error in failed:
        raise error
    return tuple(CycleRecord(context=name, at=candle_at, decisions=tuple(own)) for name, own in judged.items())


def looked_at(contexts: Sequence[StrategyContext]) -> dict[Wanted, tuple[StrategyContext, str]]:
    """Each market with its timeframes that contexts look at, once, with one context that does."""
    return {wanted_by(context, symbol): (context, symbol) for context in contexts for symbol in context.markets}


def decide_at_closes(
    services: CycleServices,
    contexts: Sequence[StrategyContext],
    seen: Mapping[Wanted, MarketSnapshot],
    uow: UnitOfWork,
    now: datetime | None = None,
    offers: Offers = NO_OFFERS,
) -> list[tuple[str, Outcome | StrategyError]]:
    """Decide on what was seen, in the order of contexts and their markets; each with the name of its context.

    Where contexts on one coin are consolidated, consolidation sets the order, and who loses the coin to another enters
    nothing.
    """
    now = now or services.clock.now()
    closes = [
        (context, seen[wanted])
        for context in contexts
        for symbol in context.markets
        if (wanted := wanted_by(context, symbol)) in seen
    ]
    found: list[tuple[str, Outcome | StrategyError]] = []
    coins: set[str] = set()
    for turn in in_turn(services, uow, closes):
        own = offers.get((turn.context.name, turn.seen.market.symbol), ())
        outcome = _concluded(services, uow, turn.context, turn.seen, now, turn.against(coins), own)
        found.append((turn.context.name, outcome))
        if isinstance(outcome, Outcome):
            coins |= bought(outcome.orders)
    return found


def _concluded(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: MarketSnapshot,
    now: datetime,
    gives_way: str,
    offers: Sequence[Offer],
) -> Outcome | StrategyError:
    """What was decided; where the strategy failed, that: nothing was decided then, and the others go on."""
    try:
        return decide_at_close(services, uow, context, seen, now, gives_way, offers)
    except StrategyError as error:
        return error


async def end_data_halts(services: CycleServices, contexts: Sequence[StrategyContext], now: datetime) -> None:
    """End the data halts of markets whose candles are good again, between two closes.

    What was refused at the last close stays refused: it was decided on already.
    """
    if not await services.store.read(
        lambda uow: [found for found in uow.halts.open() if found.halt.kind is HaltKind.DATA]
    ):
        return
    good = {
        (Listing(context.venue, symbol), context.timeframe)
        for context in contexts
        for symbol in context.markets
        if (await checked(services, context, symbol, now))[1].usable
    }

    def work(uow: UnitOfWork) -> None:
        for listing, timeframe in sorted(good):
            for found in data_halts(uow, listing, timeframe):
                end_halt(uow, found, now)

    await services.store.transact(work)


def wanted_by(context: StrategyContext, symbol: str) -> Wanted:
    """What a context looks at in a market: who looks at the same, at the same close, sees the same."""
    return Listing(context.venue, symbol), context.strategy.timeframes


async def _in_turn(
    services: CycleServices, context: StrategyContext, symbol: str, candle_at: datetime
) -> MarketSnapshot:
    """Look at a market, then let others have their turn: reading it takes milliseconds, and people are waiting."""
    seen = await observe(services, context, symbol, candle_at)
    await services.store.yield_to_callers()
    return seen


async def send(services: CycleServices, outcome: Outcome) -> None:
    """Send the orders that were written down, each venue's in their order: a slow one delays no other's.

    Raises:
        GreenlightError: One could not be sent; the others were, at other venues.
    """
    by_venue: dict[str, list[Order]] = {}
    for order in outcome.orders:
        by_venue.setdefault(order.request.venue, []).append(order)
    results = await asyncio.gather(*(_send_in_turn(services, own) for own in by_venue.values()), return_exceptions=True)
    for failed in results:
        if isinstance(failed, BaseException):
            raise failed


async def _send_in_turn(services: CycleServices, orders: Sequence[Order]) -> None:
    for order in orders:
        await services.orchestrator.send(order)
