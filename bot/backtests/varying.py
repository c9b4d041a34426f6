"""A strategy with other parameters over the same candles: for sweeps, comparisons and tests that walk forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import yaml

from bot.backtests.asked import Asked
from bot.backtests.setups import alone, of_command_line, setup_of
from bot.strategies.registry import faults, kind_of, strategy_of_kind
from config.contexts import ContextSettings
from config.settings import Settings
from engine.backtest.grid import Axis, Grid, Params, grid_of
from engine.backtest.setup import BacktestSetup
from engine.domain.errors import BadInput, ConfigError
from engine.domain.market import Timeframe
from engine.strategies.base import StrategyBase
from engine.strategies.context import StrategyContexts


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """A setup of one strategy, and how it is made anew with other parameters.

    Attributes:
        setup: With the first combination that the strategy takes.
        context: The strategy's, without what is varied.
        kind: The strategy's; what is written into its file meanwhile is not for this one.
        grid: What is varied.
    """

    setup: BacktestSetup
    context: ContextSettings
    kind: type[StrategyBase]
    grid: Grid

    def __call__(self, params: Params) -> BacktestSetup:
        """The setup of a combination.

        Raises:
            BadInput: The strategy refuses it.
        """
        [context] = self.setup.contexts
        asked = _with(self.context, params)
        try:
            varied = replace(context, strategy=strategy_of_kind(self.kind, asked, ""))
        except ConfigError as error:
            raise BadInput(of_command_line(error), error.remedy) from None
        return replace(self.setup, contexts=StrategyContexts(contexts=(varied,)))


def varied(asked: Asked, texts: tuple[str, ...], settings: Settings) -> Varied:
    """What is swept.

    Args:
        asked: What was asked on the command line, of one strategy.
        texts: The grid as it was written.
        settings: The settings.

    Raises:
        BadInput: Something makes no sense; the nearest name is told.
        ConfigError: A setting makes no sense.
        DataError: A candle file cannot be used.
    """
    name = asked.strategy or ""
    grid = grid_of(texts, _value)
    plain = alone(name, asked.params, ("BTC/USDT",), asked.timeframe or Timeframe.H1)
    for axis in grid.axes:
        _demand(plain, axis)
    first = _first_taken(plain, grid)
    setup = setup_of(replace(asked, params=(*asked.params, *map(_text, first.items()))), settings)
    [context] = setup.contexts
    own = alone(name, asked.params, context.markets, context.timeframe)
    return Varied(setup=setup, context=own, kind=kind_of(name), grid=grid)


def _demand(plain: ContextSettings, axis: Axis) -> None:
    """Refuse a parameter that there is not, and values of a wrong kind; what depends on others is left out later."""
    for value in axis.values:
        for fault in faults(_with(plain, {axis.name: value}), ""):
            if fault.key == f".params.{axis.name}":
                raise BadInput(of_command_line(fault).replace("--set", "--grid", 1), fault.remedy)


def _first_taken(plain: ContextSettings, grid: Grid) -> Params:
    why = BadInput("Nothing is varied.")
    for params in grid.combinations():
        fault = next(faults(_with(plain, params), ""), None)
        if fault is None:
            return params
        why = BadInput(f"None of the combinations can be traded: {of_command_line(fault)}", fault.remedy)
    raise why


def _with(context: ContextSettings, params: Params) -> ContextSettings:
    return context.model_copy(update={"params": {**context.params, **params}})


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _text(param: tuple[str, Any]) -> str:
    name, value = param
    return f"{name}={yaml.safe_dump(value).removesuffix('...').strip() if value is not None else 'null'}"
