"""What a strategy on predictions needs of the settings. Nothing is asked or opened for it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.strategies.registry import STRATEGIES, higher_of, kind_of
from config.settings import Settings
from engine.domain.errors import ConfigError


def unpredicted(settings: Settings) -> Iterator[ConfigError]:
    """Contexts on ``ai_trend`` that look at no timeframe that is predicted: no rise could be expected on one.

    Where nothing at all is predicted they hold and say so: models may be off for a time.
    """
    if not settings.predicts:
        return
    predicted = ", ".join(settings.predicts)
    for number, context in enumerate(settings.contexts):
        timeframes = (context.timeframe, *higher_of(context))
        if _is_ai_trend(context.strategy) and not {*timeframes} & {*settings.predicts}:
            yield ConfigError(
                f"trades on predictions of {', '.join(timeframes)}, and there are those of {predicted} alone.",
                f"Add {context.timeframe} to ai.prediction.timeframes, or trade on one of these.",
                key=f"contexts.{number}.timeframe",
                other="ai.prediction.timeframes",
            )


def _is_ai_trend(name: str) -> bool:
    try:
        return issubclass(kind_of(name), STRATEGIES["ai_trend"])
    except ConfigError:  # There is no such strategy: another rule tells it.
        return False
