"""The account as people see it: how it stands, its equity over time, its profit or loss by days.

All money is in its quote currency; all times are market time, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine.domain.halt_views import HaltView
from engine.domain.payments import Payment
from engine.domain.results import NO_TRADES, Tally
from engine.domain.trading_states import StateChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The bot at a glance.

    Attributes:
        trading: Whether new entries are possible anywhere.
        no_entry: Why not, where that is no halt: the clock, or an outage of the venue.
        equity: All cash and what is held, at the prices of now.
        began_at: When the account began; ``None`` before its first candle.
        net, share: The profit or loss since the account began, and as a fraction: see ``engine.domain.payments``.
        benchmark: What holding the traded markets has come to since then, as a fraction; ``None`` where not known.
        day_net, day_share, day_benchmark: The same since the day began.
        paid_in, paid_out: What was since the account began.
        prices: The price of each traded market: of now for what is held, else the last close.
        unmanaged: The ids of the positions that no strategy manages.
        deliberations: What a panel thinks about: each market, with the context that would enter it.
        state: How far the bot may trade, since when, why and by whom; ``None`` where nothing was ever halted.
    """

    profile: str
    venue: str
    quote: str
    now: datetime
    trading: bool
    halts: tuple[HaltView, ...]
    equity: Decimal
    cash: Decimal
    exposure: Decimal
    drawdown: Decimal
    day_net: Decimal
    day_share: Decimal | None
    day_benchmark: Decimal | None
    began_at: datetime | None
    net: Decimal
    share: Decimal | None
    benchmark: Decimal | None
    positions: int
    pending: int
    contexts: tuple[str, ...]
    last_cycle_at: datetime | None
    prices: tuple[tuple[str, Decimal], ...]
    no_entry: str = ""
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)
    unmanaged: tuple[str, ...] = ()
    deliberations: tuple[str, ...] = ()
    state: StateChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint:
    """The account at one closed candle.

    Attributes:
        drawdown: As a fraction of the peak of that time.
        benchmark: What 1 held in the traded markets since the beginning had become; ``None`` where not recorded.
        payments: How many of the account's payments are in it: the first so many.
    """

    at: datetime
    equity: Decimal
    cash: Decimal
    drawdown: Decimal
    benchmark: Decimal | None = None
    payments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityCurve:
    """The account over the last days, now included.

    Attributes:
        points: Oldest first, the first at the beginning and the last at the prices of now; thinned to what a picture
            has room for, with the highest and the lowest ones among them.
        net, share: The profit or loss from the first to the last, and as a fraction: see ``engine.domain.payments``.
        benchmark: What holding the traded markets came to, as a fraction; ``None`` where not known.
        max_drawdown: The largest one, from the account's peak of its time.
        payments: All that was ever paid in and out; each point says how many of them are in it.
        paid_in, paid_out: What was between the first and the last point.
    """

    quote: str
    points: tuple[EquityPoint, ...]
    net: Decimal
    share: Decimal | None
    benchmark: Decimal | None
    max_drawdown: Decimal
    payments: tuple[Payment, ...] = ()
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the account owns: currency, quantity, value."""

    quote: str
    rows: tuple[tuple[str, Decimal, Decimal], ...]
    equity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProfit:
    """One day: its profit or loss, net of all fees and without what was paid in or out, and the trades closed in it.

    Attributes:
        share: ``net`` as a fraction: see ``engine.domain.payments``; ``None`` where there was nothing.
        benchmark: What holding the traded markets came to in it, as a fraction; ``None`` where not known.
        paid: What was paid in, less what was paid out.
    """

    day: date
    net: Decimal
    share: Decimal | None
    benchmark: Decimal | None
    equity: Decimal
    closed: int
    paid: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profit:
    """The last days, newest last, and what they come to.

    Attributes:
        begins: When the first of these days began.
        share, benchmark: As those of a day, over all of them.
        closed: The bot's own trades that were closed.
        won: How many of these made money after fees.
        drawdown: Of now, from the account's peak.
        max_drawdown: The largest within these days, each from the account's peak of its time.
        paid_in, paid_out: What was within these days.
        external: The closed trades that somebody else had opened.
    """

    days: tuple[DayProfit, ...]
    begins: datetime
    net: Decimal
    share: Decimal | None
    benchmark: Decimal | None
    fees: Decimal
    closed: int
    won: int
    drawdown: Decimal
    max_drawdown: Decimal
    quote: str
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)
    external: Tally = NO_TRADES
