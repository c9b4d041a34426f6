"""What people see of parts that a program does not have."""

from __future__ import annotations

from engine.domain.adjustments import AdjusterMode, AdjusterView
from engine.domain.capital import CapitalView
from engine.domain.errors import GreenlightError
from engine.domain.model_views import ModelsView
from engine.domain.predictions import PredictionView
from engine.domain.quality_views import QualityView
from engine.domain.sentiment import SentimentView, SourceAge


async def no_models() -> ModelsView:
    """Of a program that has none."""
    return ModelsView(is_on=False)


async def no_capital() -> CapitalView:
    """Of a program that keeps no stages.

    Raises:
        GreenlightError: Always.
    """
    raise GreenlightError("Nothing is known of stages of capital.")


async def no_predictions(market: str, venue: str) -> PredictionView:
    """Of a program that predicts nothing.

    Raises:
        GreenlightError: Always.
    """
    del market, venue
    raise GreenlightError("Nothing is predicted.", "ai.enabled: true lets it be, and ai.prediction.enabled.")


async def no_adjuster() -> AdjusterView:
    """Of a program that has none."""
    return AdjusterView(mode=AdjusterMode.OFF)


async def no_quality(market: str, venue: str) -> QualityView:
    """Of a program that looks at no candles.

    Raises:
        GreenlightError: Always.
    """
    del market, venue
    raise GreenlightError("Nothing is known of the data: no candles are looked at.")


async def no_sentiment(_: str) -> SentimentView:
    """Of a program that asks nobody.

    Raises:
        GreenlightError: Always.
    """
    raise GreenlightError("No sources of sentiment are asked.", "sentiment.enabled: true asks them.")


def no_sources() -> tuple[SourceAge, ...]:
    """Of a program that asks nobody."""
    return ()
