"""What people look at: the account, what trading has come to, its risk and its venues; and whether all is well."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bot.acting import Acting, keeps_stops, time_left_of
from bot.adjuster import adjuster_view
from bot.at_work import at_work_of
from bot.grounds import Grounds
from bot.health import Health
from bot.markets import Source
from bot.predictions import prediction_view
from bot.quality import quality_view
from bot.research import Research
from bot.sentiment import history_view, sentiment_view, source_health
from bot.venue_facts import venue_facts
from bot.venues import named_together
from config.settings import Settings
from engine.ai.grades import GradedModels
from engine.domain.health import CLOCK, MARKET_DATA, MODELS, SENTIMENT, STORE
from engine.flow.services import CycleServices
from engine.ports import NoEntry
from engine.views.absent import no_sources
from engine.views.results import Results
from engine.views.risk import RiskReports
from engine.views.trading import Views
from engine.views.venues import VenueReports


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What people may see."""

    views: Views
    results: Results
    risk_reports: RiskReports
    venue_reports: VenueReports


def health_of(market: Source, research: Research) -> Health:
    """Which parts are watched, beside the database."""
    health = Health()
    if market.live is not None:
        live = market.live
        health.watch(MARKET_DATA, lambda: live.health)
        health.watch(CLOCK, lambda: live.clock_health)
    for name in research.models.remote:
        health.watch(f"{MODELS}{name}", research.models.health_of(name))
    for name, ask in source_health(research.sentiment).items():
        health.watch(f"{SENTIMENT}{name}", ask)
    return health


def looking_of(
    settings: Settings,
    market: Source,
    on: Grounds,
    research: Research,
    services: CycleServices,
    acting: Acting,
    health: Health,
) -> Looking:
    """Put together what people may see of an account."""
    at_work = tuple(each for each in at_work_of(settings, market) if each.markets)

    def no_entry(context: str) -> str:
        return services.no_entry(context) or _store_trouble(health)

    return Looking(
        views=_views(settings, market, on, research, services, acting, health),
        results=Results(
            store=on.store,
            market_data=on.market_data,
            clock=on.clock,
            days=settings.digest.days,
            at_work=at_work,
            limits=services.risk.limits,
            autonomy=services.autonomy,
            no_entry=no_entry,
            least=lambda symbol: _least(market, symbol),
        ),
        risk_reports=RiskReports(
            store=on.store,
            market_data=on.market_data,
            clock=on.clock,
            at_work=at_work,
            limits=services.risk.limits,
            stats=services.stats,
        ),
        venue_reports=VenueReports(
            store=on.store,
            exchanges=on.exchanges,
            facts=venue_facts(settings, market, on.real),
            at_work=at_work,
            clock=on.clock,
            no_entry=no_entry,
        ),
    )


def _views(
    settings: Settings,
    market: Source,
    on: Grounds,
    research: Research,
    services: CycleServices,
    acting: Acting,
    health: Health,
) -> Views:
    sentiment, history = research.sentiment, research.history
    return Views(
        store=on.store,
        venue=named_together(settings),
        market_data=on.market_data,
        clock=on.clock,
        profile=settings.profile,
        contexts=at_work_of(settings, market),
        days=settings.digest.days,
        limits=services.risk.limits,
        parts=health.parts,
        no_entry=lambda: _nowhere(market, services.no_entry),
        time_left=time_left_of(settings, on),
        unwritten=health.unwritten,
        models=GradedModels(overview=research.models.overview.view, store=on.store).view,
        sentiment=history_view(history, market, on.clock) if history is not None else sentiment_view(sentiment),
        sources=sentiment.ages if sentiment is not None else no_sources,
        prediction=prediction_view(research.predictions),
        adjuster=adjuster_view(
            services.adjuster, on.store, on.clock, tuple(each.name for each in market.contexts if not each.adjusted)
        ),
        quality=quality_view(on.store, market, services.candles.log, on.clock),
        capital=acting.capital.view,
        keeps_stops=keeps_stops(settings),
    )


def _least(market: Source, symbol: str) -> Decimal:
    """The smallest order's value; 0 of a market that the venue has not told of yet."""
    found = market.feed.markets.get(symbol)
    return found.min_notional if found else Decimal(0)


def _store_trouble(health: Health) -> str:
    """Why nothing can be entered where nothing can be written; empty where it can."""
    return next((f"{STORE}: {part.detail}" for part in health.parts() if part.name == STORE and not part.ok), "")


def _nowhere(market: Source, no_entry: NoEntry) -> str:
    """Why nothing is entered in any context; empty where something may be in one of them."""
    reasons = [no_entry(context.name) for context in market.contexts]
    return reasons[0] if all(reasons) else ""
