"""What is to be traded, before the risk rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.market import Listing, Market
from engine.domain.orders import OrderType, Side

_LEAST_KEPT = Decimal("0.05")


class Then(StrEnum):
    """What comes after the patience of an entry that waits at a limit."""

    MARKET = "market"
    """The rest is bought at market, unless the price has run away."""
    GIVE_UP = "give_up"
    """The rest is not bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How entries are bought that do not go to market at once: at a limit, for so long.

    Attributes:
        offset: How far below the best bid the limit is, as a fraction of it.
        patience: How long the order waits.
        chase: How far above the limit what is left may be bought at market, as a fraction of the limit.
        post_only: Whether the order is refused where it would be filled at once.
    """

    offset: Decimal = Decimal(0)
    patience: timedelta = timedelta(minutes=5)
    then: Then = Then.GIVE_UP
    chase: Decimal = Decimal("0.005")
    post_only: bool = False

    def limit_below(self, bid: Decimal, market: Market) -> Decimal | None:
        """The limit below a best bid, in the quote currency; ``None`` where the market can quote none there."""
        price = bid * (1 - self.offset)
        price -= price % market.tick
        return price if price > 0 else None

    def planned(self, limit_price: Decimal) -> ExecutionPlan:
        """How an entry at a limit is carried out."""
        worst = limit_price * (1 + self.chase) if self.then is Then.MARKET else None
        return ExecutionPlan(
            type=OrderType.LIMIT,
            limit_price=limit_price,
            patience=self.patience,
            worst_price=worst,
            post_only=self.post_only,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """How an entry at market is bought in slices, one after the other (TWAP, time-weighted average price).

    Each is judged anew in its turn. How large one may be is a matter of the book and of volume; the fewest that are
    large enough are sent, unless all are wanted.

    Attributes:
        most: At most so many.
        every: From one to the next.
        book_share: How much of what the book takes within the slippage limit one may be, as a fraction.
        volume_share: How much of what the market trades from one to the next, by the last day, as a fraction; ``None``
            for no such limit.
        twap: Whether all of them are sent, where the book would take it in fewer.
    """

    most: int
    every: timedelta
    book_share: Decimal = Decimal(1)
    volume_share: Decimal | None = None
    twap: bool = False

    def slot(self, begun_at: datetime, now: datetime) -> int:
        """Which slice has its time at a moment, counted from 0; beyond the last where that of all is over."""
        return max(0, (now - begun_at) // self.every)

    def next_after(self, begun_at: datetime, now: datetime) -> datetime | None:
        """When the next slice has its time; ``None`` where that of the last is over."""
        following = self.slot(begun_at, now) + 1
        return begun_at + following * self.every if following < self.most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """How a plan becomes orders.

    Attributes:
        limit_price: The worst price of an order at a limit, in the quote currency.
        patience: How long that order waits; ``None`` for ever.
        worst_price: Up to which price what is left is bought at market after that; ``None`` where it is given up.
        slicing: How it is bought in slices; ``None`` for at once.
        slice: What of the quantity is bought first, in the base currency; ``None`` for all of it.
    """

    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    patience: timedelta | None = None
    worst_price: Decimal | None = None
    post_only: bool = False
    slicing: Slicing | None = None
    slice: Decimal | None = None


AT_MARKET = ExecutionPlan()
"""At once, at whatever price there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """What would be traded.

    Attributes:
        venue: The name of the venue where it would be.
        quantity: In the base currency, a whole number of lots.
        price: The price it was planned at, in the quote currency.
        stop, target: Protective prices; none on an exit.
        reduce_only: Whether it can only make the account safer.
        position_id: The position it reduces, on an exit; that it adds to, where a starter has opened one.
        starter: The id of the order that has begun this trade already; empty where none has.
        begun: What that order was for, in the base currency: it is no part of ``quantity``.
    """

    key: str
    context: str
    venue: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None
    reduce_only: bool = False
    position_id: str | None = None
    execution: ExecutionPlan = AT_MARKET
    starter: str = ""
    begun: Decimal = Decimal(0)

    @property
    def listing(self) -> Listing:
        """Its market at its venue."""
        return Listing(self.venue, self.symbol)

    @property
    def notional(self) -> Decimal:
        """Its value in the quote currency."""
        return self.quantity * self.price

    @property
    def risk(self) -> Decimal:
        """What is lost if the stop fills at its price, in the quote currency; the whole value without a stop."""
        return self.quantity * (self.price - self.stop) if self.stop is not None else self.notional

    def resized(self, quantity: Decimal) -> TradePlan:
        """The same plan for another quantity."""
        return replace(self, quantity=quantity)

    def tightened(self, share: Decimal, market: Market) -> TradePlan:
        """The same plan with its stop at so much of its distance, rounded towards the price by less than a tick."""
        if self.stop is None:
            return self
        return self._stopped_at(self.price - (self.price - self.stop) * share, market)

    def stopped_above(self, price: Decimal, market: Market) -> TradePlan:
        """The same plan with its stop at a price, rounded likewise: never lower than it was, and never in the spread.

        A twentieth of its distance is kept: one that is nearer would sell at once what was just bought.
        """
        if self.stop is None or price <= self.stop:
            return self
        return self._stopped_at(min(price, self.price - (self.price - self.stop) * _LEAST_KEPT), market)

    def _stopped_at(self, price: Decimal, market: Market) -> TradePlan:
        over = price % market.tick
        above = price - over + market.tick if over else price
        return replace(self, stop=min(above, self.price - market.tick))

    def halved(self, market: Market) -> TradePlan:
        """Half of it, rounded down to whole lots."""
        return self.resized(market.quantity(market.lots(self.quantity / 2)))
