"""A backtest through the live cycle: the same jobs, store and paper venue as a run, in memory, with nobody there.

setup ─▶ an engine of its own in a folder that goes ─▶ Replay at full speed ─▶ BacktestResult
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.engine import Engine, Terms, build_engine, terms_of
from bot.markets import Source
from config.settings import Settings
from engine.backtest.answering import Answering
from engine.backtest.arrivals import arrivals
from engine.backtest.bare import ANYTHING, BareRisk, bare_market, bare_model
from engine.backtest.fill_sources import book_fills, shorter_candles
from engine.backtest.people import SimulatedPeople
from engine.backtest.quiet import QuietCloses
from engine.backtest.replay import INSTANT, Pace, Replay
from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, LiveTerms, RiskTerms
from engine.backtest.short_entries import short_entries
from engine.backtest.tape import candles_of, demand_candles, slots_of
from engine.clocks import MarketClock
from engine.data.feeds import FileFeed
from engine.domain.backtests import Asked, BacktestFill, BacktestResult, BacktestTrade, DailyEquity, HeldAtEnd
from engine.domain.errors import BadInput, StoreError
from engine.domain.market import to_millis
from engine.domain.orders import Fill
from engine.domain.positions import Position
from engine.exchanges.paper import NAME as PAPER
from engine.jobs import Job, job_table
from engine.simulation.intrabar import Intrabar
from engine.store.account_period import closed_by
from engine.store.location import url_of
from engine.store.migrate import upgrade
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.reading_ahead import read_ahead

_MEMORY = Path("/dev/shm")  # noqa: S108 - files there are memory; a private folder is made in it
_DAY = 86_400_000
_COMMIT_EVERY = 2_000
"""How many closes share a commit: nobody waits for one, and the venue has its own before it trades."""
_ROWS = 256
"""How many rows strategies read ahead: nobody waits for these either."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def full_backtest(setup: BacktestSetup, settings: Settings) -> BacktestResult:
    """Replay a setup.

    Raises:
        BadInput: It fills at the close of a signal, which no market does.
        DataError: The candles cannot be traded on.
        StoreError: Something failed on the way.
    """
    if isinstance(setup.terms, BareTerms) and setup.terms.fill_at is FillAt.SIGNAL_CLOSE:
        raise BadInput("--full fills where a market would, at the next open.", "Leave out --fill signal-close.")
    demand_candles(setup)
    with _folder() as folder:
        url = url_of(folder / "greenlight.sqlite")
        upgrade(url)
        return asyncio.run(_replayed(setup, _settings(setup, settings, url)))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that goes; in memory where there is a place for that."""
    with TemporaryDirectory(prefix="greenlight-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name)


def _settings(setup: BacktestSetup, settings: Settings, url: str) -> Settings:
    """The settings of the run: its own account, and nobody who is asked but simulated people."""
    confidence = 0.0 if isinstance(setup.terms, BareTerms) else setup.terms.confidence
    asked = settings.approval.ask_above if _people(setup) else min(confidence, 1.0)
    own = {
        "database": {"url": url},
        "venue": {"file": None, "balances": {setup.quote: setup.cash}},
        "approval": {"auto_above": confidence, "ask_above": asked},
        "market": {"clock": "replay"},
        "replay": {"speed": "max"},
    }
    own["ai"] = {"enabled": settings.asks_models and settings.llm.tape is not None}  # nothing is spent on a backtest
    own["derivatives"] = {"source": "none"}  # nothing is decided by what futures tell
    changed = {name: getattr(settings, name).model_copy(update=changes) for name, changes in own.items()}
    return settings.model_copy(update={**changed, "exchanges": {}})  # its account is at one paper venue


def _terms(setup: BacktestSetup, settings: Settings) -> Terms:
    usual = terms_of(settings)
    latency = (setup.live or LiveTerms()).latency
    if isinstance(setup.terms, BareTerms):
        risk = BareRisk(size=Decimal(repr(setup.terms.size)), fee=setup.model.fee)
        return Terms(risk=risk, quality=ANYTHING, model=bare_model(setup.model), latency=latency)
    return Terms(risk=usual.risk, quality=usual.quality, model=setup.model, latency=latency)


async def _replayed(setup: BacktestSetup, settings: Settings) -> BacktestResult:
    bare = isinstance(setup.terms, BareTerms)
    candles = [candles_of(setup, symbol) for symbol in setup.candles]
    markets = {symbol: bare_market(each) if bare else each for symbol, each in setup.markets.items()}
    live = setup.live or LiveTerms()
    feed = FileFeed(candles, markets, Intrabar.WORST if bare else setup.intrabar, live.shorter, live.books)
    first, ends = feed.span
    begins = max(setup.start or first, first)
    market = Source(
        feed=feed,
        contexts=read_ahead(setup.contexts, _ROWS),
        label="backtest",
        start=begins - INSTANT,  # people are welcomed an instant after it, and then the first close is decided on
        end=ends,
        analyzer=setup.analyzer,
    )
    async with AsyncExitStack() as closing:
        engine = await build_engine(settings, market, lambda _: {}, terms=_terms(setup, settings))
        closing.push_async_callback(engine.store.close)
        for venue in engine.venues.values():
            closing.callback(venue.close)
        begun = time.perf_counter()
        await _run(engine, _people(setup), ends)
        seconds = time.perf_counter() - begun
        return await engine.store.read(lambda uow: _result(setup, uow, feed, begins, ends, seconds))


async def _run(engine: Engine, people: SimulatedPeople | None, ends: datetime) -> None:
    """Replay up to the last close; what that close says could only be traded at a price that is not there."""
    if not isinstance(engine.clock, MarketClock):
        raise BadInput("A backtest goes by the market's clock.", "Set market.clock to replay.")
    troubles: list[str] = []
    replay = Replay(
        clock=engine.clock,
        jobs=_jobs(engine, people),
        pace=Pace(speed=math.inf, wait_for_people=0, commit_every=_COMMIT_EVERY),
        open_approvals=_nobody,
        on_trouble=lambda text: troubles.append(text) if text else None,
        answering=lambda: engine.approvals.busy or engine.deliberations.busy,
        journal=engine.store,
    )
    await replay.run(ends - INSTANT)
    engine.clock.move_to(ends)
    await engine.services.orchestrator.sync_venue_events(PAPER)
    await engine.books.mark_to_market(ends)
    await engine.store.flush()
    if troubles:
        raise StoreError(f"The replay failed: {troubles[0]}.", "The log has the whole error.")


def _people(setup: BacktestSetup) -> SimulatedPeople | None:
    return setup.terms.people if isinstance(setup.terms, RiskTerms) else None


def _jobs(engine: Engine, people: SimulatedPeople | None) -> tuple[Job, ...]:
    """What a run does by itself, but for what is told of days; closes at which nothing happens are taken together."""
    table = job_table(
        services=engine.services,
        contexts=engine.market.contexts,
        deliberations=engine.deliberations,
        approvals=engine.approvals,
        books=engine.books,
    )
    quiet = QuietCloses(
        services=engine.services,
        contexts=engine.market.contexts,
        books=engine.books,
        venue=engine.venues[PAPER],
    )
    done = quiet.of([job for job in table if job.name != "digest"])
    answering = (Answering(people, engine.approvals, engine.store).job,) if people else ()
    return (arrivals(engine.venues[PAPER], engine.services.orchestrator), *answering, *done)


async def _nobody() -> tuple[str, ...]:
    return ()


def _result(
    setup: BacktestSetup, uow: UnitOfWork, feed: FileFeed, begins: datetime, ends: datetime, seconds: float
) -> BacktestResult:
    account, fills = uow.account.portfolio(), uow.orders.fills_after(_LONG_AGO)
    closed = sorted(uow.positions.closed_within(_LONG_AGO, ends), key=lambda each: each.closed_at or ends)
    of_position: dict[str, list[Fill]] = {}
    for each in fills:
        of_position.setdefault(each.position_id, []).append(each.fill)
    trades = tuple(_trade(setup, uow, each, of_position.get(each.id, ())) for each in closed)
    held = tuple(
        HeldAtEnd(
            context=each.context,
            symbol=each.symbol,
            opened_at=each.opened_at,
            quantity=float(each.quantity),
            entry_price=float(each.entry_price),
            price=float(account.mark(each)),
        )
        for each in account.positions
    )
    return BacktestResult(
        quote=setup.quote,
        begins=begins,
        ends=ends,
        candles=sum(_count(setup, symbol, begins) for symbol in feed.markets),
        cash=float(setup.cash),
        final_equity=float(account.equity),
        read_trades=lambda: trades,
        read_short=lambda result: short_entries(setup, slots_of(setup), result),
        held=held,
        daily=_daily(uow, begins, ends, float(account.equity), float(account.exposure)),
        fees=sum(each.fees for each in trades) + float(sum((each.fees for each in account.positions), Decimal(0))),
        slippage=None,
        entries_ended=next((found.halt.since for found in uow.halts.open() if found.halt.is_total), None),
        seconds=seconds,
        compile_seconds=0.0,
        asked=_asked(uow, ends) if _people(setup) else None,
        shorter=shorter_candles(setup, [each.fill for each in fills], begins),
        books=book_fills(fills, uow.orders.get, feed.book) if setup.live and setup.live.books else None,
    )


def _asked(uow: UnitOfWork, ends: datetime) -> Asked:
    counts = uow.approvals.settled_within(_LONG_AGO, ends)
    return Asked(**{each.name: counts.get(each.name, 0) for each in fields(Asked)})


def _count(setup: BacktestSetup, symbol: str, begins: datetime) -> int:
    opens = candles_of(setup, symbol).open_ms
    return len(opens) - int(opens.searchsorted(to_millis(begins)))


def _daily(uow: UnitOfWork, begins: datetime, ends: datetime, equity: float, exposure: float) -> DailyEquity:
    """The last point of the curve up to each midnight."""
    points = [each for each in uow.curve.within(begins, ends) if to_millis(each.at) % _DAY == 0 and each.at > begins]
    return DailyEquity(
        at_ms=np.array([*(to_millis(each.at) for each in points), to_millis(ends)], dtype=np.int64),
        equity=np.array([*(float(each.equity) for each in points), equity]),
        exposure=np.array([*(float(each.equity - each.cash) for each in points), exposure]),
    )


def _trade(setup: BacktestSetup, uow: UnitOfWork, position: Position, fills: Sequence[Fill]) -> BacktestTrade:
    closed = position.closed_at or position.opened_at
    span = setup.candles[position.symbol].timeframe
    return BacktestTrade(
        context=position.context,
        symbol=position.symbol,
        opened_at=position.opened_at,
        closed_at=closed if setup.live else span.floor(closed),
        quantity=float(position.bought),
        entry_price=float(position.cost / position.bought),
        exit_price=float(position.exit_price or 0),
        fees=float(position.fees),
        slippage=None,
        reason=closed_by(uow, position),
        fills=tuple(map(_fill, fills)),
    )


def _fill(fill: Fill) -> BacktestFill:
    return BacktestFill(
        at=fill.at,
        side=fill.side,
        quantity=float(fill.quantity),
        price=float(fill.price),
        fee=float(fill.fee.amount) if fill.fee else 0.0,
        fee_currency=fill.fee.currency if fill.fee else fill.quote,
    )
