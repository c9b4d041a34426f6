"""What trading costs in a backtest: the fees of the venue of its contexts, on the book of the paper venue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.venues import exchange_of, fees_at
from config.settings import Settings
from engine.domain.errors import BadInput, ConfigError
from engine.simulation.fills import QUOTE, FillModel
from engine.strategies.context import StrategyContext

if TYPE_CHECKING:
    from bot.backtests.asked import Asked


def model_of(asked: Asked, settings: Settings, contexts: Sequence[StrategyContext]) -> FillModel:
    """What trading costs at the venue of the contexts; the kernel counts fees in the quote currency alone."""
    costs = _fees(asked, settings, contexts) | ({} if asked.fee is None else {"fee": asked.fee})
    if {symbol.partition("/")[2] for context in contexts for symbol in context.markets} == {costs["fee_in"]}:
        costs["fee_in"] = QUOTE
    if costs["fee_in"] != QUOTE and not asked.full:
        message = f"fees in {costs['fee_in']} are counted in the live cycle alone."
        raise ConfigError(message, "Say bot backtest --full, or set quote.", key="venue.fee_in")
    book = settings.venue.model_dump(include={"spread", "depth", "levels", "level_step"})
    return FillModel(**book, **costs)


def _fees(asked: Asked, settings: Settings, contexts: Sequence[StrategyContext]) -> dict[str, Any]:
    """The fees of the one exchange that contexts trade at.

    Raises:
        BadInput: They trade at several that take others.
    """
    names = {context.name for context in contexts}
    traded = [each.exchange or exchange_of(settings) for each in settings.contexts if each.name in names]
    exchanges = dict.fromkeys((exchange_of(settings),) if asked.strategy else traded)
    found = {name: fees_at(settings, name) for name in exchanges}
    first, *others = found.values()
    if any(each != first for each in others) and asked.fee is None:
        told = ", ".join(f"{name} {each['fee']} in {each['fee_in']}" for name, each in found.items())
        message = f"The contexts trade at venues with fees of their own: {told}."
        raise BadInput(message, "Test one at a time, by --symbol or --strategy, or say --fee for all.")
    return first
