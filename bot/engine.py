"""The engine put together: everything below the chat, on its clock, at the time where the last run left off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.account import open_account
from bot.adjuster import SettingsAdjuster, adjuster_view, known_of
from bot.derivatives import derivatives_of
from bot.emergencies import emergency_watch
from bot.externals import EXTERNALS, Externals
from bot.health import Health
from bot.live import limits_in_words, live_accounts
from bot.live_market import no_entry_of
from bot.lock import account_files, lock_file
from bot.markets import Source
from bot.models import Models, build_models
from bot.pace import pace
from bot.panel import calibration_of, panel_of
from bot.predictions import prediction_view, predictions_of
from bot.quality import quality_view
from bot.real_venues import open_real_venues
from bot.sentiment import history_of, history_view, sentiment_of_settings, sentiment_view, source_health
from bot.terms import Terms, terms_of
from bot.venue_facts import venue_facts
from bot.venues import exchange_of, fees_at, named_together, venue_files, venue_names, venue_of
from config.emergency import OnHalt
from config.settings import Settings
from config.strategy_names import short
from engine.ai.grades import GradedModels
from engine.ai.trend_predictions import TrendPredictions
from engine.analysis.quality import DataQualityMonitor, nobody_confirms
from engine.backtest.replay import INSTANT
from engine.books.bookkeeping import Bookkeeping
from engine.books.capital import Capital
from engine.books.first_go import FirstGoes
from engine.books.unmanaged import UnmanagedWatch
from engine.desk import Desk
from engine.domain.decisions import Frame
from engine.domain.health import CLOCK, MARKET_DATA, MODELS, SENTIMENT, STORE
from engine.domain.market import Listing, Timeframe
from engine.domain.results import AtWork
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.paper import PaperExchange
from engine.execution.emergency import EmergencyStopSystem
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.flow.adjuster_modes import AdjusterModes, CurrentAdjuster
from engine.flow.approvals import Approvals
from engine.flow.cancelling import Cancelling
from engine.flow.closings import Closings
from engine.flow.confirming import Confirming
from engine.flow.cycle import Deliberations
from engine.flow.emergency_watch import EmergencyWatch
from engine.flow.policy_proposals import PolicyProposals
from engine.flow.services import CycleServices
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.insights import AskSentiment, KeptInsights
from engine.inputs.stats import KeptStats
from engine.ports import Clock, Exchange, MarketDataAt, NoEntry, Route, by_the_market, nothing_against_it
from engine.sentiment.engine import SentimentEngine
from engine.store.database import Database
from engine.store.open_files import OpenFiles
from engine.timing.clocks import MarketClock, WallClock
from engine.views.results import Results
from engine.views.risk import RiskReports
from engine.views.trading import Views, no_sources
from engine.views.venues import VenueReports

LATE_AFTER = 2.0
"""Wall seconds after which a real venue's close is decided on without the markets that have not answered."""
AnyClock = MarketClock | WallClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """From a closed candle to a filled order: everything below the chat."""

    market: Source
    clock: AnyClock
    store: Database
    venues: Mapping[str, PaperExchange]
    """The paper venues, by name."""
    real: Mapping[str, CcxtExchange]
    """The venues that orders really go to, by name."""
    services: CycleServices
    deliberations: Deliberations
    approvals: Approvals
    closings: Closings
    capital: Capital
    books: Bookkeeping
    desk: Desk
    emergency: EmergencyStopSystem
    watch: EmergencyWatch
    views: Views
    results: Results
    risk_reports: RiskReports
    venue_reports: VenueReports
    unmanaged: UnmanagedWatch
    models: Models
    sentiment: SentimentEngine | None
    """Who is asked what is said of the markets; ``None`` where nobody is."""
    predictions: TrendPredictions | None
    """What is predicted of the markets; ``None`` where nothing is."""
    health: Health
    files: OpenFiles
    """The account's files, and the locks beside them."""
    resumed: bool
    """Whether an earlier run is gone on with."""

    @property
    def is_researching(self) -> bool:
        """Whether a panel or a predictor is being heard: the market of a replay stands still meanwhile."""
        return self.deliberations.busy or (self.predictions is not None and self.predictions.busy)

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """Every venue, by name."""
        return {**self.venues, **self.real}

    @property
    def advanced(self) -> Mapping[str, datetime]:
        """How far the venues have followed each market; of several the one that is behind the others."""
        found: dict[str, datetime] = {}
        for venue in self.venues.values():
            for symbol, at in venue.advanced.items():
                found[symbol] = min(at, found.get(symbol, at))
        return found


async def build_engine(
    settings: Settings,
    market: Source,
    route: Route,
    externals: Externals = EXTERNALS,
    terms: Terms | None = None,
    *,
    at_once: bool = False,
) -> Engine:
    """The engine on its clock, at the time where the last run left off; by the terms of the settings, or by others.

    With ``at_once`` an emergency stop that a trigger leads to is carried out at closes alone, as in a backtest.
    """
    terms = terms or terms_of(settings)
    clock: AnyClock = WallClock() if settings.market.clock == "wall" else MarketClock(market.start)
    store = externals.store(settings.database.url, route=route, alone=True)
    venues = {
        name: externals.venue(
            name=name,
            file=file,
            feed=market.feed,
            clock=clock,
            model=replace(terms.model, **fees_at(settings, exchange))
            if (exchange := exchange_of(settings, name))
            else terms.model,
            balances=settings.venue.balances,
            client=store,
            latency=terms.latency,
        )
        for name, file in venue_files(settings).items()
    }
    found = open_real_venues(settings, market.feed, store, clock, market.live.quiet if market.live else None)
    real = {name: each.exchange for name, each in found.items()}
    market_data: MarketDataAt = {**venues, **{name: each.market_data for name, each in found.items()}}
    exchanges: Mapping[str, Exchange] = {**venues, **real}
    try:
        resumed = await open_account(
            settings, market, store, venues, clock, exchanges=exchanges, market_data=market_data
        )
    except BaseException:
        for each in real.values():
            await each.close()
        raise
    files = OpenFiles(account_files(settings), map(lock_file, account_files(settings)))
    store.check_before_writing(files.check)
    time_left = pace(settings).left if isinstance(clock, MarketClock) else by_the_market
    limits = terms.risk.limits
    first_goes = await _first_goes_of(settings, store, clock)
    no_entry = _no_entry(settings, market, first_goes)
    confirms = market.live.confirms if market.live else nobody_confirms
    quality = DataQualityMonitor(limits=terms.quality, confirms=confirms)
    candles = CheckedCandles(market_data=market_data, quality=quality, history=market.history)
    late_after = LATE_AFTER if market.live else None
    stats = KeptStats(
        market_data=market_data,
        quality=quality,
        clock=clock,
        history=market.history,
        traded=tuple(
            (Listing(each.venue, symbol), each.timeframe) for each in market.contexts for symbol in each.markets
        ),
    )
    derivatives = derivatives_of(settings, market.feed, clock)
    models = build_models(settings, store, clock, externals.wall, externals.models)
    sentiment = sentiment_of_settings(settings, market.feed, store, clock, derivatives, models.manager)
    # What is made up is shown and decides nothing: what is remembered of it hangs on when the program was started.
    told: AskSentiment | None = sentiment.analyze if sentiment is not None and not sentiment.is_made_up else None
    history = terms.history
    if history is None and isinstance(clock, MarketClock):
        history = await asyncio.to_thread(history_of, settings)
    if history is not None:
        told = history.by(clock)
    kept_derivatives = KeptDerivatives(
        source=derivatives,
        clock=clock,
        refresh_after=settings.derivatives.refresh_after,
        max_age=settings.derivatives.max_age,
    )
    frames: dict[Listing, dict[Timeframe, Frame]] = {}
    predictions = predictions_of(
        settings,
        market,
        store=store,
        clock=clock,
        market_data=market_data,
        candles=candles,
        frames=frames,
        derivatives=kept_derivatives,
        sentiment=told,
        manager=models.manager,
    )
    services = CycleServices(
        clock=clock,
        store=store,
        market_data=market_data,
        candles=candles,
        analyzer=market.analyzer,
        risk=terms.risk,
        autonomy=settings.approval.autonomy,
        orchestrator=ExecutionOrchestrator(
            store=store, venues=exchanges, market_data=market_data, clock=clock, max_factor=terms.model.max_factor
        ),
        stats=stats,
        derivatives=kept_derivatives,
        insights=KeptInsights(
            sentiment=told,
            outlook=predictions.outlook if predictions else None,
            outlook_at=predictions.outlook_at if predictions else None,
        ),
        panel=externals.panel or panel_of(settings, models.manager, store),
        asks_in_vain=settings.ai.gate.ask_in_vain,
        calibration=calibration_of(settings),
        adjuster=_adjuster(settings, terms),
        no_entry=no_entry,
        consolidation=settings.consolidation,
        late_after=late_after,
        frames=frames,
    )
    configured = at_work_of(settings, market)
    approvals = Approvals(
        store=store,
        market_data=market_data,
        risk=services.risk,
        autonomy=services.autonomy,
        orchestrator=services.orchestrator,
        clock=clock,
        stats=stats,
        no_entry=no_entry,
    )
    closings = Closings(
        store=store,
        market_data=market_data,
        orchestrator=services.orchestrator,
        clock=clock,
        time_left=time_left,
        good_for=settings.approval.confirm_within,
    )
    capital = await _capital_of(settings, store, clock)
    emergency = EmergencyStopSystem(
        store=store,
        orchestrator=services.orchestrator,
        clock=clock,
        keep_stops=settings.emergency.on_halt is OnHalt.KEEP_STOPS,
    )
    health = Health()
    if market.live is not None:
        live = market.live
        health.watch(MARKET_DATA, lambda: live.health)
        health.watch(CLOCK, lambda: live.clock_health)
    for name in models.remote:
        health.watch(f"{MODELS}{name}", models.health_of(name))
    for name, ask in source_health(sentiment).items():
        health.watch(f"{SENTIMENT}{name}", ask)
    return Engine(
        market=market,
        clock=clock,
        store=store,
        venues=venues,
        real=real,
        services=services,
        deliberations=Deliberations(
            services, market.contexts, step=INSTANT if isinstance(clock, MarketClock) else timedelta(0)
        ),
        approvals=approvals,
        closings=closings,
        capital=capital,
        books=Bookkeeping(
            store=store,
            market_data=market_data,
            markets=_marked_at(market),
            idle=_idle(settings, market),
            candles=services.candles,
            limits=limits,
            days=settings.digest.days,
            told_weekly=settings.digest.every == "week",
            late_after=late_after,
        ),
        desk=Desk(
            store=store,
            approvals=approvals,
            closings=closings,
            confirming=Confirming(
                store=store,
                capital=capital,
                cancelling=Cancelling(
                    store=store,
                    orchestrator=services.orchestrator,
                    clock=clock,
                    good_for=settings.approval.confirm_within,
                ),
                first_goes=first_goes,
            ),
            emergency=emergency,
            adjuster=AdjusterModes(
                store=store,
                adjuster=services.adjuster,
                about=known_of,
                wall=externals.wall,
                good_for=settings.approval.confirm_within,
            ),
            policies=PolicyProposals(store=store, clock=clock),
            clock=clock,
        ),
        emergency=emergency,
        watch=emergency_watch(settings, market, services, emergency, approvals, at_once=at_once),
        views=Views(
            store=store,
            venue=named_together(settings),
            market_data=market_data,
            clock=clock,
            profile=settings.profile,
            contexts=configured,
            days=settings.digest.days,
            limits=limits,
            parts=health.parts,
            no_entry=lambda: _nowhere(market, no_entry),
            time_left=time_left,
            unwritten=health.unwritten,
            models=GradedModels(overview=models.overview.view, store=store).view,
            sentiment=history_view(history, market, clock) if history is not None else sentiment_view(sentiment),
            sources=sentiment.ages if sentiment is not None else no_sources,
            prediction=prediction_view(predictions),
            adjuster=adjuster_view(services.adjuster, store),
            quality=quality_view(store, market, services.candles.log, clock),
            capital=capital.view,
            keeps_stops=settings.emergency.on_halt is OnHalt.KEEP_STOPS,
        ),
        results=Results(
            store=store,
            market_data=market_data,
            clock=clock,
            days=settings.digest.days,
            at_work=tuple(each for each in configured if each.markets),
            limits=limits,
            autonomy=services.autonomy,
            no_entry=lambda context: no_entry(context) or _store_trouble(health),
            least=lambda symbol: _least(market, symbol),
        ),
        risk_reports=RiskReports(
            store=store,
            market_data=market_data,
            clock=clock,
            at_work=tuple(each for each in configured if each.markets),
            limits=limits,
            stats=stats,
        ),
        venue_reports=VenueReports(
            store=store,
            exchanges=exchanges,
            facts=venue_facts(settings, market, real),
            at_work=tuple(each for each in configured if each.markets),
            clock=clock,
            no_entry=lambda context: no_entry(context) or _store_trouble(health),
        ),
        unmanaged=UnmanagedWatch(store=store, contexts=configured, clock=clock),
        models=models,
        sentiment=sentiment,
        predictions=predictions,
        health=health,
        files=files,
        resumed=resumed,
    )


def at_work_of(settings: Settings, market: Source) -> tuple[AtWork, ...]:
    """Every context that is configured, as people are told of it; one that finds none of its markets has none."""
    found = {context.name: context for context in market.contexts}
    return tuple(
        AtWork(
            name=asked.name,
            strategy=short(asked.strategy),
            venue=venue_of(settings, asked),
            markets=found[asked.name].markets if asked.name in found else (),
            timeframe=asked.timeframe,
        )
        for asked in settings.contexts
    )


def _least(market: Source, symbol: str) -> Decimal:
    """The smallest order's value; 0 of a market that the venue has not told of yet."""
    found = market.feed.markets.get(symbol)
    return found.min_notional if found else Decimal(0)


def _store_trouble(health: Health) -> str:
    """Why nothing can be entered where nothing can be written; empty where it can."""
    return next((f"{STORE}: {part.detail}" for part in health.parts() if part.name == STORE and not part.ok), "")


async def _capital_of(settings: Settings, store: Database, clock: Clock) -> Capital:
    """What may be used of the account, held to the stages of the settings."""
    capital = Capital(store=store, clock=clock, plan=settings.capital.plan)
    await capital.open()
    return capital


async def _first_goes_of(settings: Settings, store: Database, clock: Clock) -> FirstGoes:
    """Which accounts may begin; people are asked about the others."""
    accounts, limits = live_accounts(settings), limits_in_words(settings)
    first_goes = FirstGoes(store=store, clock=clock, accounts=accounts, limits=limits)
    await first_goes.open()
    return first_goes


def _no_entry(settings: Settings, market: Source, first_goes: FirstGoes) -> NoEntry:
    """What speaks against entering, beside halts: nobody's first go, a venue that is away, a clock that is wrong."""
    by_market = no_entry_of(market.live, market.contexts) if market.live else nothing_against_it
    if not first_goes.accounts:
        return by_market
    venues = {context.name: venue_of(settings, context) for context in settings.contexts}
    return lambda context: first_goes.no_entry(venues.get(context, "")) or by_market(context)


def _nowhere(market: Source, no_entry: NoEntry) -> str:
    """Why nothing is entered in any context; empty where something may be in one of them."""
    reasons = [no_entry(context.name) for context in market.contexts]
    return reasons[0] if all(reasons) else ""


def _marked_at(market: Source) -> dict[Listing, Timeframe]:
    shortest = min((context.timeframe for context in market.contexts), key=lambda timeframe: timeframe.duration)
    return {Listing(context.venue, symbol): shortest for context in market.contexts for symbol in context.markets}


def _idle(settings: Settings, market: Source) -> dict[Listing, Timeframe]:
    """The markets that no context trades: what is held of them is valued all the same."""
    traded = _marked_at(market)
    return {
        listing: min(traded.values(), key=lambda each: each.duration)
        for listing in (Listing(venue, symbol) for venue in venue_names(settings) for symbol in market.feed.markets)
        if listing not in traded
    }


def _adjuster(settings: Settings, terms: Terms) -> CurrentAdjuster:
    """Who adjusts entries: by other terms always the same."""
    if (fixed := terms.adjuster) is not None:
        return lambda _: fixed
    return SettingsAdjuster(settings)
