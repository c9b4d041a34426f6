"""The decision cycle: the function that is the flow.

    candles ─▶ quality ─▶ signals ─▶ strategy ─▶ decision ─▶ plan ─▶ risk ─▶ autonomy ─▶ execute │ ask │ refuse

What is seen of a market is fetched and checked here; what is concluded from it is in ``engine.deciding``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.analysis.technical import HISTORY
from engine.deciding import CycleServices, MarketSnapshot, Outcome, conclude, data_halts
from engine.domain.decisions import CycleRecord, Input, Issue, QualityReport, SeriesChange
from engine.domain.errors import VenueError
from engine.domain.figures import grouped
from engine.domain.halts import HaltKind
from engine.domain.market import Book, Candles, Timeframe
from engine.store.halting import end_halt
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext

Checked = tuple[dict[Timeframe, Candles], QualityReport]


async def run_cycles(
    services: CycleServices, contexts: Sequence[StrategyContext], at: datetime
) -> tuple[CycleRecord, ...]:
    """Decide on every market of every context whose candle has closed.

        observe: candles ─▶ quality ─▶ technical signals and risk figures, and the book
        conclude, in one transaction on the portfolio of now, one context after the other:
            strategy ─▶ exits, decision ─▶ plan ─▶ risk ─▶ autonomy ─▶ intent │ approval │ refusal, all recorded
        send what was written down

    A market that was decided on at this candle already (the program was restarted) is left alone.
    """
    seen = [
        (context, [await _in_turn(services, context, symbol, at) for symbol in context.markets]) for context in contexts
    ]

    def work(uow: UnitOfWork) -> list[list[Outcome]]:
        return [[conclude(services, uow, context, market, at) for market in markets] for context, markets in seen]

    concluded = await services.store.transact(work)
    for order in (order for own in concluded for one in own for order in one.orders):
        await services.orchestrator.send(order)
    return tuple(
        CycleRecord(context=context.name, at=at, decisions=tuple(judged for one in own for judged in one.judged))
        for context, own in zip(contexts, concluded, strict=True)
    )


async def end_data_halts(services: CycleServices, contexts: Sequence[StrategyContext], now: datetime) -> None:
    """End the data halts of markets whose candles are good again, between two closes.

    What was refused at the last close stays refused: it was decided on already.
    """
    if not await services.store.read(
        lambda uow: [found for found in uow.halts.open() if found.halt.kind is HaltKind.DATA]
    ):
        return
    good = {
        (symbol, context.timeframe)
        for context in contexts
        for symbol in context.markets
        if (await _fetch(services, context, symbol, now))[1].usable
    }

    def work(uow: UnitOfWork) -> None:
        for symbol, timeframe in sorted(good):
            for found in data_halts(uow, symbol, timeframe):
                end_halt(uow, found, now)

    await services.store.transact(work)


async def _in_turn(services: CycleServices, context: StrategyContext, symbol: str, at: datetime) -> MarketSnapshot:
    """Look at a market, then let others have their turn: reading it takes milliseconds, and people are waiting."""
    seen = await observe(services, context, symbol, at)
    await services.store.yield_to_callers()
    return seen


async def observe(services: CycleServices, context: StrategyContext, symbol: str, at: datetime) -> MarketSnapshot:
    """Fetch and check what is known of a market.

    A venue that answered badly has been asked again before this is called (``Job.ready``), so what is bad now counts as
    bad. Where another context has just looked, at this very moment, nothing is fetched again.
    """
    last, moment = services.last_seen.get(symbol), (at, services.clock.now(), context.strategy.timeframes)
    if last is not None and last.moment == moment and last.quality.usable and last.book is not None:
        return last
    candles, report = await _fetch(services, context, symbol, at)
    book = await _book(services, symbol)
    frames = services.analyzer.frames(candles, last.frames if last else None) if report.usable else {}
    if context.timeframe in frames:
        services.stats.measure(frames[context.timeframe])
    services.last_seen[symbol] = seen = MarketSnapshot(
        moment=moment,
        market=services.market_data.market(symbol),
        frames=frames,
        quality=report,
        inputs=(*_candle_inputs(candles, at), *_book_inputs(book, services.clock.now())),
        book=book,
    )
    return seen


async def _fetch(services: CycleServices, context: StrategyContext, symbol: str, at: datetime) -> Checked:
    """The candles of every timeframe. Its own must be good; a longer one that is not is left out, and so noted."""
    checked: dict[Timeframe, Candles] = {}
    noted: list[Issue] = []
    changes: tuple[SeriesChange, ...] = ()
    for timeframe in context.strategy.timeframes:
        try:
            candles, report = services.quality.check(await services.market_data.candles(symbol, timeframe, HISTORY), at)
        except VenueError as error:
            report = QualityReport(refused=(Issue(kind="missing", detail=error.message),))
        if timeframe is context.timeframe:
            changes = report.changes
        if report.usable or (timeframe is not context.timeframe and _is_merely_short(report)):
            checked[timeframe] = candles
        elif timeframe is context.timeframe:
            refused = _named(timeframe, report.refused)
            return {}, QualityReport(repaired=report.repaired, refused=refused, changes=changes)
        noted += _named(timeframe, (*report.repaired, *report.refused))
    return checked, QualityReport(repaired=tuple(noted), changes=changes)


def _named(timeframe: Timeframe, issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """Issues that say which candles they are about."""
    return tuple(replace(issue, detail=f"{timeframe}: {issue.detail}") for issue in issues)


def _is_merely_short(report: QualityReport) -> bool:
    """Whether there is nothing wrong but a short history; readings that need more are then missing by themselves."""
    return {issue.kind for issue in report.refused} == {"too few"}


async def _book(services: CycleServices, symbol: str) -> Book | None:
    try:
        return await services.market_data.book(symbol)
    except VenueError:
        return None


def _candle_inputs(candles: dict[Timeframe, Candles], at: datetime) -> tuple[Input, ...]:
    return tuple(
        Input(name=f"{timeframe} candles", age=at - columns.closed_at, detail=f"{len(columns)} closed")
        for timeframe, columns in candles.items()
        if len(columns)
    )


def _book_inputs(book: Book | None, now: datetime) -> tuple[Input, ...]:
    if book is None:
        return (Input(name="book", age=None, detail="missing: the venue gave no order book"),)
    return (Input(name="book", age=now - book.at, detail=f"bid {grouped(book.bid)}, ask {grouped(book.ask)}"),)
