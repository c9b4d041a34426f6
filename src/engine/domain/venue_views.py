"""Venues and their orders as people may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.domain.order_routing import Quote
from engine.domain.orders import Order, OrderState
from engine.domain.trade_views import FillView


class VenueKind(StrEnum):
    """Whether money is at stake at a venue."""

    PAPER = "paper"
    TEST_NET = "test net"
    REAL = "real money"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFacts:
    """What the way to a venue tells of itself, without asking anybody.

    Attributes:
        exchange: Its id in ccxt; empty for none.
        key: The end of its key; empty for none.
        skew: How many seconds its clock is ahead of ours; ``None`` where that is not known.
        used: How much of its limits was used of late, in its own words; empty where it does not say.
        updates: How it tells of orders.
        prices: What is wrong with its prices; empty where nothing is.
    """

    kind: VenueKind
    exchange: str = ""
    key: str = ""
    skew: float | None = None
    used: str = ""
    updates: str = ""
    prices: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrders:
    """The orders of a venue that are not final.

    Attributes:
        own: Those of the bot, as they are in its books.
        following: The newest slices of entries of which more is to follow.
        others: Those that somebody else has there.
        missing: The ids of ours that it should have and does not list.
        trouble: Why it could not be asked; empty where it was.
    """

    venue: str
    own: tuple[Order, ...]
    following: tuple[Order, ...] = ()
    others: tuple[OrderState, ...] = ()
    missing: frozenset[str] = frozenset()
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueView:
    """How a venue is.

    Attributes:
        last_at: When an order there last changed; ``None`` where none ever was.
        obstacles: Why nothing is entered there, or in some of its contexts; none where something may be.
    """

    orders: VenueOrders
    facts: VenueFacts
    last_at: datetime | None
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One order, with what has traded of it.

    Attributes:
        at: Its venue, where the account has several; else empty.
        venue_order_id: What the venue calls it; empty where that is not known.
        stop, target: What its position is protected at, in the quote currency.
        quotes: What the entry would have come to at each of several venues.
    """

    order: Order
    fills: tuple[FillView, ...]
    at: str = ""
    venue_order_id: str = ""
    stop: Decimal | None = None
    target: Decimal | None = None
    quotes: tuple[Quote, ...] = ()
