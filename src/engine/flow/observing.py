"""What is seen of one market at one closed candle: fetched and checked, and read, before anything is wanted of it.

candles ─▶ quality ─▶ technical signals and risk figures, the book, futures, sentiment, outlook ─▶ MarketSnapshot
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain.decisions import Input, Issue, QualityReport, SeriesChange
from engine.domain.errors import VenueError
from engine.domain.figures import grouped
from engine.domain.market import Book, Candles, Listing, Timeframe
from engine.domain.snapshots import MarketSnapshot
from engine.flow.services import CycleServices
from engine.ports import market_data_of
from engine.strategies.context import StrategyContext


async def observe(
    services: CycleServices, context: StrategyContext, symbol: str, candle_at: datetime
) -> MarketSnapshot:
    """Fetch and check what is known of a market.

    A venue that answered badly has been asked again before this is called (``Job.ready``), so what is bad now counts as
    bad. What another context, or the books, have fetched for the same close is not fetched again.
    """
    candles, report = await checked(services, context, symbol, candle_at)
    listing = Listing(context.venue, symbol)
    market_context = await services.derivatives.of(symbol)
    before = candle_at - context.timeframe.duration if context.strategy.reads_predictions else None
    insight = await services.insights.of(listing, context.name, before)
    book = await book_of(services, listing)  # last, for what it is to be priced with
    known = services.frames.setdefault(listing, {})
    frames = services.analyzer.frames(candles, known) if report.usable else {}
    known.update(frames)
    if context.timeframe in frames:
        services.stats.measure(context.venue, frames[context.timeframe])
    return MarketSnapshot(
        candle_at=candle_at,
        market=market_data_of(services.market_data, context.venue).market(symbol),
        frames=frames,
        quality=report,
        inputs=(
            *_candle_inputs(candles, services.clock.now()),
            book_input(book, services.clock.now()),
            *insight.inputs(services.clock.now()),
        ),
        book=book,
        market_context=market_context,
        insight=insight,
    )


async def checked(
    services: CycleServices, context: StrategyContext, symbol: str, at: datetime
) -> tuple[dict[Timeframe, Candles], QualityReport]:
    """The candles of every timeframe. Its own must be good; a longer one that is not is left out, and so noted."""
    found: dict[Timeframe, Candles] = {}
    noted: list[Issue] = []
    changes: tuple[SeriesChange, ...] = ()
    for timeframe in context.strategy.timeframes:
        try:
            candles, report = await services.candles.at(Listing(context.venue, symbol), timeframe, at)
        except VenueError as error:
            report = QualityReport(refused=(Issue(kind="missing", detail=error.message),))
        if timeframe is context.timeframe:
            changes = report.changes
        if report.usable or (timeframe is not context.timeframe and report.merely_short):
            found[timeframe] = candles
        elif timeframe is context.timeframe:
            refused = _named(timeframe, report.refused)
            return {}, QualityReport(repaired=report.repaired, refused=refused, changes=changes)
        noted += _named(timeframe, (*report.repaired, *report.refused))
    return found, QualityReport(repaired=tuple(noted), changes=changes)


async def book_of(services: CycleServices, listing: Listing) -> Book | None:
    """The order book of now; ``None`` where the venue gives none."""
    try:
        return await market_data_of(services.market_data, listing.venue).book(listing.symbol)
    except VenueError:
        return None


def book_input(book: Book | None, now: datetime) -> Input:
    """A book as one of the things that a decision is made from."""
    if book is None:
        return Input(name="book", age=None, detail="missing: the venue gave no order book")
    return Input(name="book", age=now - book.at, detail=f"bid {grouped(book.bid)}, ask {grouped(book.ask)}")


def _candle_inputs(candles: Mapping[Timeframe, Candles], now: datetime) -> tuple[Input, ...]:
    return tuple(
        Input(name=f"{timeframe} candles", age=now - columns.closed_at, detail=f"{len(columns)} closed")
        for timeframe, columns in candles.items()
        if len(columns)
    )


def _named(timeframe: Timeframe, issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """Issues that say which candles they are about."""
    return tuple(replace(issue, detail=f"{timeframe}: {issue.detail}") for issue in issues)
