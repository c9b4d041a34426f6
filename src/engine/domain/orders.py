"""Orders and their fills: what is sent to a venue, what it answers, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from engine.domain.money import Money

_ORDERS = UUID("6b1f0a52-6f6e-5d0e-9f53-9d4f0d1f7c11")


TAKEN_BACK = "taken back"
"""How the reason of every order begins that this program cancels."""
NOT_SENT = "not sent"
"""How the reason of every order begins that was written down and is not handed to the venue after all."""
NEVER_ARRIVED = "it never reached the venue"
"""How the reason of every order begins that the venue does not know."""
LOST = f"{NEVER_ARRIVED}: its request was lost"
"""How that of one begins which was sent; the others were written down when the bot stopped."""


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """How an order asks to be filled."""

    MARKET = "market"
    OCO = "oco"
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


def client_id(*parts: str) -> str:
    """The id under which an order is sent: 32 hex digits that follow from what it is for, so they fit every venue."""
    return uuid5(_ORDERS, "|".join(parts)).hex


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order as it is sent to a venue.

    Attributes:
        venue: The venue's name.
        quantity: In the base currency.
        stop, target: The two prices of a bracket.
    """

    client_id: str
    venue: str
    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it was written down: what is sent, what it is for, and what has become of it.

    Attributes:
        price: What it was planned at, in the quote currency.
        updated_at: When its status or what is filled of it last changed.
        filled, cost, fee: What has traded of it, in the base currency; what that came to and what its fees were worth,
            in the quote currency.
        asked_by: The person who asked for it; empty where the bot decided, or people answered its question.
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

    @property
    def rest(self) -> Decimal:
        """What has not traded yet, in the base currency."""
        return self.request.quantity - self.filled

    @property
    def was_refused(self) -> bool:
        """Whether the venue said no to it; what was held back here, or lost on its way, the venue never saw."""
        return self.status is OrderStatus.REJECTED and not self.reason.startswith((NOT_SENT, NEVER_ARRIVED))

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
    """What the venue knows of an order."""

    symbol: str
    side: Side
    client_id: str
    venue_order_id: str
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
