"""Positions, trades, fills and what others traded, as people see them; money is in the quote currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.approvals import Approval
from engine.domain.decisions import Decision
from engine.domain.market import Candles
from engine.domain.orders import Fill, Order
from engine.domain.positions import Position
from engine.domain.unmanaged import Absence, Unmanaged


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalView:
    """Something that somebody else did to this account: an order of theirs, or one of ours that they cancelled."""

    order: Order
    position: Position | None
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """An order of which a part has traded.

    Attributes:
        at: Its venue, where the account has several; else empty.
    """

    order: Order
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedView:
    """A position whose stop and target were placed anew.

    Attributes:
        before, after: The two newest orders that have protected it, and that differ.
        at: Its venue, where the account has several; else empty.
    """

    position: Position
    before: Order
    after: Order
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """An open position at the price of now. ``unrealised`` is before, ``net`` after the fees paid so far.

    Attributes:
        share: ``net`` as a fraction of what it cost; ``None`` where that is not known.
        unmanaged: Why no strategy manages it; ``None`` where one does, and for what somebody else looks after.
        at: Its venue, where the account has several; else empty.
    """

    position: Position
    price: Decimal
    value: Decimal
    unrealised: Decimal
    net: Decimal
    share: Decimal | None
    protected: bool
    unmanaged: Absence | None = None
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedView:
    """A time in which no strategy manages a position, and how that stands now.

    Attributes:
        followed: Whether the venue has its market: else its stop waits, and it cannot be sold.
    """

    told: Unmanaged
    held: PositionView
    followed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeView:
    """A trade from its decision to its end.

    Attributes:
        decision: What it was opened for; ``None`` where somebody else did that.
        asked: The approval that people answered; ``None`` where nobody was asked.
        sales: The orders that sold of it, oldest first.
        exit: The decision that closed it; ``None`` where none did.
        last_slice: The newest slice of its entry; ``None`` where it was bought at once.
        at: Its venue, where the account has several; else empty.
    """

    position: Position
    decision: Decision | None = None
    asked: Approval | None = None
    sales: tuple[Order, ...] = ()
    exit: Decision | None = None
    last_slice: Order | None = None
    at: str = ""


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
    """A fill with what it belongs to.

    Attributes:
        fee_value: What its fee was worth, in the quote currency.
    """

    id: str
    fill: Fill
    fee_value: Decimal
    order_id: str
    position_id: str
