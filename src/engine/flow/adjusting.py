"""From an entry that was sized to what the adjuster makes of it: what it is shown, and who hears where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.adjustments import Adjusted, AdjusterNotice
from engine.domain.decisions import Decision
from engine.domain.events import AdjusterFailed
from engine.domain.market import Listing, Market, Timeframe
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.domain.proposals import Proposal
from engine.domain.risk_stats import RiskStats
from engine.flow.adjuster_modes import CurrentAdjuster
from engine.learning.adjuster import PPOAdjuster
from engine.learning.features import (
    LONGEST_STREAK,
    MARKET,
    AccountFigures,
    Voices,
    market_figures,
    observations,
    streak_of,
)
from engine.risk.limits import RiskLimits
from engine.risk.room import coin_room
from engine.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from engine.domain.market import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a policy is asked about something.

    Attributes:
        close, mean: The newest close, and the mean of the last 50; ``None`` where it is not known.
    """

    context: str
    listing: Listing
    timeframe: Timeframe
    at: datetime
    close: float | None
    mean: float | None


def adjusted_entry(
    current: CurrentAdjuster,
    uow: UnitOfWork,
    proposal: Proposal,
    decision: Decision,
    plan: TradePlan,
    *,
    market: Market,
    stats: RiskStats | None,
    limits: RiskLimits,
    now: datetime,
) -> Adjusted | None:
    """What the adjuster makes of an entry; ``None`` where it is off. People are told where it cannot answer."""
    adjuster = current(uow)
    if not adjuster.is_on:
        return None
    seen = observation(adjuster, uow, proposal, decision, stats, limits)
    found = adjuster.adjust_decision(plan, decision, market, seen)
    if found.adjustment is None:
        _tell(uow, found, now)
    return found


def observation(
    adjuster: PPOAdjuster,
    uow: UnitOfWork,
    proposal: Proposal,
    decision: Decision,
    stats: RiskStats | None,
    limits: RiskLimits,
) -> Floats:
    """``float64[17]``: what a policy is shown of an entry, as in training."""
    sentiment = proposal.insight.sentiment.aggregate() if proposal.insight.sentiment else None
    outlook = proposal.insight.outlook
    voices = Voices(
        confidence=np.array([decision.confidence]),
        sentiment=np.array([sentiment or 0.0]),
        outlook=np.array([outlook.alignment if outlook and outlook.predictions else 0.0]),
    )
    mean = next((each.ma_50 for each in proposal.readings if each.timeframe is proposal.timeframe), None)
    place = Place(
        context=proposal.context,
        listing=proposal.listing,
        timeframe=proposal.timeframe,
        at=proposal.candle_at,
        close=proposal.close,
        mean=mean,
    )
    return observed(adjuster, uow, place, voices, stats, limits)


def observed(
    adjuster: PPOAdjuster,
    uow: UnitOfWork,
    place: Place,
    voices: Voices,
    stats: RiskStats | None,
    limits: RiskLimits,
) -> Floats:
    """``float64[17]``: what a policy is shown of a market on a timeframe, and of the account beside it."""
    market = np.full(len(MARKET), np.nan)
    if stats is not None and place.close is not None:
        market = market_figures(stats, place.close, place.mean)
    account = _account(uow, place, stats, limits)
    found: Floats = observations(market[None, :], account, voices, adjuster.shares)[0]
    return found


def _account(uow: UnitOfWork, place: Place, stats: RiskStats | None, limits: RiskLimits) -> AccountFigures:
    symbol = place.listing.symbol
    portfolio = uow.account.portfolio()
    equity = max(float(portfolio.equity), 1e-9)
    closed = uow.positions.closed_of(place.context, place.listing.venue, symbol, LONGEST_STREAK)
    ended = closed[0].closed_at if closed else None
    idle = np.inf
    if ended is not None:
        length = place.timeframe.duration
        idle = max(0, (place.at - place.timeframe.floor(ended)) // length)
    found = {
        "drawdown": float(portfolio.drawdown),
        "coin": float(coin_room(symbol, portfolio, limits).taken) / equity,
        "gross": float(portfolio.exposure) / equity,
        "correlation": max(_correlations(place, portfolio, stats), default=0.0),
        "streak": float(streak_of([each.net > 0 for each in closed])),
        "idle": idle,
    }
    return AccountFigures(**{name: np.array([value]) for name, value in found.items()})


def _correlations(place: Place, portfolio: Portfolio, stats: RiskStats | None) -> Iterator[float]:
    """With each market that is held or being bought; 1 with another context's holding of the same coin."""
    own = (place.context, place.listing.symbol)
    held = [(each.context, each.symbol) for each in portfolio.positions]
    for context, symbol in (*held, *((each.context, each.symbol) for each in portfolio.buying)):
        if (context, symbol) != own:
            same = symbol.partition("/")[0] == place.listing.symbol.partition("/")[0]
            yield 1.0 if same else (stats.correlations.get(symbol, 0.0) if stats else 0.0)


def _tell(uow: UnitOfWork, found: Adjusted, now: datetime) -> None:
    """Tell people that the static rules hold: once a day for each policy and what of it is wrong."""
    notice = AdjusterNotice(at=now, policy=found.policy, why=found.why, mode=found.mode)
    if not uow.adjuster_notices.has(notice.id):
        uow.adjuster_notices.put(notice)
        uow.emit(AdjusterFailed(at=now, notice_id=notice.id))
