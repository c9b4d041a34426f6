"""Strategies at work: which one, on which markets, under which name; and several of them side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.domain.plans import Entry, Slicing
from engine.domain.proposals import FastTier
from engine.ports import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyContext:
    """One strategy on its markets; what it holds is booked under its name.

    Attributes:
        name: Unique among the contexts of a program.
        venue: The name of the venue it trades at.
        others: Further venues that its entries may go to; it decides on the candles of its own alone.
        markets: Symbols, ``BASE/QUOTE``.
        timeframe: The candles its cycle runs at; the strategy's own.
        entry: How it buys, where that is not at market; a strategy's signals may say otherwise.
        slicing: How it buys in slices what it buys at market; ``None`` for at once.
        fast: How it begins a trade before everybody has been heard; ``None`` where it does not.
        adjusted: Whether the policy that adjusts entries is asked about its own.
        weight, priority: What it counts beside other contexts on its coins; see ``consolidation``.

    Raises:
        ConfigError: It has no name or no markets, names one twice, or its strategy trades on other candles.
    """

    name: str
    venue: str
    strategy: Strategy
    markets: tuple[str, ...]
    timeframe: Timeframe
    entry: Entry | None = None
    slicing: Slicing | None = None
    fast: FastTier | None = None
    weight: float = 1.0
    priority: int = 0
    others: tuple[str, ...] = ()
    adjusted: bool = True

    def __post_init__(self) -> None:
        if not self.name or not self.markets:
            raise ConfigError(f"The context {self.name!r} needs a name and at least one market.")
        if len(set(self.markets)) < len(self.markets):
            raise ConfigError(f"The context {self.name!r} names a market twice.", "Name each of its markets once.")
        own = self.strategy.timeframes[0]
        if own is not self.timeframe:
            raise ConfigError(
                f"The context {self.name!r} runs on {self.timeframe} candles, its strategy on {own}.",
                "Give both the same timeframe.",
            )

    @property
    def venues(self) -> tuple[str, ...]:
        """Every venue that its entries may go to, its own first."""
        return (self.venue, *self.others)

    def is_due(self, at: datetime) -> bool:
        """Whether one of its candles closes at exactly this moment."""
        return self.timeframe.floor(at) == at


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyContexts:
    """Several contexts side by side, in the order they were configured.

    Raises:
        ConfigError: Two have the same name.
    """

    contexts: tuple[StrategyContext, ...] = ()

    def __post_init__(self) -> None:
        names = [context.name for context in self.contexts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"Two contexts are called {twice[0]!r}.", "Give every context a name of its own.")

    def __iter__(self) -> Iterator[StrategyContext]:
        return iter(self.contexts)

    def __len__(self) -> int:
        return len(self.contexts)

    def due(self, at: datetime) -> tuple[StrategyContext, ...]:
        """The contexts whose candle closes at exactly this moment."""
        return tuple(context for context in self.contexts if context.is_due(at))
