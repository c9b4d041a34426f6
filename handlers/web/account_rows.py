"""The API's rows about the account. Each has an ``id`` and a ``status``, times in ISO 8601 UTC, money as strings."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel

from engine.domain.account import Status
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.trade_views import FillView, PositionView
from engine.domain.trading_states import StateChange, TradingState
from engine.domain.unmanaged import Absence
from handlers.web.amounts import Derived, Exact


class HaltRow(BaseModel):
    """A reason for no new entries; its ``id`` is empty as long as it cannot be written down."""

    id: str
    status: Literal["active", "ended"]
    kind: HaltKind
    reason: str
    symbol: str
    venue: str
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
            symbol=halt.symbol,
            venue=halt.venue,
            by=halt.by,
            since=halt.since,
            until=halt.until,
            ended_at=view.ended_at,
            ended_by=view.ended_by,
        )

    def view(self) -> HaltView:
        """The halt that the row tells of."""
        halt = Halt(
            kind=self.kind,
            reason=self.reason,
            symbol=self.symbol,
            venue=self.venue,
            by=self.by,
            since=self.since,
            until=self.until,
        )
        return HaltView(id=self.id, halt=halt, ended_at=self.ended_at, ended_by=self.ended_by)


class StateRow(BaseModel):
    """How far the bot may trade, since when, why, and who or what called for it; ``halt`` is the id of what does."""

    state: TradingState
    since: AwareDatetime
    reason: str
    by: str
    halt: str

    @classmethod
    def of(cls, change: StateChange) -> Self:
        """It as a row."""
        return cls(state=change.state, since=change.at, reason=change.reason, by=change.by, halt=change.halt_id)

    def change(self) -> StateChange:
        """The state that the row tells of."""
        return StateChange(state=self.state, at=self.since, reason=self.reason, by=self.by, halt_id=self.halt)


class PriceRow(BaseModel):
    """The last known price of a market."""

    symbol: str
    price: Exact


class StatusRow(BaseModel):
    """The bot at a glance; ``drawdown`` is a fraction of the account's peak.

    ``net`` and ``share`` are since ``began_at``, without what was paid in and out since then.
    ``no_entry`` says why nothing is entered anywhere, where that is no halt; ``unmanaged`` names the positions that no
    strategy manages. ``state`` is nothing where nothing was ever halted: the bot is active then.
    """

    id: str
    status: Literal["trading", "paused"]
    version: str
    profile: str
    venue: str
    quote: str
    now: AwareDatetime
    equity: Derived
    cash: Derived
    exposure: Derived
    drawdown: Derived
    day_net: Derived
    day_share: Derived | None
    day_benchmark: Derived | None
    began_at: AwareDatetime | None
    net: Derived
    share: Derived | None
    benchmark: Derived | None
    positions: int
    pending: int
    contexts: list[str]
    last_cycle_at: AwareDatetime | None
    prices: list[PriceRow]
    halts: list[HaltRow]
    no_entry: str
    paid_in: Derived
    paid_out: Derived
    unmanaged: list[str]
    deliberations: list[str] = []
    state: StateRow | None = None

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
            day_share=status.day_share,
            day_benchmark=status.day_benchmark,
            began_at=status.began_at,
            net=status.net,
            share=status.share,
            benchmark=status.benchmark,
            positions=status.positions,
            pending=status.pending,
            contexts=list(status.contexts),
            last_cycle_at=status.last_cycle_at,
            prices=[PriceRow(symbol=market, price=price) for market, price in status.prices],
            halts=[HaltRow.of(view) for view in status.halts],
            no_entry=status.no_entry,
            paid_in=status.paid_in,
            paid_out=status.paid_out,
            unmanaged=list(status.unmanaged),
            deliberations=list(status.deliberations),
            state=StateRow.of(status.state) if status.state else None,
        )

    def report(self) -> Status:
        """The status that the row tells of, for whoever has asked the API."""
        return Status(
            profile=self.profile,
            venue=self.venue,
            quote=self.quote,
            now=self.now,
            trading=self.status == "trading",
            halts=tuple(row.view() for row in self.halts),
            equity=self.equity,
            cash=self.cash,
            exposure=self.exposure,
            drawdown=self.drawdown,
            day_net=self.day_net,
            day_share=self.day_share,
            day_benchmark=self.day_benchmark,
            began_at=self.began_at,
            net=self.net,
            share=self.share,
            benchmark=self.benchmark,
            positions=self.positions,
            pending=self.pending,
            contexts=tuple(self.contexts),
            last_cycle_at=self.last_cycle_at,
            prices=tuple((row.symbol, row.price) for row in self.prices),
            no_entry=self.no_entry,
            paid_in=self.paid_in,
            paid_out=self.paid_out,
            unmanaged=tuple(self.unmanaged),
            deliberations=tuple(self.deliberations),
            state=self.state.change() if self.state else None,
        )


class PositionRow(BaseModel):
    """What is or was held; ``share`` is ``net`` as a fraction of ``cost``.

    ``price``, ``value``, ``unrealised`` and ``protected`` are known while it is open. ``unmanaged`` says why no
    strategy manages it: what is absent, or is another one now, is its context, its market in that, or its venue.
    """

    id: str
    status: Literal["open", "closed"]
    context: str
    venue: str
    symbol: str
    quantity: Exact
    entry_price: Derived
    price: Exact | None
    value: Derived | None
    unrealised: Derived | None
    net: Derived
    share: Derived | None
    fees: Exact
    realised: Derived
    bought: Exact
    cost: Derived
    exit_price: Derived | None
    stop: Exact | None
    target: Exact | None
    protected: bool | None
    unmanaged: Absence | None
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    closed_by: str
    closed_by_person: str

    @classmethod
    def of(cls, position: Position, view: PositionView | None = None) -> Self:
        """A position as a row, with the prices of now where it is open."""
        return cls(
            id=position.id,
            status="open" if position.is_open else "closed",
            context=position.context,
            venue=position.venue,
            symbol=position.symbol,
            quantity=position.quantity,
            entry_price=position.entry_price,
            price=view.price if view else None,
            value=view.value if view else None,
            unrealised=view.unrealised if view else None,
            net=view.net if view else position.net,
            share=view.share if view else position.share(position.net),
            fees=position.fees,
            realised=position.realised,
            bought=position.bought,
            cost=position.cost,
            exit_price=position.exit_price,
            stop=position.stop,
            target=position.target,
            protected=view.protected if view else None,
            unmanaged=view.unmanaged if view else None,
            opened_at=position.opened_at,
            closed_at=position.closed_at,
            closed_by=position.closed_by,
            closed_by_person=position.closed_by_person,
        )


class OrderRow(BaseModel):
    """An order; ``average`` is the mean price of what filled."""

    id: str
    status: str
    client_id: str
    venue: str
    symbol: str
    context: str
    side: str
    type: str
    purpose: str
    quantity: Exact
    filled: Exact
    average: Derived | None
    fee: Exact
    stop: Exact | None
    target: Exact | None
    limit_price: Exact | None
    trigger_price: Exact | None
    reason: str
    decision_id: str
    approval_id: str
    position_id: str
    asked_by: str
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def of(cls, order: Order) -> Self:
        """An order as a row."""
        asked = {each.name: getattr(order.request, each.name) for each in fields(order.request)}
        own = {each.name: getattr(order, each.name) for each in fields(order)}
        stop, target = order.levels
        return cls.model_validate(asked | own | {"average": order.average, "stop": stop, "target": target})


class FillRow(BaseModel):
    """A part of an order that traded; final from the start."""

    id: str
    status: Literal["filled"] = "filled"
    trade_id: str
    client_id: str
    order_id: str
    position_id: str
    venue: str
    symbol: str
    side: str
    quantity: Exact
    price: Exact
    fee: Exact
    at: AwareDatetime

    @classmethod
    def of(cls, view: FillView) -> Self:
        """A fill as a row."""
        fill = view.fill
        return cls(
            id=view.id,
            trade_id=fill.trade_id,
            client_id=fill.client_id,
            order_id=view.order_id,
            position_id=view.position_id,
            venue=fill.venue,
            symbol=fill.symbol,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=view.fee_value,
            at=fill.at,
        )
