"""The strategies by name, and a context's own: built from its parameters, which are checked by its typed fields.

One of somebody's own is put to work as one of the house is, but guarded: see ``own``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bot.strategies.own import building, guarded, own_kind
from config.contexts import ContextSettings
from config.strategy_names import is_own, short
from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.ports import Strategy
from engine.strategies.ai_trend import AITrend
from engine.strategies.base import StrategyBase
from engine.strategies.conditions import ColumnCondition
from engine.strategies.guarded import GuardedStrategy
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
    "ai_trend": AITrend,
}


_ELSEWHERE = ("timeframe", "higher", "further")


def strategy_of(asked: ContextSettings, key: str) -> Strategy:
    """A context's strategy with its parameters.

    Args:
        asked: The context.
        key: Its dotted path among the settings, for errors.

    Raises:
        ConfigError: There is no such strategy (one of somebody's own), a parameter does not exist (the nearest is
            named), or has a wrong type or value.
    """
    for fault in faults(asked, key):
        raise fault
    return strategy_of_kind(kind_of(asked.strategy), asked, key)


def strategy_of_kind(kind: type[StrategyBase], asked: ContextSettings, key: str) -> Strategy:
    """The same of a class that was looked up before, which has parameters of these names: for many, one after another.

    Raises:
        ConfigError: A parameter has a wrong type or value.
    """
    try:
        built = _built(kind, asked, {**asked.params, "higher": _higher(asked, kind), "further": _further(asked)})
    except (ValidationError, ConfigError):
        for fault in faults(asked, key, kind):
            raise fault from None
        raise
    return guarded(built) if is_own(asked.strategy) else built


def within(strategy: Strategy) -> StrategyBase | None:
    """The strategy of the family that speaks, guarded or not; ``None`` of another."""
    inner = strategy.strategy if isinstance(strategy, GuardedStrategy) else strategy
    return inner if isinstance(inner, StrategyBase) else None


def higher_of(asked: ContextSettings) -> tuple[Timeframe, ...]:
    """The longer candles that a context looks at: those it was given, else the longer ones of its strategy's own.

    Of a strategy that there is not, none: that is told by ``faults``.
    """
    if asked.higher is not None:
        return asked.higher
    try:
        return _higher(asked, kind_of(asked.strategy))
    except ConfigError:
        return ()


def faults(asked: ContextSettings, key: str, kind: type[StrategyBase] | None = None) -> Iterator[ConfigError]:
    """Everything that is wrong with a context's strategy and parameters, whatever else is wrong with it."""
    try:
        meant = kind or kind_of(asked.strategy)
    except ConfigError as error:
        yield ConfigError(error.message, error.remedy, key=f"{key}.strategy")
        return
    called, names = short(asked.strategy), _names(meant)
    for name in asked.params:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            yield ConfigError(f"{called} has no such parameter.", hint, key=f"{key}.params.{name}")
    try:
        _built(meant, asked, {name: value for name, value in asked.params.items() if name in names} | {"higher": ()})
    except ValidationError as error:
        yield from (_refused(meant, asked, key, each) for each in error.errors())
    except ConfigError as error:
        yield ConfigError(error.message, error.remedy, key=f"{key}.params")


def kind_of(name: str) -> type[StrategyBase]:
    """The strategy of a name.

    Raises:
        ConfigError: It is one of somebody's own, and cannot be loaded.
    """
    return own_kind(name) if is_own(name) else STRATEGIES[name]


def _further(asked: ContextSettings) -> tuple[ColumnCondition, ...]:
    return tuple(ColumnCondition(**each.model_dump()) for each in asked.conditions)


def _higher(asked: ContextSettings, kind: type[StrategyBase]) -> tuple[Timeframe, ...]:
    if asked.higher is not None:
        return asked.higher
    usual: Any = _field(kind, "higher").default
    own: tuple[Timeframe, ...] = usual if isinstance(usual, tuple) else ()
    return tuple(each for each in own if each.duration > asked.timeframe.duration)


def _names(kind: type[StrategyBase]) -> list[str]:
    """What can be set under ``params``; timeframes and conditions have settings of their own."""
    return [field.name for field in fields(kind) if field.init and field.name not in _ELSEWHERE]


def _field(kind: type[StrategyBase], name: str) -> Field[Any]:
    return next(field for field in fields(kind) if field.name == name)


def _built(kind: type[StrategyBase], asked: ContextSettings, params: Mapping[str, Any]) -> StrategyBase:
    given = {"timeframe": asked.timeframe, **params}
    if not is_own(asked.strategy):
        return _adapter(kind).validate_python(given)
    with building(kind):
        return _adapter(kind).validate_python(given)


@cache
def _adapter(kind: type[StrategyBase]) -> TypeAdapter[StrategyBase]:
    """Making one takes longer than all that it then checks, and every context asks for one."""
    return TypeAdapter(kind)


def _refused(kind: type[StrategyBase], asked: ContextSettings, key: str, detail: ErrorDetails) -> ConfigError:
    message = detail["msg"].replace("Input should be", "must be")
    if not detail["loc"]:  # a rule of somebody's own, which is broken by several parameters together
        return ConfigError(f"{message.removeprefix('Value error, ')}.", "Check its params.", key=f"{key}.params")
    name = str(detail["loc"][0])
    if detail["type"] == "missing":
        return ConfigError("must be given.", f"{short(asked.strategy)} has none by itself.", key=f"{key}.params.{name}")
    usual = _field(kind, name).default
    return ConfigError(f"{message}.", f"{short(asked.strategy)} has {usual} by itself.", key=f"{key}.params.{name}")
