"""Every context that is configured, as people are told of it."""

from __future__ import annotations

from bot.markets import Source
from bot.venues import others_of, venue_of
from config.settings import Settings
from config.strategy_names import short
from engine.domain.results import AtWork


def at_work_of(settings: Settings, market: Source) -> tuple[AtWork, ...]:
    """Every context that is configured; one that finds none of its markets has none."""
    found = {context.name: context for context in market.contexts}
    return tuple(
        AtWork(
            name=asked.name,
            strategy=short(asked.strategy),
            venue=venue_of(settings, asked),
            markets=found[asked.name].markets if asked.name in found else (),
            timeframe=asked.timeframe,
            others=others_of(settings, asked),
        )
        for asked in settings.contexts
    )
