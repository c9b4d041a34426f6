"""What people may see: the answers of ``engine.views``, ready for cards, pages and the API.

All money is in the quote currency of the account unless a field says otherwise; all times are market time, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.domain.approvals import Approval
from engine.domain.closing import Closing
from engine.domain.decisions import Decision, Judged
from engine.domain.halts import Halt
from engine.domain.market import Candles
from engine.domain.orders import Fill, Order
from engine.domain.payments import Payment
from engine.domain.positions import Position
from engine.domain.results import NO_TRADES, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltView:
    """A halt with its id; that is empty as long as the halt cannot be written down."""

    id: str
    halt: Halt
    ended_at: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """What a call for a pause came to.

    Attributes:
        holds: The pause that is in force now: the new one, or one that lasts at least as long.
        ended: The shorter ones whose place it has taken.
        beside: What else stops entries everywhere.
    """

    holds: HaltView
    is_new: bool
    ended: tuple[HaltView, ...]
    beside: tuple[HaltView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How entries come back after a drawdown halt.

    Attributes:
        drawdown: Of now.
        size: What the drawdown leaves of the usual sizes of entries, as a fraction; 1 for all of it.
        whole_from: The equity from which on they have their usual size.
        standing: What stops entries all the same.
    """

    halt: HaltView
    quote: str
    drawdown: Decimal
    size: Decimal
    whole_from: Decimal
    standing: HaltView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Losses in a row of one strategy context.

    Attributes:
        since: When the first of them was closed.
        first, last: The ids of the first and the newest of the trades that lost.
        equity: Of the account when the first was opened.
        net: What they came to, after fees.
        ended_by: The trade that did not lose.
    """

    id: str
    context: str
    quote: str
    since: datetime
    first: str
    last: str
    equity: Decimal
    losses: int = 0
    net: Decimal = Decimal(0)
    ended_at: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What an emergency stop would end: orders that could still buy, everything held, how many open questions."""

    entries: tuple[Order, ...]
    positions: tuple[Position, ...]
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyView:
    """How far an emergency stop is.

    Attributes:
        note: What it does now, or what keeps it from it.
        closed: What was sold since it was called.
    """

    halt: HaltView
    note: str
    left: Exposed
    closed: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalView:
    """Something that somebody else did to this account: an order of theirs, or one of ours that they cancelled."""

    order: Order
    position: Position | None
    protected: bool


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
class PositionView:
    """An open position at the price of now. ``unrealised`` is before, ``net`` after the fees paid so far.

    Attributes:
        share: ``net`` as a fraction of what it cost; ``None`` where that is not known.
    """

    position: Position
    price: Decimal
    value: Decimal
    unrealised: Decimal
    net: Decimal
    share: Decimal | None
    protected: bool


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """A wish to close positions, and what has become of it.

    Attributes:
        now: When it was looked at.
        orders: The sales, by position.
        positions: The positions that it names, as they are now.
        protected: The ids of those that have a stop at the venue.
        wall_left: How long it can still be confirmed by the clock of people; ``None`` where the market's is theirs.
    """

    closing: Closing
    now: datetime
    wall_left: timedelta | None = None
    orders: Mapping[str, Order] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """An approval with what it is about.

    Attributes:
        now: When it was looked at.
        price: Of then; ``None`` where it is not known.
        halt: What stops entries into its market then; ``None`` where nothing does.
        wall_left: How long it can still be answered by the clock of people; ``None`` where the market's is theirs.
    """

    approval: Approval
    decision: Decision
    now: datetime
    price: Decimal | None
    order: Order | None = None
    position: Position | None = None
    halt: HaltView | None = None
    wall_left: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Everything that led to one decision and what became of it; ``trade`` is that of ``position``."""

    judged: Judged
    approval: Approval | None = None
    order: Order | None = None
    position: Position | None = None
    trade: TradeView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeView:
    """A trade from its decision to its end.

    Attributes:
        decision: What it was opened for; ``None`` where somebody else did that.
        asked: The question that people answered; ``None`` where nobody was asked.
        sales: The orders that sold of it, oldest first.
        exit: The decision that closed it; ``None`` where none did.
    """

    position: Position
    decision: Decision | None = None
    asked: Approval | None = None
    sales: tuple[Order, ...] = ()
    exit: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeCandles:
    """A trade with the candles around it.

    Attributes:
        price: Of now, where it is open and that is known.
    """

    trade: TradeView
    candles: Candles
    now: datetime
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillView:
    """A fill with what it belongs to."""

    id: str
    fill: Fill
    order_id: str
    position_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's figures, fixed when the day ended, or later where that was missed; or those of a week.

    Attributes:
        id: The date of the day, e.g. 2026-01-31: see ``engine.domain.days``. Of a week 2026-W05: see ``weeks``.
        begins: When the day before ended: between days no time is lost, whatever their end was set to.
        net: Profit or loss of the day: realised and unrealised, after fees, without what was paid in or out.
        share: That as a fraction: see ``engine.domain.payments``; ``None`` for days fixed by older versions.
        benchmark: What holding the traded markets came to in it, as a fraction; ``None`` where not known.
        opened, closed, won: The bot's own trades.
        realised: Of those closed in the day, after their fees.
        equity_curve: The equity at each mark of the day, oldest first, without what was paid in or out within it.
        asked, answered, expired: Approvals asked, answered (either way), expired within the day.
        open_risk: What is lost if every open stop fills at its price.
        external, external_net: The closed trades that somebody else had opened, and what they came to after fees.
        external_cost: What these had cost, before fees; ``None`` where not known, as of days fixed by older versions.
        paid_in, paid_out: What was within the day.
        payments: How many of the account's payments are in ``equity``: the first so many.
    """

    id: str
    begins: datetime
    ends: datetime
    quote: str
    net: Decimal
    realised: Decimal
    fees: Decimal
    equity: Decimal
    drawdown: Decimal
    equity_curve: tuple[Decimal, ...]
    opened: int
    closed: int
    won: int
    open_positions: int
    open_risk: Decimal
    asked: int
    answered: int
    expired: int
    share: Decimal | None = None
    benchmark: Decimal | None = None
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)
    payments: int = 0
    external: int = 0
    external_net: Decimal = Decimal(0)
    external_cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something a person did or tried. ``person`` is empty for strangers."""

    id: str
    at: datetime
    wall_at: datetime
    platform: str
    user: str
    person: str
    action: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody who wrote and is not listed; times are the wall's. The name is their own choice, and may be empty."""

    platform: str
    user: str
    name: str
    first_at: datetime
    last_at: datetime
    times: int


MOST_TOLD = 7
"""How many days that were missed people are told of, each by itself: the newest. Of the others /profit tells."""
STORE = "store"
"""The part of the program that keeps everything."""
MARKET_DATA = "market data"
"""What a real venue's prices are called among the parts that can be in trouble; it is no platform, and told alike."""
CLOCK = "clock"
"""Whether this machine's clock agrees with a real venue's: a part as well, and told alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTrouble:
    """One time that a platform was not well; ``text`` says what was wrong, last of all."""

    id: str
    platform: str
    text: str
    since: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The health of one part of the program."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the log that was a warning or worse, on one line and with its secrets masked; the time is the wall's.

    Attributes:
        level: ``warning``, ``error`` or ``critical``.
        logger: Which part wrote it.
        text: What it says: any text, strangers' words among it.
    """

    at: datetime
    level: str
    logger: str
    text: str
