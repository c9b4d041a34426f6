"""What a venue reports, made by hand: orders that were written down, and fills of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.domain.money import Money
from engine.domain.orders import Fill, Order, OrderRequest, OrderState, OrderStatus, OrderType, Purpose, Side
from engine.ports import VenueEvent
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import at


def order(number: int = 1, **changes: Any) -> Order:
    """An entry of two BTC that was written down; what concerns its request goes into that."""
    usual = OrderRequest(
        client_id=f"{number:032x}",
        venue="paper",
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(2),
    )
    own = {name: changes.pop(name) for name in list(changes) if name in OrderRequest.__slots__}
    made = Order(
        id=f"O{number}",
        request=replace(usual, **own),
        purpose=Purpose.ENTRY,
        context="hand",
        price=Decimal(100),
        status=OrderStatus.INTENT,
        created_at=at(0),
        updated_at=at(0),
        decision_id="D1",
        stop=Decimal(90),
        target=Decimal(120),
    )
    return replace(made, **changes)


def oco(number: int, **changes: Any) -> Order:
    """A stop and a target of T1."""
    usual = {
        "side": Side.SELL,
        "type": OrderType.OCO,
        "purpose": Purpose.PROTECTION,
        "position_id": "T1",
        "reduce_only": True,
    }
    levels = {"trigger_price": Decimal(90), "limit_price": Decimal(120), "stop": None, "target": None}
    return order(number, **{**usual, **levels, **changes})


def leaving(number: int, **changes: Any) -> Order:
    """A sale of T1."""
    usual = {
        "side": Side.SELL,
        "purpose": Purpose.EXIT,
        "position_id": "T1",
        "stop": None,
        "target": None,
        "reduce_only": True,
    }
    return order(number, **{**usual, **changes})


def fill(of: Order, number: int, quantity: Decimal, price: Decimal = Decimal(100), fee: Decimal = Decimal(0)) -> Fill:
    """The venue's n-th fill, n minutes after the start."""
    return Fill(
        venue=of.request.venue,
        trade_id=str(number),
        client_id=of.request.client_id,
        symbol=of.request.symbol,
        side=of.request.side,
        quantity=quantity,
        price=price,
        fee=Money(amount=fee, currency=of.request.symbol.partition("/")[2]),
        at=at(number),
    )


def move_cash(uow: UnitOfWork, of: Fill) -> None:
    """Let a fill move what it moves of the quote currency, and nothing else."""
    uow.ledger.change(of.venue, of.quote, of.moved()[of.quote])


def told(
    number: int, of: Order, fill: Fill | None = None, status: OrderStatus = OrderStatus.OPEN, closed_by: str = ""
) -> VenueEvent:
    """The venue's n-th event."""
    state = OrderState(
        symbol=of.request.symbol,
        side=of.request.side,
        client_id=of.request.client_id,
        venue_order_id=f"V{of.id}",
        status=status,
        quantity=of.request.quantity,
        filled=fill.quantity if fill else Decimal(0),
        fills=(fill,) if fill else (),
        closed_by=closed_by,
    )
    return VenueEvent(at=at(number), order=state, fill=fill)
