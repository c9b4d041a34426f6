"""Plans, orders, fills, positions: what is to be traded, and what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from engine.domain.market import Book, Market

_ORDERS = UUID("6b1f0a52-6f6e-5d0e-9f53-9d4f0d1f7c11")


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """How an order asks to be filled."""

    MARKET = "market"
    BRACKET = "bracket"
    """A stop and a target of which one cancels the other; it only reduces."""


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    INTENT = "intent"
    """Written down, perhaps not sent."""
    OPEN = "open"
    """The venue has it."""
    UNKNOWN = "unknown"
    """Sent, and the answer was lost: the venue must be asked."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)


class Purpose(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    EXIT = "exit"
    PROTECTION = "protection"
    EXTERNAL = "external"
    """Somebody else's order on the same account: it is in the books, and nobody here sent it."""


EXTERNAL = "external"
"""The context of positions that somebody else opened."""


def client_id(*parts: str) -> str:
    """The id under which an order is sent: 32 hex digits that follow from what it is for, so they fit every venue."""
    return uuid5(_ORDERS, "|".join(parts)).hex


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """What would be traded.

    Attributes:
        quantity: In the base currency, a whole number of lots.
        price: The price it was planned at, in the quote currency.
        stop, target: Protective prices; none on an exit.
        reduce_only: Whether it can only make the account safer.
        position_id: The position it reduces, on an exit.
    """

    key: str
    context: str
    market: str
    side: Side
    quantity: Decimal
    price: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None
    reduce_only: bool = False
    position_id: str | None = None

    @property
    def notional(self) -> Decimal:
        """Its value in the quote currency."""
        return self.quantity * self.price

    @property
    def risk(self) -> Decimal:
        """What is lost if the stop fills at its price, in the quote currency; the whole value without a stop."""
        return self.quantity * (self.price - self.stop) if self.stop is not None else self.notional

    def resized(self, quantity: Decimal) -> TradePlan:
        """The same plan for another quantity."""
        return replace(self, quantity=quantity)

    def halved(self, market: Market) -> TradePlan:
        """Half of it, rounded down to whole lots."""
        return self.resized(market.quantity(market.lots(self.quantity / 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamp:
    """A rule that changed or stopped a plan: what it was, what it became, why."""

    rule: str
    before: Decimal
    after: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the risk rules left of a plan."""

    plan: TradePlan
    clamps: tuple[Clamp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A plan that the risk rules stopped."""

    reasons: tuple[str, ...]
    clamps: tuple[Clamp, ...] = ()


Judgement = Allowed | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An order as it is sent to a venue.

    Attributes:
        quantity: In the base currency.
        stop, target: The two prices of a bracket.
    """

    client_id: str
    market: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A part of an order that traded.

    Attributes:
        venue_id: The venue's own id of it; counted once however often it is reported.
        price: In the quote currency.
        fee: In the quote currency.
    """

    venue_id: str
    client_id: str
    market: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The venue has the order."""

    client_id: str
    venue_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The venue refused the order, and says why."""

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The order was sent and the answer lost. It may be there or not: ask for it, never send it again blindly."""

    client_id: str
    reason: str


Sent = Ack | Rejected | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What the venue knows of an order."""

    client_id: str
    venue_id: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    fills: tuple[Fill, ...] = ()
    closed_by: str = ""
    """For a bracket that filled: ``stop`` or ``target``; ``payout`` where what it was to sell is no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The venue does not know such an order."""

    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What one context holds of one market: the sum of its distinct fills.

    Attributes:
        quantity: In the base currency; 0 once closed.
        entry_price: Mean price of what was bought, in the quote currency.
        fees: Paid so far, in the quote currency.
        realised: Profit of what was sold, before fees, in the quote currency.
        bought, cost: All that was ever bought of it, in the base currency, and what that came to before fees, in the
            quote currency.
        closed_by_person: The person who closed it, where ``closed_by`` is ``close``.
    """

    id: str
    context: str
    market: str
    quantity: Decimal
    entry_price: Decimal
    opened_at: datetime
    stop: Decimal | None = None
    target: Decimal | None = None
    fees: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    closed_at: datetime | None = None
    closed_by: str = ""
    bought: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    closed_by_person: str = ""

    @property
    def is_open(self) -> bool:
        """Whether anything of it is still held."""
        return self.closed_at is None

    def unrealised(self, price: Decimal) -> Decimal:
        """What selling the rest at a price would make, before fees."""
        return self.quantity * (price - self.entry_price)

    @property
    def net(self) -> Decimal:
        """What it has made so far, after fees."""
        return self.realised - self.fees

    @property
    def sold(self) -> Decimal:
        """How much of it was sold, in the base currency."""
        return self.bought - self.quantity

    @property
    def exit_price(self) -> Decimal | None:
        """Mean price of what was sold; ``None`` as long as that is nothing."""
        proceeds = self.realised + self.cost - self.quantity * self.entry_price
        return proceeds / self.sold if self.sold > 0 else None

    @property
    def is_external(self) -> bool:
        """Whether somebody else opened it at the venue: no win or loss of the bot's."""
        return self.context == EXTERNAL

    @property
    def fee_rate(self) -> Decimal:
        """What was paid in fees for each unit of value that was bought and sold of it."""
        traded = self.cost + self.sold * (self.exit_price or 0)
        return self.fees / traded if traded > 0 else Decimal(0)

    def made_by(self, quantity: Decimal, price: Decimal, fee: Decimal | None = None) -> Decimal:
        """What selling so much of it at a price makes, after the fees of its purchase and of the sale.

        Args:
            quantity: In the base currency.
            price: In the quote currency.
            fee: Of the sale; without it, at the rate that was paid so far.
        """
        bought_for = quantity * self.entry_price
        sold_for = quantity * price
        return sold_for - bought_for - bought_for * self.fee_rate - (sold_for * self.fee_rate if fee is None else fee)

    def share(self, net: Decimal) -> Decimal | None:
        """A profit or loss of it as a fraction of its cost; ``None`` where that is not known."""
        return net / self.cost if self.cost > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """An unfinished buying order: what it may still cost, at the price it was planned at, in the quote currency."""

    order_id: str
    context: str
    market: str
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The account at one moment, in the quote currency.

    Attributes:
        cash: What is free to spend: what open orders may still cost is taken off.
        equity: All cash and every position at its mark price.
        peak: The highest equity since the account began; money paid in or out moves it in proportion.
        buying: The unfinished buying orders.
        paused_at: The drawdown at which entries were last paused for it; 0 once it has been made good.
        total_from: What the total limit counts from where an admin has let entries go on after it was reached: the
            highest equity since then; ``None`` for the peak.
        quote: The currency.
    """

    cash: Decimal
    equity: Decimal
    peak: Decimal
    positions: tuple[Position, ...] = ()
    marks: dict[str, Decimal] | None = None
    buying: tuple[Buying, ...] = ()
    paused_at: Decimal = Decimal(0)
    total_from: Decimal | None = None
    quote: str = ""

    @property
    def drawdown(self) -> Decimal:
        """How far equity is below its peak, as a fraction of the peak."""
        return fall(self.peak, self.equity)

    @property
    def total_fall(self) -> Decimal:
        """How far equity is below what the total limit counts from, as a fraction of that."""
        return fall(self.peak if self.total_from is None else self.total_from, self.equity)

    @property
    def reserved(self) -> Decimal:
        """What open buying orders may still cost."""
        return sum((order.value for order in self.buying), Decimal(0))

    def mark(self, position: Position) -> Decimal:
        """The price a position is valued at: its market's last known one, else its entry."""
        return (self.marks or {}).get(position.market, position.entry_price)

    @property
    def exposure(self) -> Decimal:
        """The value of everything held, and of what open orders may still buy."""
        return sum((p.quantity * self.mark(p) for p in self.positions), self.reserved)

    def valued(self, prices: Mapping[str, Decimal]) -> Portfolio:
        """The same account at other prices, where there are any; its peak is never below its equity."""
        now = replace(self, marks={**(self.marks or {}), **prices})
        equity = now.cash + now.exposure
        return replace(now, equity=equity, peak=max(self.peak, equity))


def fall(highest: Decimal, equity: Decimal) -> Decimal:
    """How far equity is below a height, as a fraction of it; 0 at or above it."""
    return max(Decimal(0), (highest - equity) / highest) if highest > 0 else Decimal(0)


class HaltKind(StrEnum):
    """Why entries are stopped."""

    PAUSE = "pause"
    DRAWDOWN = "drawdown"
    DATA = "data"
    CHANGED = "changed"
    """A market's series is no longer of what it was; people have a look and end it."""
    EMERGENCY = "emergency"
    """Somebody called for everything to be sold; only an admin ends it."""
    STORE = "store"
    """Nothing could be written down for a while."""
    REFUSED = "refused"
    """The venue refuses again and again to protect or to sell what is held."""
    LEDGER = "ledger"
    """More was sold than a position held; only an admin ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A reason for no new entries; exits go on under every one of them.

    Attributes:
        market: The only market it concerns; empty for all.
        until: When it ends by itself; ``None`` until somebody ends it.
        by: Who or what called for it: a person, or the candles that are bad.
    """

    kind: HaltKind
    reason: str
    since: datetime
    until: datetime | None = None
    market: str = ""
    by: str = ""

    @property
    def is_emergency(self) -> bool:
        """Whether it is an emergency stop."""
        return self.kind is HaltKind.EMERGENCY

    @property
    def is_total(self) -> bool:
        """Whether it is for the total limit of a drawdown, which does not end by itself."""
        return self.kind is HaltKind.DRAWDOWN and self.until is None

    def concerns(self, market: str) -> bool:
        """Whether it is about a market."""
        return self.market in ("", market)

    def stops(self, market: str, now: datetime) -> bool:
        """Whether it stops entries into a market now."""
        return self.concerns(market) and (self.until is None or now < self.until)

    def lasts(self, until: datetime | None) -> bool:
        """Whether it ends no sooner than that by itself; ``None`` for what only people end."""
        return self.until is None or (until is not None and until <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStats:
    """Numbers the risk rules need beside the book.

    Attributes:
        close: The newest closed price.
        atr: Average True Range of the trading timeframe; ``None`` where history is too short.
    """

    close: Decimal
    atr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """Everything the risk rules may look at.

    Attributes:
        no_entry: Why nothing is entered on what is known of the market, e.g. a clock that is wrong; empty where it is.
    """

    market: Market
    portfolio: Portfolio
    book: Book
    stats: MarketStats
    halts: tuple[Halt, ...]
    now: datetime
    no_entry: str = ""
