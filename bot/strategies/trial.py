"""Asks strategies of somebody's own once over a made-up market: what fails at once is refused at the start."""

from __future__ import annotations

from collections.abc import Iterator

from bot import indicators
from bot.strategies.registry import faults, strategy_of
from config.settings import Settings
from config.strategy_names import is_own
from engine.domain.errors import ConfigError, StrategyError

_CANDLES = 600


def failures(settings: Settings) -> Iterator[ConfigError]:
    """Those that fail, or ask for a reading that there is not; those with other faults are not asked."""
    own = [(number, each) for number, each in enumerate(settings.contexts) if is_own(each.strategy)]
    if not own or any(indicators.faults(settings.indicators, settings.contexts)):
        return
    from engine.analysis.technical import TechnicalAnalyzer
    from engine.backtest.look_ahead import said_of
    from engine.backtest.strategy_contract import Bench, made_up

    analyzer = TechnicalAnalyzer(indicators=indicators.specs_of(settings))
    for number, context in own:
        key = f"contexts.{number}"
        if any(faults(context, key)):
            continue
        try:
            strategy = strategy_of(context, key)
            bench = Bench(series=made_up(context.timeframe, count=_CANDLES), analyzer=analyzer)
            said_of(strategy, bench.whole(strategy))
        except ConfigError:
            continue  # its longer candles are not longer: another rule tells of that
        except StrategyError as error:
            yield ConfigError(error.message, error.remedy, key=f"{key}.strategy")
