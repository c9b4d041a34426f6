"""A backtest through the live cycle: the same jobs, store and paper venue as a run, in memory, with nobody there.

setup ─▶ an engine of its own in a folder that goes ─▶ Replay at full speed ─▶ BacktestResult
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.emergencies import emergency_jobs
from bot.engine import Engine, build_engine
from bot.externals import EXTERNALS, Externals
from bot.markets import Source
from bot.predictions import prediction_jobs
from bot.sentiment import history_of
from bot.terms import Terms, terms_of
from config.settings import Settings
from engine.backtest.answering import Answering
from engine.backtest.arrivals import arrivals
from engine.backtest.bare import ANYTHING, BareRisk, bare_market, bare_model
from engine.backtest.people import SimulatedPeople
from engine.backtest.quiet import QuietCloses
from engine.backtest.replay import INSTANT, GoesOn, Pace, Replay, for_ever
from engine.backtest.replay_result import result_of
from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, LiveTerms, RiskTerms
from engine.backtest.setup_candles import candles_of, demand_candles, span_of
from engine.data.feeds import FileFeed
from engine.domain.adjustments import Adjusted
from engine.domain.backtests import BacktestResult
from engine.domain.errors import BadInput, StoreError
from engine.domain.inventory import Rule
from engine.exchanges.paper import NAME as PAPER
from engine.jobs.table import Job, job_table
from engine.learning.adjuster import PPOAdjuster
from engine.llm.tape import TapeUse
from engine.risk.manager import RiskManager
from engine.sentiment.history import SentimentHistory
from engine.simulation.intrabar import Intrabar
from engine.store.location import url_of
from engine.store.migrate import upgrade
from engine.strategies.reading_ahead import read_ahead
from engine.timing.clocks import MarketClock

_MEMORY = Path("/dev/shm")  # noqa: S108 - files there are memory; a private folder is made in it
_DAY = 86_400_000
_COMMIT_EVERY = 2_000
"""How many closes share a commit: nobody waits for one, and the venue has its own before it trades."""
_ROWS = 256
"""How many rows strategies read ahead: nobody waits for these either."""
_ALL = 2**31
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FullRun:
    """A replay of a setup.

    Attributes:
        tape: What the tape of models was asked; ``None`` where no model was.
        adjusted: What the adjuster made of its entries, the newest first.
    """

    result: BacktestResult
    tape: TapeUse | None
    adjusted: tuple[Adjusted, ...] = ()


def full_backtest(
    setup: BacktestSetup,
    settings: Settings,
    externals: Externals = EXTERNALS,
    folder: Path | None = None,
    goes_on: GoesOn = for_ever,
) -> BacktestResult:
    """Replay a setup with all that the settings know of its time: see ``full_run``."""
    return full_run(setup, settings, history_of(settings), externals, folder, goes_on=goes_on).result


def full_run(
    setup: BacktestSetup,
    settings: Settings,
    history: SentimentHistory | None = None,
    externals: Externals = EXTERNALS,
    folder: Path | None = None,
    adjuster: PPOAdjuster | None = None,
    goes_on: GoesOn = for_ever,
) -> FullRun:
    """Replay a setup, with what was said of its markets where that is known.

    Args:
        setup: What is traded.
        settings: Everything else.
        history: What was said of its markets; ``None`` where that is not known.
        externals: What is outside the program: models are asked where they are given here.
        folder: Where its account is left, as ``greenlight.sqlite``; ``None`` for nowhere.
        adjuster: Who adjusts entries; ``None`` for who the settings name.
        goes_on: Hears up to when it has come; where it says no the result ends there.

    Raises:
        BadInput: It fills at the close of a signal, which no market does.
        DataError: The candles cannot be traded on.
        StoreError: Something failed on the way.
    """
    if isinstance(setup.terms, BareTerms) and setup.terms.fill_at is FillAt.SIGNAL_CLOSE:
        raise BadInput("--full fills where a market would, at the next open.", "Leave out --fill signal-close.")
    demand_candles(setup)
    with nullcontext(folder) if folder else _folder() as place:
        url = url_of(place / "greenlight.sqlite")
        upgrade(url)
        own = _settings(setup, settings, url, externals)
        terms = replace(_terms(setup, own, history), adjuster=adjuster)
        return asyncio.run(_replayed(setup, own, terms, externals, goes_on))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that goes; in memory where there is a place for that."""
    with TemporaryDirectory(prefix="greenlight-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name)


def _settings(setup: BacktestSetup, settings: Settings, url: str, externals: Externals) -> Settings:
    """The settings of the run: its own account, and nobody who is asked but simulated people."""
    confidence = 0.0 if isinstance(setup.terms, BareTerms) else setup.terms.confidence
    asked = settings.approval.ask_above if _people(setup) else min(confidence, 1.0)
    own = {
        "database": {"url": url},
        "venue": {"file": None, "balances": {setup.quote: setup.cash, **_beside(setup)}},
        "account": {"holdings": Rule.IGNORE},
        "approval": {"auto_above": confidence, "ask_above": asked},
        "market": {"clock": "replay"},
        "replay": {"speed": "max", "sentiment": ()},
    }
    free = settings.llm.tape is not None or externals.models is not None  # nothing is spent on a backtest
    own["ai"] = {"enabled": settings.asks_models and free}
    own["capital"] = {"stages": ()}  # how far an account is trusted, not what a strategy is worth
    own["derivatives"] = {"source": "none"}  # nothing is decided by what futures tell
    changed = {name: getattr(settings, name).model_copy(update=changes) for name, changes in own.items()}
    return settings.model_copy(update={**changed, "exchanges": {}})  # its account is at one paper venue


def _beside(setup: BacktestSetup) -> dict[str, Decimal]:
    """What fees are taken from, where that is no cash."""
    fund = setup.live.fee_currency if setup.live else None
    return {fund.name: fund.amount} if fund else {}


def _feed(setup: BacktestSetup) -> FileFeed:
    """The candles of all that is traded, and of what fees are taken in for as long."""
    bare, live = isinstance(setup.terms, BareTerms), setup.live or LiveTerms()
    candles = [candles_of(setup, symbol) for symbol in setup.candles]
    markets = {symbol: bare_market(each) if bare else each for symbol, each in setup.markets.items()}
    fund = live.fee_currency
    if fund is not None and fund.candles is not None and fund.market is not None:
        first, last = min(int(each.open_ms[0]) for each in candles), max(int(each.open_ms[-1]) for each in candles)
        begin, end = fund.candles.open_ms.searchsorted([first, last + 1])
        candles.append(fund.candles.cut(int(begin), int(end)))
        markets[fund.market.symbol] = fund.market
    return FileFeed(candles, markets, Intrabar.WORST if bare else setup.intrabar, live.shorter, live.books)


def _terms(setup: BacktestSetup, settings: Settings, history: SentimentHistory | None) -> Terms:
    usual = terms_of(settings)
    latency = (setup.live or LiveTerms()).latency
    if isinstance(setup.terms, BareTerms):
        risk = BareRisk(size=Decimal(repr(setup.terms.size)), fee=setup.model.fee)
        return Terms(risk=risk, quality=ANYTHING, model=bare_model(setup.model), latency=latency, history=history)
    return Terms(
        risk=RiskManager(limits=setup.terms.limits),
        quality=usual.quality,
        model=setup.model,
        latency=latency,
        history=history,
    )


async def _replayed(
    setup: BacktestSetup, settings: Settings, terms: Terms, externals: Externals, goes_on: GoesOn
) -> FullRun:
    feed = _feed(setup)
    begins, ends = span_of(setup)
    market = Source(
        feed=feed,
        contexts=read_ahead(setup.contexts, _ROWS),
        label="backtest",
        start=begins - INSTANT,  # people are welcomed an instant after it, and then the first close is decided on
        end=ends,
        analyzer=setup.analyzer,
    )
    async with AsyncExitStack() as closing:
        engine = await build_engine(settings, market, lambda _: {}, externals, terms, at_once=True)
        closing.push_async_callback(engine.store.close)
        for venue in engine.venues.values():
            closing.callback(venue.close)
        begun = time.perf_counter()
        ended = await _run(engine, _people(setup), ends, goes_on)
        seconds = time.perf_counter() - begun
        traded = setup if ended == ends else replace(setup, end=ended)
        result = await engine.store.read(lambda uow: result_of(traded, uow, feed, (begins, ended), seconds))
        tape = engine.models.tape if settings.asks_models else None
        entries = await engine.store.read(lambda uow: uow.decisions.entries(_ALL))
        adjusted = tuple(each.adjustment for each in entries if each.adjustment is not None)
        return FullRun(result=result, tape=None if tape is None else tape.use, adjusted=adjusted)


async def _run(engine: Engine, people: SimulatedPeople | None, ends: datetime, goes_on: GoesOn) -> datetime:
    """Replay up to the last close; what that close says could only be traded at a price that is not there.

    Returns:
        When it ended: then, or at the close at which it was stopped.
    """
    if not isinstance(engine.clock, MarketClock):
        raise BadInput("A backtest goes by the market's clock.", "Set market.clock to replay.")
    troubles: list[str] = []
    replay = Replay(
        clock=engine.clock,
        jobs=_jobs(engine, people),
        pace=Pace(speed=math.inf, wait_for_people=0, commit_every=_COMMIT_EVERY),
        open_approvals=_nobody,
        on_trouble=lambda text: troubles.append(text) if text else None,
        answering=lambda: engine.approvals.busy or engine.is_researching,
        journal=engine.store,
        goes_on=goes_on,
    )
    await replay.run(ends - INSTANT)
    if replay.is_stopped:
        ends = engine.market.feed.timeframe.floor(engine.clock.now())
    else:
        engine.clock.move_to(ends)
        await engine.services.orchestrator.sync_venue_events(PAPER)
        await engine.books.mark_to_market(ends)
    await engine.store.flush()
    if troubles:
        raise StoreError(f"The replay failed: {troubles[0]}.", "The log has the whole error.")
    return ends


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
    predicted = prediction_jobs(engine.predictions, engine.market)
    watched = emergency_jobs(engine.watch, engine.books, candles_in=None)
    return (arrivals(engine.venues[PAPER], engine.services.orchestrator), *answering, *done, *watched, *predicted)


async def _nobody() -> tuple[str, ...]:
    return ()
