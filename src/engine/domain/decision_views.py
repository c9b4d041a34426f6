"""Decisions and the approvals they led to, as people see them, with what became of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.adjustments import Adjusted
from engine.domain.approvals import Approval
from engine.domain.decisions import Decision, Judged, Opinion
from engine.domain.halt_views import HaltView
from engine.domain.order_routing import Quote
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.trade_views import TradeView


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """An approval with what it is about.

    Attributes:
        now: When it was looked at.
        price: Of then; ``None`` where it is not known.
        halt: What stops entries into its market then; ``None`` where nothing does.
        wall_left: How long it can still be answered by the clock of people; ``None`` where the market's is theirs.
        at: Its venue, where the account has several; else empty.
        opinions: What a panel said of it; empty where nobody was asked.
        adjustment: What the adjuster made of it; ``None`` where it was not asked.
        quotes: What it would come to at each of several venues.
    """

    approval: Approval
    decision: Decision
    now: datetime
    price: Decimal | None
    order: Order | None = None
    position: Position | None = None
    halt: HaltView | None = None
    wall_left: timedelta | None = None
    at: str = ""
    opinions: tuple[Opinion, ...] = ()
    adjustment: Adjusted | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Everything that led to one decision and what became of it; ``trade`` is that of ``position``.

    Attributes:
        further: The orders after the first: slices, and what took the place of one.
        at: Where it would trade, where the account has several venues and something was planned; else empty.
    """

    judged: Judged
    approval: Approval | None = None
    order: Order | None = None
    further: tuple[Order, ...] = ()
    position: Position | None = None
    trade: TradeView | None = None
    at: str = ""
