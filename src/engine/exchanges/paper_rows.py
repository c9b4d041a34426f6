"""The paper venue's rows: what an order is between calls, and how money and times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.money import Money
from engine.domain.orders import Fill, OrderRequest, OrderState, OrderStatus, OrderType, Side, TimeInForce

OrderRow = tuple[
    int, str, str, str, str, str, str | None, str | None, str, str, str, str, str, str,
    str | None, str, int, int, str | None,
]  # fmt: skip
FillRow = tuple[int, str, str, str, str, str, str, str, str | None]

AT_A_TRIGGER = frozenset(OrderType) - {OrderType.MARKET, OrderType.LIMIT}
"""What waits for a price before it does anything."""
_AT_A_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOP, TARGET, PAYOUT = "stop", "target", "payout"
"""What makes an order act: a stop or a target that was reached, or the end of what is traded under its symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue keeps it.

    Attributes:
        reserve_price: What the open rest of a buy is assumed to cost at worst, before the fee; 0 for a sell.
        closed_by: For one that waited for its trigger, and was triggered: ``stop`` or ``target``; ``payout`` for a
            sale that a change ended.
        reason: Why it was cancelled, or expired.
        best: Of a trailing stop the best price since it was placed; a sale's highest, a purchase's lowest.
    """

    venue_id: int
    request: OrderRequest
    at: datetime
    status: OrderStatus = OrderStatus.OPEN
    filled: Decimal = Decimal(0)
    reserve_price: Decimal = Decimal(0)
    closed_by: str = ""
    reason: str = ""
    best: Decimal | None = None

    @property
    def rest(self) -> Decimal:
        """What has not traded yet."""
        return self.request.quantity - self.filled

    @property
    def waits_for_price(self) -> bool:
        """Whether it acts at a trigger that the market has not reached."""
        return not self.closed_by and self.request.type in AT_A_TRIGGER

    @property
    def rests(self) -> bool:
        """Whether it acts, at a limit."""
        return self.request.type in _AT_A_LIMIT and not self.waits_for_price

    @property
    def goes_on(self) -> bool:
        """Whether it acts, at market."""
        return self.request.type not in _AT_A_LIMIT and not self.waits_for_price

    @property
    def is_stop(self) -> bool:
        """Whether it is a stop that was reached: it trades whole."""
        return self.closed_by == STOP and self.goes_on


def state_of(order: VenueOrder, status: OrderStatus, fills: tuple[Fill, ...]) -> OrderState:
    """An order as the venue tells of it, with some of its fills."""
    return OrderState(
        symbol=order.request.symbol,
        side=order.request.side,
        client_id=order.request.client_id,
        venue_order_id=str(order.venue_id),
        status=status,
        quantity=order.request.quantity,
        filled=sum((fill.quantity for fill in fills), Decimal(0)),
        fills=fills,
        type=order.request.type,
        limit_price=order.request.limit_price,
        trigger_price=order.request.trigger_price,
        closed_by=order.closed_by,
    )


def order_of(row: OrderRow, venue: str) -> VenueOrder:
    """Read a row of ``orders`` of the venue with that name."""
    venue_id, client_id, market, side, kind, quantity, trigger, limit, status, filled, reserve, by, reason, at = row[
        :14
    ]
    trailing, time_in_force, post_only, reduce_only, best = row[14:]
    request = OrderRequest(
        client_id=client_id,
        venue=venue,
        symbol=market,
        side=Side(side),
        type=OrderType(kind),
        quantity=Decimal(quantity),
        trigger_price=_amount(trigger),
        limit_price=_amount(limit),
        trailing=_amount(trailing),
        time_in_force=TimeInForce(time_in_force),
        post_only=bool(post_only),
        reduce_only=bool(reduce_only),
    )
    return VenueOrder(
        venue_id=venue_id,
        request=request,
        at=datetime.fromisoformat(at),
        status=OrderStatus(status),
        filled=Decimal(filled),
        reserve_price=Decimal(reserve),
        closed_by=by,
        reason=reason,
        best=_amount(best),
    )


def fill_of(row: FillRow, venue: str) -> Fill:
    """Read a row of ``fills`` of the venue with that name."""
    venue_id, client_id, market, side, quantity, price, fee, at, fee_currency = row
    return Fill(
        venue=venue,
        trade_id=str(venue_id),
        client_id=client_id,
        symbol=market,
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Money(amount=Decimal(fee), currency=fee_currency or market.partition("/")[2]),
        at=datetime.fromisoformat(at),
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def optional(amount: Decimal | None) -> str | None:
    """Write money that need not be there."""
    return None if amount is None else money(amount)


def money(amount: Decimal) -> str:
    """Write money as plain decimal text, without an exponent."""
    return format(amount, "f")


def time(at: datetime) -> str:
    """Write a time as ISO 8601, always of the same length."""
    return at.isoformat(timespec="microseconds")
