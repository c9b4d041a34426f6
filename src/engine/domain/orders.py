"""Orders and their fills: what is sent to a venue, what it answers, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from engine.domain.market import Listing
from engine.domain.money import Money

_ORDERS = UUID("6b1f0a52-6f6e-5d0e-9f53-9d4f0d1f7c11")


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order asks to be filled."""

    MARKET = "market"
    LIMIT = "limit"
    """At its limit price or better."""
    STOP = "stop"
    """At market once the price is at its trigger price or beyond: below it for a sale, above it for a purchase."""
    STOP_LIMIT = "stop_limit"
    """As a stop, and from then on as a limit."""
    TAKE_PROFIT = "take_profit"
    """At market once the price is at its trigger price or better."""
    TRAILING_STOP = "trailing_stop"
    """A stop whose trigger price follows the best price at a distance."""
    OCO = "oco"
    """A stop (its trigger price) and a target (its limit price) of which one cancels the other; it only reduces."""


class TimeInForce(StrEnum):
    """How long an order waits for what it does not get at once."""

    GTC = "gtc"
    """Until it is cancelled."""
    IOC = "ioc"
    """Not at all: the rest expires."""
    FOK = "fok"
    """Not at all: where it cannot be filled whole, nothing of it is."""


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    INTENT = "intent"
    """Written down, not sent."""
    SENT = "sent"
    """About to be handed to the venue, or handed to it; there is no answer yet."""
    OPEN = "open"
    """The venue has it."""
    PARTLY_FILLED = "partly_filled"
    """The venue has it, and some of it has traded."""
    CANCELLING = "cancelling"
    """The venue had it when it was asked to cancel the rest."""
    UNKNOWN = "unknown"
    """Sent, and the answer was lost: the venue must be asked."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Its time was up before all of it had traded."""

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)

    @property
    def in_doubt(self) -> bool:
        """Whether the venue must be asked what has become of it."""
        return self in (OrderStatus.SENT, OrderStatus.UNKNOWN)

    @property
    def at_venue(self) -> bool:
        """Whether the venue has it, as far as is known."""
        return self in (OrderStatus.OPEN, OrderStatus.PARTLY_FILLED, OrderStatus.CANCELLING)


class Unsent(StrEnum):
    """Why the venue never had an order that ended; empty for one that it had, or refused."""

    NO = ""
    WITHHELD = "withheld"
    """It was written down, and not handed to the venue after all."""
    STOPPED = "stopped"
    """The program stopped before it was sent."""
    LOST = "lost"
    """It was sent, and never arrived."""


class Purpose(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    EXIT = "exit"
    PROTECTION = "protection"
    EXTERNAL = "external"
    """Somebody else's order on the same account: it is in the books, and nobody here sent it."""


def client_id(key: str, child: int = 0) -> str:
    """The id under which an order is sent: 32 hex digits that follow from what it is for, so they fit every venue.

    Args:
        key: What it is for.
        child: Which of those that take its place, counted from 1; 0 for itself.
    """
    return uuid5(_ORDERS, f"{key}|{child}" if child else key).hex


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order as it is sent to a venue.

    Attributes:
        venue: The venue's name.
        quantity: In the base currency.
        limit_price: The worst price it may be filled at, in the quote currency; of an OCO its target.
        trigger_price: The price at which it begins to act; of an OCO its stop.
        trailing: How far the trigger price of a trailing stop is from the best price, in the quote currency.
        post_only: Whether it is refused where it would be filled at once.
        reduce_only: Whether it can only make a position smaller.
        parent_id: The client id of the order that it is a part of, adds to or takes the place of; empty for none.
    """

    client_id: str
    venue: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    trailing: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    parent_id: str = ""

    @property
    def listing(self) -> Listing:
        """The market at its venue."""
        return Listing(self.venue, self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it was written down: what is sent, what it is for, and what has become of it.

    Attributes:
        price: What it was planned at, in the quote currency.
        updated_at: When its status or what is filled of it last changed.
        filled, cost, fee: What has traded of it, in the base currency; what that came to and what its fees were worth,
            in the quote currency.
        stop, target: The protective prices of what an entry opens, in the quote currency.
        asked_by: The person who asked for it; empty where the bot decided, or people answered its approval.
        wait_until: When what is left of it is no longer waited for; ``None`` for never.
        worst_price: Up to which price that is then bought at market; ``None`` where it is given up.
        expected: The mean price at which the book that it was judged by would have filled it at market; ``None`` where
            nobody looked, or the book held less.
        to_follow: What was still to be bought after it in slices, in the base currency; ``None`` for no slice, and the
            last.
        follows_at: When the next slice is due; ``None`` where none follows, or it was written down.
        cancel_requested_at: When this program asked the venue to cancel it; ``None`` where it did not.
        unsent: Why the venue never had it, where it has ended so.
        venue_order_id: What the venue calls it; empty where that is not known.
    """

    id: str
    request: OrderRequest
    purpose: Purpose
    context: str
    price: Decimal
    status: OrderStatus
    created_at: datetime
    updated_at: datetime
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    decision_id: str = ""
    approval_id: str = ""
    position_id: str = ""
    reason: str = ""
    asked_by: str = ""
    stop: Decimal | None = None
    target: Decimal | None = None
    wait_until: datetime | None = None
    worst_price: Decimal | None = None
    expected: Decimal | None = None
    to_follow: Decimal | None = None
    follows_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    unsent: Unsent = Unsent.NO
    venue_order_id: str = ""

    @property
    def rest(self) -> Decimal:
        """What has not traded yet, in the base currency."""
        return self.request.quantity - self.filled

    @property
    def levels(self) -> tuple[Decimal | None, Decimal | None]:
        """Stop and target, in the quote currency: an OCO's own prices, or those of what an entry opens."""
        if self.request.type is OrderType.OCO:
            return self.request.trigger_price, self.request.limit_price
        return self.stop, self.target

    @property
    def was_refused(self) -> bool:
        """Whether the venue said no to it; what was held back here, or lost on its way, the venue never saw."""
        return self.status is OrderStatus.REJECTED and self.unsent is Unsent.NO

    @property
    def never_arrived(self) -> bool:
        """Whether it was held never to have reached the venue; it may have, all the same."""
        return self.unsent in {Unsent.LOST, Unsent.STOPPED}

    @property
    def average(self) -> Decimal | None:
        """Mean price of what has traded; ``None`` as long as that is nothing."""
        return self.cost / self.filled if self.filled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A part of an order that traded, counted once for its venue, symbol and trade id, however often it is reported.

    Attributes:
        trade_id: The venue's own id of it, among the trades of this symbol.
        quantity: In the base currency, before a fee that is taken from it.
        price: In the quote currency.
        fee: In whichever currency the venue took it; ``None`` as long as it has not said.
    """

    venue: str
    symbol: str
    trade_id: str
    client_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Money | None
    at: datetime

    @property
    def base(self) -> str:
        """The currency that was bought or sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency that was paid or received."""
        return self.symbol.partition("/")[2]

    @property
    def value(self) -> Decimal:
        """What was paid or received for it without fees, in the quote currency."""
        return self.quantity * self.price

    def fee_in(self, currency: str) -> Decimal:
        """What the fee took of a currency; 0 where it was taken in another, or is not known yet."""
        return self.fee.amount if self.fee is not None and self.fee.currency == currency else Decimal(0)

    def moved(self) -> dict[str, Decimal]:
        """What it added to the account, by currency, fee included; below 0 for what it took."""
        sign = 1 if self.side is Side.BUY else -1
        moves = {self.base: sign * self.quantity, self.quote: -sign * self.value}
        if self.fee is not None:
            moves[self.fee.currency] = moves.get(self.fee.currency, Decimal(0)) - self.fee.amount
        return moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The venue has the order."""

    client_id: str
    venue_order_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The venue refused the order, and says why."""

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The order was sent and the answer lost. It may be there or not: ask for it, never send it again blindly."""

    client_id: str
    reason: str


SubmitResult = Ack | Refused | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What the venue knows of an order.

    Attributes:
        type, limit_price, trigger_price: As those of an ``OrderRequest``.
    """

    symbol: str
    side: Side
    client_id: str
    venue_order_id: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    fills: tuple[Fill, ...] = ()
    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    closed_by: str = ""
    """For one that waited for a stop or target, and met it: which; ``payout`` where what it was to sell is no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The venue does not know such an order.

    Attributes:
        client_id: Its id.
        late_within: For how long its request may still arrive and be taken; ``None`` where that is not known.
    """

    client_id: str
    late_within: timedelta | None = None
