"""How it is traded: risk, quality and what the paper venue costs, by the settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bot.live_market import quality_limits
from config.settings import Settings
from engine.analysis.quality import QualityLimits
from engine.learning.adjuster import PPOAdjuster
from engine.risk.manager import RiskManager
from engine.sentiment.history import SentimentHistory
from engine.simulation.fills import FillModel
from engine.simulation.latency import AT_ONCE, Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How it is traded.

    Attributes:
        risk: What plans and judges entries.
        quality: When candles are too bad to trade on.
        model: What trading at the paper venue costs.
        latency: How long orders are under way to it.
        history: What was said of the markets in the past; ``None`` where nobody knows.
        adjuster: Who adjusts entries; ``None`` for who the settings name.
    """

    risk: RiskManager
    quality: QualityLimits
    model: FillModel
    latency: Latency = AT_ONCE
    history: SentimentHistory | None = None
    adjuster: PPOAdjuster | None = None


def terms_of(settings: Settings) -> Terms:
    """How the settings have it traded."""
    return Terms(
        risk=RiskManager(limits=settings.limits),
        quality=quality_limits(settings),
        model=FillModel(
            **settings.venue.model_dump(
                include={"fee", "fee_in", "fee_price", "spread", "depth", "levels", "level_step"}
            ),
            max_factor=Decimal(repr(settings.quality.max_factor)),
            gone_for=settings.quality.gone_for,
        ),
    )
