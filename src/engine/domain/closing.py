"""Closing positions by hand: what somebody asked for, what it would come to, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.market import Market
from engine.domain.orders import Order
from engine.domain.positions import Position

ALL = "ALL"
"""What stands for every position that the bot itself opened."""
WHOLE = Decimal(1)
TOPIC = "closing"
"""The kind of topic that a wish's card has, e.g. ``closing:C7``: only the one who asked is shown it."""


class Choice(StrEnum):
    """What a person can say to what they asked for; also what its buttons carry."""

    CLOSE = "close"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to close.

    Attributes:
        what: ``ALL``, the id of a trade, a market (``BTC/USDT``), or a coin (``BTC``); empty where nothing was said.
        share: How much of each position, above 0 and at most 1.
    """

    what: str
    share: Decimal = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What would be sold of one position.

    Attributes:
        market: As the venue trades it.
        held: What the position held when it was asked.
        quantity: What would be sold, in the base currency.
        rest: What would stay, and is not being sold already.
        price: What somebody paid then, the bid, in the quote currency.
        net, share: What selling that at that price would make after fees, of the sale too, and that of what it cost.
        stop, target: Its protective prices.
        external: Whether somebody else bought it.
        widened: Whether less was asked for, and it is all, as the rest would have been below the smallest order.
        warning: What people should look at before they sell; empty where there is nothing.
        at: Its venue, where the account has several; else empty.
    """

    position_id: str
    market: Market
    held: Decimal
    quantity: Decimal
    rest: Decimal
    price: Decimal
    net: Decimal
    share: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    external: bool = False
    widened: bool = False
    warning: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsold:
    """A position of which nothing is sold, and why."""

    position_id: str
    symbol: str
    reason: str


class Stage(StrEnum):
    """Where a wish to close something is in its life."""

    ASKED = "asked"
    """It waits for its person; from its time on it waits to be called expired, and nothing comes of it."""
    KEPT = "kept"
    """Its person let it be."""
    EXPIRED = "expired"
    """Its time was up before its person said anything, and everybody who is shown it is told."""
    CONFIRMED = "confirmed"
    """Its person confirmed it, and its sales were written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One wish to close positions.

    Attributes:
        id: Like ``C7``; empty where there is nothing to confirm.
        person: Who asked; nobody else can confirm it.
        sales: What would be sold; empty where nothing can be.
        unsold: What was named and is not sold, as it was found when it was asked and at the press.
        orders: The ids of the sales that were written down, by position.
    """

    id: str
    person: str
    wanted: Wanted
    sales: tuple[Sale, ...]
    unsold: tuple[Unsold, ...]
    asked_at: datetime
    expires_at: datetime
    stage: Stage = Stage.ASKED
    orders: Mapping[str, str] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """Whether a press of its person still counts."""
        return self.stage is Stage.ASKED and bool(self.sales) and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """A wish to close positions, and what has become of it.

    Attributes:
        now: When it was looked at.
        orders: The sales, by position.
        positions: The positions that it names, as they are now.
        protected: The ids of those that have a stop at the venue.
        wall_left: How long it can still be confirmed by the clock of people; ``None`` where the market's is theirs.
    """

    closing: Closing
    now: datetime
    wall_left: timedelta | None = None
    orders: Mapping[str, Order] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
