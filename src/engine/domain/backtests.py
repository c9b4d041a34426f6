"""What a backtest came to.

All money is in the quote currency. Figures are floats here: a run makes millions of them, and each is exact to far less
than a cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.domain.market import Floats, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestFill:
    """A part of a purchase or sale; ``fee`` is in ``fee_currency``."""

    at: datetime
    side: str
    quantity: float
    price: float
    fee: float
    fee_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestTrade:
    """A position from its first purchase to its last sale.

    Attributes:
        closed_at: When the candle opened in which the last of it was sold; where the cycle knows more than whole
            candles, the moment itself.
        quantity: What was bought, in the base currency.
        entry_price, exit_price: Mean prices.
        fees: Of both.
        slippage: What it paid more and got less than the price of the moment; ``None`` where nobody noted that.
        reason: What closed it: ``stop``, ``target``, ``signal`` or ``time``.
        fills: The parts in which it was bought and sold, oldest first; empty where nobody noted them.
    """

    context: str
    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: float
    entry_price: float
    exit_price: float
    fees: float
    slippage: float | None
    reason: str
    fills: tuple[BacktestFill, ...] = ()

    @property
    def waited(self) -> bool:
        """Whether it was bought or sold at more than one moment: some of it had to wait for more of a book."""
        return any(len({each.at for each in self.fills if each.side == side}) > 1 for side in ("buy", "sell"))

    @property
    def net(self) -> float:
        """What it made, after fees."""
        return self.quantity * (self.exit_price - self.entry_price) - self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAtEnd:
    """A position that is still open where the candles end."""

    context: str
    symbol: str
    opened_at: datetime
    quantity: float
    entry_price: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyEquity:
    """The account at the end of each UTC day and at the end of the run, at the last closes of then.

    Attributes:
        at_ms: Milliseconds since 1970.
        exposure: The value of what was held.
    """

    at_ms: Millis
    equity: Floats
    exposure: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Trades counted together.

    Attributes:
        won: How many made something, after fees.
        gross_profit, gross_loss: What those made together, and what the others lost: both 0 or more.
        best, worst: What a single one made at most and at least; 0 where there is none.
        held: How long one was held on average.
    """

    trades: int
    won: int
    net: float
    gross_profit: float
    gross_loss: float
    best: float
    worst: float
    held: timedelta
    fees: float
    slippage: float | None

    @property
    def win_rate(self) -> float | None:
        """The part of them that won."""
        return self.won / self.trades if self.trades else None

    @property
    def expectancy(self) -> float | None:
        """What one makes on average."""
        return self.net / self.trades if self.trades else None

    @property
    def profit_factor(self) -> float | None:
        """What was won for each unit that was lost; ``None`` where nothing was lost."""
        return self.gross_profit / self.gross_loss if self.gross_loss else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What people were asked, and what became of it.

    Attributes:
        ordered: They approved, and it was ordered.
        declined: Somebody said no.
        refused: They approved, and the rules did not any more.
        expired: Nobody answered in time, or entries were halted.
    """

    ordered: int = 0
    declined: int = 0
    refused: int = 0
    expired: int = 0

    @property
    def count(self) -> int:
        """How often they were asked."""
        return self.ordered + self.declined + self.refused + self.expired


@dataclass(frozen=True, slots=True, kw_only=True)
class ShorterCandles:
    """How far fills have followed shorter candles of a market.

    Attributes:
        timeframe: The length of these.
        followed: How many of the longer candles they tell all of.
        gaps: Of how many some are missing: there the longer one was followed.
        others: Of how many they make another candle: there as well.
        fills: How many fills there were along them.
    """

    symbol: str
    timeframe: str
    followed: int
    gaps: int
    others: int
    fills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFills:
    """What fills took from, where order books were recorded.

    Attributes:
        recorded: Those that took from a recorded book.
        modelled: Those that took from one made of price and volume: none was there, or none was new enough.
        targets: Those that waited at their target for others: they took from none.
    """

    recorded: int
    modelled: int
    targets: int


@dataclass(frozen=True, kw_only=True, eq=False)
class BacktestResult:
    """What a backtest came to.

    Attributes:
        begins, ends: From the first candle that was traded on to the close of the last one.
        candles: How many there were, of all markets.
        cash: What it began with.
        final_equity: At the last closes; selling what is held at the end would cost fees yet.
        read_trades: Makes ``trades``, when they are first asked for: a sweep asks for none.
        read_short: Makes ``short_entries``, likewise.
        entries_ended: When the total limit of drawdown ended them for good; ``None`` where it did not.
        asked: What people were asked; ``None`` where there are none.
        shorter: How far fills have followed shorter candles, where there are any.
        books: What fills took from; ``None`` where no book was recorded.
        predicted: How many predictions were made, by whom; ``None`` where no strategy reads any.
        seconds: What going over the candles took.
        compile_seconds: What it took to have the kernel: many once on a machine, a fraction of one later on.
    """

    quote: str
    begins: datetime
    ends: datetime
    candles: int
    cash: float
    final_equity: float
    read_trades: Callable[[], tuple[BacktestTrade, ...]]
    held: tuple[HeldAtEnd, ...]
    daily: DailyEquity
    fees: float
    slippage: float | None
    entries_ended: datetime | None
    seconds: float
    compile_seconds: float
    asked: Asked | None = None
    read_short: Callable[[BacktestResult], int | None] = lambda _: None
    shorter: tuple[ShorterCandles, ...] = ()
    books: BookFills | None = None
    predicted: Mapping[str, int] | None = None

    @cached_property
    def trades(self) -> tuple[BacktestTrade, ...]:
        """In the order in which they were closed."""
        return self.read_trades()

    @cached_property
    def short_entries(self) -> int | None:
        """How many entries were left out for their confidence alone; ``None`` where that does not decide."""
        return self.read_short(self)

    @property
    def net(self) -> float:
        """What it made, after fees."""
        return self.final_equity - self.cash

    def all_trades(self) -> Counted:
        """All of them together."""
        return counted_together(self.trades)

    def by_symbol(self) -> dict[str, Counted]:
        """The trades of each market."""
        return counted(self.trades, lambda trade: trade.symbol)

    def by_context(self) -> dict[str, Counted]:
        """The trades of each strategy context."""
        return counted(self.trades, lambda trade: trade.context)

    def by_reason(self) -> dict[str, Counted]:
        """The trades by what closed them."""
        return counted(self.trades, lambda trade: trade.reason)


def counted(trades: Iterable[BacktestTrade], key: Callable[[BacktestTrade], str]) -> dict[str, Counted]:
    """Trades counted by something they have in common, in the order in which that first appears."""
    groups: dict[str, list[BacktestTrade]] = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    return {name: counted_together(group) for name, group in groups.items()}


def counted_together(trades: Sequence[BacktestTrade]) -> Counted:
    """Trades counted as one group, which may be empty."""
    nets = [trade.net for trade in trades]
    held = sum((trade.closed_at - trade.opened_at for trade in trades), timedelta(0))
    slipped = [trade.slippage for trade in trades]
    return Counted(
        trades=len(trades),
        won=sum(net > 0 for net in nets),
        net=sum(nets),
        gross_profit=sum(net for net in nets if net > 0),
        gross_loss=-sum(net for net in nets if net < 0),
        best=max(nets, default=0.0),
        worst=min(nets, default=0.0),
        held=held / max(len(trades), 1),
        fees=sum(trade.fees for trade in trades),
        slippage=None if None in slipped else sum(each or 0.0 for each in slipped),
    )
