"""The engine put together: everything below the chat, on its clock, at the time where the last run left off.

bot.grounds ─▶ bot.research ─▶ services of the cycle ─▶ bot.acting ─▶ bot.looking
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.acting import acting_of, first_goes_of
from bot.adjuster import SettingsAdjuster
from bot.at_work import at_work_of
from bot.externals import EXTERNALS, Externals
from bot.grounds import AnyClock, Grounds, open_grounds
from bot.health import Health
from bot.live_market import no_entry_of
from bot.looking import health_of, looking_of
from bot.markets import Source
from bot.models import Models
from bot.panel import calibration_of, panel_of
from bot.research import Research, research_of
from bot.terms import Terms, terms_of
from bot.venues import exchange_of, fees_at, others_of, venue_names, venue_of
from config.settings import Settings
from engine.ai.trend_predictions import TrendPredictions
from engine.backtest.replay import INSTANT
from engine.books.bookkeeping import Bookkeeping
from engine.books.capital import Capital
from engine.books.first_go import FirstGoes
from engine.books.unmanaged import UnmanagedWatch
from engine.desk import Desk
from engine.domain.market import Listing, Timeframe
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.paper import PaperExchange
from engine.execution.emergency import EmergencyStopSystem
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.flow.adjuster_modes import CurrentAdjuster
from engine.flow.approvals import Approvals
from engine.flow.balance_watch import BalanceWatch
from engine.flow.closings import Closings
from engine.flow.emergency_watch import EmergencyWatch
from engine.flow.panel_rounds import PanelRounds
from engine.flow.services import CycleServices
from engine.ports import Exchange, NoEntry, Route, nothing_against_it
from engine.sentiment.engine import SentimentEngine
from engine.store.database import Database
from engine.store.open_files import OpenFiles
from engine.timing.clocks import MarketClock
from engine.views.results import Results
from engine.views.risk import RiskReports
from engine.views.trading import Views
from engine.views.venues import VenueReports

LATE_AFTER = 2.0
"""Wall seconds after which a real venue's close is decided on without the markets that have not answered."""


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
    deliberations: PanelRounds
    approvals: Approvals
    closings: Closings
    capital: Capital
    books: Bookkeeping
    desk: Desk
    emergency: EmergencyStopSystem
    watch: EmergencyWatch
    balance_watch: BalanceWatch
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
    on = await open_grounds(settings, market, route, externals, terms)
    first_goes = await first_goes_of(settings, on)
    research = await research_of(settings, market, on, externals, terms)
    services = _services(settings, market, on, research, externals, terms, _no_entry(settings, market, first_goes))
    acting = await acting_of(settings, market, on, services, first_goes, externals, at_once=at_once)
    health = health_of(market, research)
    looking = looking_of(settings, market, on, research, services, acting, health)
    return Engine(
        market=market,
        clock=on.clock,
        store=on.store,
        venues=on.venues,
        real=on.real,
        services=services,
        deliberations=PanelRounds(
            services, market.contexts, step=INSTANT if isinstance(on.clock, MarketClock) else timedelta(0)
        ),
        approvals=acting.approvals,
        closings=acting.closings,
        capital=acting.capital,
        books=_books(settings, market, on, services),
        desk=acting.desk,
        emergency=acting.emergency,
        watch=acting.watch,
        balance_watch=BalanceWatch(store=on.store, orchestrator=services.orchestrator, transfers=on.real),
        views=looking.views,
        results=looking.results,
        risk_reports=looking.risk_reports,
        venue_reports=looking.venue_reports,
        unmanaged=UnmanagedWatch(store=on.store, contexts=at_work_of(settings, market), clock=on.clock),
        models=research.models,
        sentiment=research.sentiment,
        predictions=research.predictions,
        health=health,
        files=on.files,
        resumed=on.resumed,
    )


def _services(
    settings: Settings,
    market: Source,
    on: Grounds,
    research: Research,
    externals: Externals,
    terms: Terms,
    no_entry: NoEntry,
) -> CycleServices:
    """What the cycle asks and uses."""
    return CycleServices(
        clock=on.clock,
        store=on.store,
        market_data=on.market_data,
        candles=research.candles,
        analyzer=market.analyzer,
        risk=terms.risk,
        autonomy=settings.approval.autonomy,
        orchestrator=ExecutionOrchestrator(
            store=on.store,
            venues=on.exchanges,
            market_data=on.market_data,
            clock=on.clock,
            max_factor=terms.model.max_factor,
        ),
        stats=research.stats,
        derivatives=research.derivatives,
        insights=research.insights,
        panel=externals.panel or panel_of(settings, research.models.manager, on.store, on.market_data),
        panel_takes_time=not research.models.manager.on_tape,
        asks_in_vain=settings.ai.gate.ask_in_vain,
        calibration=calibration_of(settings),
        adjuster=_adjuster(settings, terms),
        weighs_predictions=settings.ppo.predictions,
        no_entry=no_entry,
        fees={name: _fee_at(settings, name) for name in on.exchanges},
        consolidation=settings.consolidation,
        late_after=_late_after(market),
        frames=research.frames,
    )


def _fee_at(settings: Settings, venue: str) -> Decimal:
    """What a fill costs at a venue, as a fraction of its value."""
    fee: Decimal = fees_at(settings, exchange_of(settings, venue) or None)["fee"]
    return fee


def _books(settings: Settings, market: Source, on: Grounds, services: CycleServices) -> Bookkeeping:
    """Who keeps the account's books."""
    return Bookkeeping(
        store=on.store,
        market_data=on.market_data,
        markets=_marked_at(market),
        idle=_idle(settings, market),
        candles=services.candles,
        limits=services.risk.limits,
        days=settings.digest.days,
        told_weekly=settings.digest.every == "week",
        late_after=_late_after(market),
    )


def _late_after(market: Source) -> float | None:
    return LATE_AFTER if market.live else None


def _no_entry(settings: Settings, market: Source, first_goes: FirstGoes) -> NoEntry:
    """What speaks against entering, beside halts: nobody's first go, a venue that is away, a clock that is wrong."""
    by_market = no_entry_of(market.live, market.contexts) if market.live else nothing_against_it
    if not first_goes.accounts:
        return by_market
    venues = {
        context.name: (venue_of(settings, context), *others_of(settings, context)) for context in settings.contexts
    }

    def no_entry(context: str) -> str:
        """Nothing that concerns a context, at any venue that its entries may go to."""
        reasons = (first_goes.no_entry(venue) for venue in venues.get(context, ("",)))
        return next(filter(None, reasons), "") or by_market(context)

    return no_entry


def _marked_at(market: Source) -> dict[Listing, Timeframe]:
    shortest = min((context.timeframe for context in market.contexts), key=lambda timeframe: timeframe.duration)
    return {
        Listing(venue, symbol): shortest
        for context in market.contexts
        for venue in context.venues
        for symbol in context.markets
    }


def _idle(settings: Settings, market: Source) -> dict[Listing, Timeframe]:
    """The markets that no context trades: what is held of them is valued all the same."""
    traded = _marked_at(market)
    return {
        listing: min(traded.values(), key=lambda each: each.duration)
        for listing in (
            Listing(venue, symbol) for venue in venue_names(settings) for symbol in market.feed_at(venue).markets
        )
        if listing not in traded
    }


def _adjuster(settings: Settings, terms: Terms) -> CurrentAdjuster:
    """Who adjusts entries: by other terms always the same."""
    if (fixed := terms.adjuster) is not None:
        return lambda _: fixed
    return SettingsAdjuster(settings)
