"""The strategies by name, and a context's own: built from its parameters, which are checked by its typed fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from config.contexts import ContextSettings
from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.strategies.base import StrategyBase
from engine.strategies.conditions import ColumnCondition
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross

STRATEGIES: Mapping[str, type[StrategyBase]] = {
    "ma_cross": MovingAverageCross,
    "momentum": Momentum,
    "mean_reversion": MeanReversion,
    "sma_cross": SmaCross,
    "rsi_bands": RsiBands,
}


_ELSEWHERE = ("timeframe", "higher", "further")


def strategy_of(asked: ContextSettings, key: str) -> StrategyBase:
    """A context's strategy with its parameters.

    Args:
        asked: The context.
        key: Its dotted path among the settings, for errors.

    Raises:
        ConfigError: A parameter does not exist (the nearest is named), or has a wrong type or value.
    """
    for fault in faults(asked, key):
        raise fault
    return _built(asked, {**asked.params, "higher": higher_of(asked), "further": _further(asked)})


def higher_of(asked: ContextSettings) -> tuple[Timeframe, ...]:
    """The longer candles that a context looks at: those it was given, else those its strategy looks at by itself."""
    usual: Any = _field(asked, "higher").default
    return tuple(usual) if asked.higher is None else asked.higher


def faults(asked: ContextSettings, key: str) -> Iterator[ConfigError]:
    """Everything that is wrong with a context's parameters, whatever else is wrong with it."""
    names = _names(asked)
    for name in asked.params:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            yield ConfigError(f"{asked.strategy} has no such parameter.", hint, key=f"{key}.params.{name}")
    try:
        _built(asked, {name: value for name, value in asked.params.items() if name in names} | {"higher": ()})
    except ValidationError as error:
        yield from (_refused(asked, key, each) for each in error.errors())
    except ConfigError as error:
        yield ConfigError(error.message, error.remedy, key=f"{key}.params")


def _further(asked: ContextSettings) -> tuple[ColumnCondition, ...]:
    return tuple(ColumnCondition(**each.model_dump()) for each in asked.conditions)


def _names(asked: ContextSettings) -> list[str]:
    """What can be set under ``params``; timeframes and conditions have settings of their own."""
    return [field.name for field in fields(STRATEGIES[asked.strategy]) if field.name not in _ELSEWHERE]


def _field(asked: ContextSettings, name: str) -> Field[Any]:
    return next(field for field in fields(STRATEGIES[asked.strategy]) if field.name == name)


def _built(asked: ContextSettings, params: Mapping[str, Any]) -> StrategyBase:
    return _adapter(STRATEGIES[asked.strategy]).validate_python({"timeframe": asked.timeframe, **params})


@cache
def _adapter(kind: type[StrategyBase]) -> TypeAdapter[StrategyBase]:
    """Making one takes longer than all that it then checks, and every context asks for one."""
    return TypeAdapter(kind)


def _refused(asked: ContextSettings, key: str, detail: ErrorDetails) -> ConfigError:
    name = str(detail["loc"][0])
    usual = _field(asked, name).default
    message = detail["msg"].replace("Input should be", "must be")
    return ConfigError(f"{message}.", f"{asked.strategy} has {usual} by itself.", key=f"{key}.params.{name}")
