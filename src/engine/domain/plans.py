"""What is to be traded, before the risk rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.market import Market
from engine.domain.orders import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """What would be traded.

    Attributes:
        venue: The name of the venue where it would be.
        quantity: In the base currency, a whole number of lots.
        price: The price it was planned at, in the quote currency.
        stop, target: Protective prices; none on an exit.
        reduce_only: Whether it can only make the account safer.
        position_id: The position it reduces, on an exit.
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

    def halved(self, market: Market) -> TradePlan:
        """Half of it, rounded down to whole lots."""
        return self.resized(market.quantity(market.lots(self.quantity / 2)))
