"""The paper venue's rows: what an order is between calls, and how money and times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.money import Money
from engine.domain.orders import Fill, OrderRequest, OrderState, OrderStatus, OrderType, Side

OrderRow = tuple[int, str, str, str, str, str, str | None, str | None, str, str, str, str, str, str]
FillRow = tuple[int, str, str, str, str, str, str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue keeps it.

    Attributes:
        reserve_price: What the open rest of a buy is assumed to cost at worst, before the fee; 0 for a sell.
        closed_by: For a bracket that was triggered: ``stop`` or ``target``; ``payout`` for a sale that a change ended.
        reason: Why it was cancelled.
    """

    venue_id: int
    request: OrderRequest
    at: datetime
    status: OrderStatus = OrderStatus.OPEN
    filled: Decimal = Decimal(0)
    reserve_price: Decimal = Decimal(0)
    closed_by: str = ""
    reason: str = ""

    @property
    def rest(self) -> Decimal:
        """What has not traded yet."""
        return self.request.quantity - self.filled

    @property
    def waits_for_price(self) -> bool:
        """Whether it is a bracket that the market has not reached."""
        return self.request.type is OrderType.OCO and not self.closed_by


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
        closed_by=order.closed_by,
    )


def order_of(row: OrderRow, venue: str) -> VenueOrder:
    """Read a row of ``orders`` of the venue with that name."""
    venue_id, client_id, market, side, kind, quantity, stop, target, status, filled, reserve, by, reason, at = row
    request = OrderRequest(
        client_id=client_id,
        venue=venue,
        symbol=market,
        side=Side(side),
        type=OrderType(kind),
        quantity=Decimal(quantity),
        trigger_price=None if stop is None else Decimal(stop),
        limit_price=None if target is None else Decimal(target),
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


def money(amount: Decimal) -> str:
    """Write money as plain decimal text, without an exponent."""
    return format(amount, "f")


def time(at: datetime) -> str:
    """Write a time as ISO 8601, always of the same length."""
    return at.isoformat(timespec="microseconds")
