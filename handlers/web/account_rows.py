"""The API's rows about the account. Each has an ``id`` and a ``status``, times in ISO 8601 UTC, money as strings."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, PlainSerializer

from engine.domain.reports import FillView, HaltView, OrderView, PositionView, Status
from engine.domain.trading import Position

Money = Annotated[Decimal, PlainSerializer(lambda value: f"{value:f}", return_type=str)]
"""An exact amount, written out in full: ``"0.00000001"``, never ``1E-8``."""


class HaltRow(BaseModel):
    """A reason for no new entries; its ``id`` is empty as long as it cannot be written down."""

    id: str
    status: Literal["active", "ended"]
    kind: str
    reason: str
    market: str
    by: str
    since: AwareDatetime
    until: AwareDatetime | None
    ended_at: AwareDatetime | None
    ended_by: str

    @classmethod
    def of(cls, view: HaltView) -> Self:
        """A halt as a row."""
        halt = view.halt
        return cls(
            id=view.id,
            status="ended" if view.ended_at else "active",
            kind=halt.kind,
            reason=halt.reason,
            market=halt.market,
            by=halt.by,
            since=halt.since,
            until=halt.until,
            ended_at=view.ended_at,
            ended_by=view.ended_by,
        )


class PriceRow(BaseModel):
    """The last known price of a market."""

    market: str
    price: Money


class StatusRow(BaseModel):
    """The bot at a glance; ``drawdown`` is a fraction of the account's peak."""

    id: str
    status: Literal["trading", "paused"]
    version: str
    profile: str
    venue: str
    quote: str
    now: AwareDatetime
    equity: Money
    cash: Money
    exposure: Money
    drawdown: Money
    day_net: Money
    positions: int
    pending: int
    contexts: list[str]
    last_cycle_at: AwareDatetime | None
    prices: list[PriceRow]
    halts: list[HaltRow]

    @classmethod
    def of(cls, status: Status, version: str) -> Self:
        """The status as a row; its id is the profile's name."""
        return cls(
            id=status.profile,
            status="trading" if status.trading else "paused",
            version=version,
            profile=status.profile,
            venue=status.venue,
            quote=status.quote,
            now=status.now,
            equity=status.equity,
            cash=status.cash,
            exposure=status.exposure,
            drawdown=status.drawdown,
            day_net=status.day_net,
            positions=status.positions,
            pending=status.pending,
            contexts=list(status.contexts),
            last_cycle_at=status.last_cycle_at,
            prices=[PriceRow(market=market, price=price) for market, price in status.prices],
            halts=[HaltRow.of(view) for view in status.halts],
        )


class PositionRow(BaseModel):
    """What is or was held. ``price``, ``value``, ``unrealised`` and ``protected`` are known while it is open."""

    id: str
    status: Literal["open", "closed"]
    context: str
    market: str
    quantity: Money
    entry_price: Money
    price: Money | None
    value: Money | None
    unrealised: Money | None
    net: Money
    fees: Money
    realised: Money
    stop: Money | None
    target: Money | None
    protected: bool | None
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    closed_by: str

    @classmethod
    def of(cls, position: Position, view: PositionView | None = None) -> Self:
        """A position as a row, with the prices of now where it is open."""
        return cls(
            id=position.id,
            status="open" if position.is_open else "closed",
            context=position.context,
            market=position.market,
            quantity=position.quantity,
            entry_price=position.entry_price,
            price=view.price if view else None,
            value=view.value if view else None,
            unrealised=view.unrealised if view else None,
            net=view.net if view else position.net,
            fees=position.fees,
            realised=position.realised,
            stop=position.stop,
            target=position.target,
            protected=view.protected if view else None,
            opened_at=position.opened_at,
            closed_at=position.closed_at,
            closed_by=position.closed_by,
        )


class OrderRow(BaseModel):
    """An order; ``average`` is the mean price of what filled."""

    id: str
    status: str
    client_id: str
    market: str
    context: str
    side: str
    kind: str
    purpose: str
    quantity: Money
    filled: Money
    average: Money | None
    fee: Money
    stop: Money | None
    target: Money | None
    reason: str
    decision_id: str
    approval_id: str
    position_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def of(cls, order: OrderView) -> Self:
        """An order as a row."""
        return cls.model_validate(order, from_attributes=True)


class FillRow(BaseModel):
    """A part of an order that traded; final from the start."""

    id: str
    status: Literal["filled"] = "filled"
    venue_id: str
    client_id: str
    order_id: str
    position_id: str
    market: str
    side: str
    quantity: Money
    price: Money
    fee: Money
    at: AwareDatetime

    @classmethod
    def of(cls, view: FillView) -> Self:
        """A fill as a row."""
        fill = view.fill
        return cls(
            id=view.id,
            venue_id=fill.venue_id,
            client_id=fill.client_id,
            order_id=view.order_id,
            position_id=view.position_id,
            market=fill.market,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            at=fill.at,
        )
