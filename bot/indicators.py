"""The configured indicators, and the columns that conditions may name: each is known before a candle needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from bot.strategies.registry import higher_of
from config.contexts import ContextSettings, IndicatorSettings
from config.settings import Settings
from engine.analysis.indicators import IndicatorSpec, column_names
from engine.domain.errors import ConfigError
from engine.strategies.conditions import READINGS


def specs_of(settings: Settings) -> tuple[IndicatorSpec, ...]:
    """The indicators that a configuration asks for."""
    return tuple(IndicatorSpec(name=each.name, parameters=each.parameters) for each in settings.indicators)


def faults(indicators: Sequence[IndicatorSettings], contexts: Sequence[ContextSettings]) -> Iterator[ConfigError]:
    """Everything that is wrong with indicators, and with the columns that conditions name."""
    given: dict[str, int] = {}
    wrong = False
    for number, each in enumerate(indicators):
        try:
            columns = column_names(IndicatorSpec(name=each.name, parameters=each.parameters))
        except ConfigError as error:
            wrong = True
            said = error.message.removeprefix(f"{error.key}: ")
            yield ConfigError(said, error.remedy, key=f"indicators.{number}.{error.key}".rstrip("."))
            continue
        for column in columns:
            if column in given:
                yield ConfigError(
                    f"gives {column}, as indicators.{given[column]} does.", "Name it once.", key=f"indicators.{number}"
                )
        given |= dict.fromkeys(columns, number)
    if not wrong:  # else the columns that are missing are those of what is wrong
        yield from _unknown_columns((*READINGS, *given), contexts)


def _unknown_columns(known: Sequence[str], contexts: Sequence[ContextSettings]) -> Iterator[ConfigError]:
    for number, context in enumerate(contexts):
        for place, condition in enumerate(context.conditions):
            key = f"contexts.{number}.conditions.{place}"
            named = {"column": condition.column, "above": condition.above, "below": condition.below}
            for field, column in named.items():
                if isinstance(column, str) and column not in known:
                    yield ConfigError("There is no such column.", _nearest(column, known), key=f"{key}.{field}")
            if condition.timeframe not in (None, context.timeframe, *higher_of(context)):
                seen = ", ".join((context.timeframe, *higher_of(context)))
                yield ConfigError(f"{context.name} does not look at it.", f"It has {seen}.", key=f"{key}.timeframe")


def _nearest(column: str, known: Sequence[str]) -> str:
    """The name that looks most like it, whatever its case; else how one comes to have it."""
    by_fold = {name.casefold(): name for name in known}
    near = get_close_matches(column.casefold(), by_fold, n=1)
    if near:
        return f"Did you mean {by_fold[near[0]]}?"
    return f"There are {', '.join(known)}; indicators adds others."
