"""What trading has come to, and how it stands against its limits: the answers of ``engine.views.results``.

All money is in the quote currency of the account; shares are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.domain.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Closed trades counted together.

    Attributes:
        won: How many made money after fees.
        net: What they came to, after fees.
        cost: What they had cost, before fees; ``None`` where that is not known of each.
    """

    trades: int
    won: int
    net: Decimal
    cost: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """``net`` as a fraction of ``cost``; ``None`` where that is not known."""
        return self.net / self.cost if self.cost else None


NO_TRADES = Tally(trades=0, won=0, net=Decimal(0), cost=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The bot's closed trades by market and by the strategy context that made them, each with the best first.

    Attributes:
        external: The closed trades that somebody else had opened; they are in none of the others.
    """

    quote: str
    total: Tally
    markets: tuple[tuple[str, Tally], ...]
    contexts: tuple[tuple[str, Tally], ...]
    external: Tally = NO_TRADES


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeStats:
    """How the bot's trades ended.

    Attributes:
        external: The closed trades that somebody else had opened; they are in none of the others.
        endings: The trades by what closed them (``Position.closed_by``), the most frequent first.
        won_after, lost_after: How long those that made, and those that lost money were held on average; ``None``
            without any.
        expectancy: See ``engine.analysis.performance.expectancy``.
        profit_factor: See ``engine.analysis.performance.profit_factor``.
        best, worst: By what they came to; ``None`` without trades.
        losing_streak: The largest number of trades in a row of one context that lost money, in the order in which they
            were closed, as alerts count them.
        losing_context: The context of that row; empty without losses.
    """

    quote: str
    total: Tally
    endings: tuple[tuple[str, Tally], ...]
    won_after: timedelta | None
    lost_after: timedelta | None
    expectancy: Decimal | None
    profit_factor: Decimal | None
    best: Position | None
    worst: Position | None
    losing_streak: int
    losing_context: str = ""
    external: Tally = NO_TRADES


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is open, against what may be.

    Attributes:
        positions: How many are held by the contexts at work, of ``possible``: one for each market of each.
        others: How many are held beside these, by somebody else or a context that is no more.
        approvals: How many are open, and ``asked`` what carrying all of them out would cost.
        exposure: The value of everything held, and of what open orders may still buy.
        max_exposure: What it may come to.
        coins: The value of each coin, held or being bought, the largest first.
        max_coin: What each may come to.
        size: What a drawdown leaves of both limits, as a fraction; 1 without one.
    """

    quote: str
    equity: Decimal
    positions: int
    possible: int
    others: int
    approvals: int
    asked: Decimal
    exposure: Decimal
    max_exposure: Decimal
    coins: tuple[tuple[str, Decimal], ...]
    max_coin: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """A strategy at work: its context's name, and what it does where."""

    name: str
    strategy: str
    venue: str
    markets: tuple[str, ...]
    timeframe: str
    others: tuple[str, ...] = ()
    """Further venues that its entries may go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextView:
    """A strategy at work and how it stands.

    Attributes:
        held: How many positions it holds.
        closed: Its closed trades.
        obstacles: Why it cannot enter a market now, by market; a market that is not named may be entered.
    """

    at_work: AtWork
    held: int
    closed: Tally
    obstacles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategies:
    """The strategies at work.

    Attributes:
        auto_above, ask_above: From which confidence on the bot acts alone, and from which on it asks.
    """

    quote: str
    contexts: tuple[ContextView, ...]
    auto_above: float
    ask_above: float
