"""What is held: each position by itself, and the account as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.domain.market import Listing
from engine.domain.orders import Side

EXTERNAL = "external"
"""The context of positions that somebody else opened."""


class Direction(StrEnum):
    """Which way a position gains."""

    LONG = "long"
    """With a rising price: it was bought, and is closed by selling."""
    SHORT = "short"
    """With a falling price: it was sold first, and is closed by buying. Not traded yet."""

    @property
    def sign(self) -> int:
        """1 for long, -1 for short."""
        return 1 if self is Direction.LONG else -1

    @property
    def opened_by(self) -> Side:
        """The side of the orders that make it larger."""
        return Side.BUY if self is Direction.LONG else Side.SELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What one context holds of one market of a venue: the sum of its distinct fills.

    Attributes:
        quantity: In the base currency, less the fees that were taken from it; 0 once closed.
        entry_price: Mean price of what was bought, in the quote currency.
        fees: What was paid so far, at its worth in the quote currency when it was.
        realised: Profit of what was sold, before fees, in the quote currency.
        bought, cost: All that was ever bought of it, in the base currency, less the fees that were taken from it, and
            what that came to before fees, in the quote currency.
        closed_by_person: Who closed it, where ``closed_by`` is ``close``, or called the emergency stop that did; empty
            otherwise.
        direction: Which way it gains; what is said of buying and selling is of a long one, and the other way round of a
            short one.
        multiplier: How much of the base currency a unit of its quantity is: 1 on spot, the size of a contract else.
    """

    id: str
    context: str
    venue: str
    symbol: str
    quantity: Decimal
    entry_price: Decimal
    opened_at: datetime
    stop: Decimal | None = None
    target: Decimal | None = None
    fees: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    closed_at: datetime | None = None
    closed_by: str = ""
    bought: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    closed_by_person: str = ""
    direction: Direction = Direction.LONG
    multiplier: Decimal = Decimal(1)

    @property
    def base(self) -> str:
        """The currency that is held."""
        return self.symbol.partition("/")[0]

    @property
    def is_open(self) -> bool:
        """Whether anything of it is still held."""
        return self.closed_at is None

    def unrealised(self, price: Decimal) -> Decimal:
        """What closing the rest at a price would make, before fees."""
        return self.gain(self.quantity, price)

    def gain(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What closing so much of it at a price makes, before fees."""
        return self.direction.sign * quantity * self.multiplier * (price - self.entry_price)

    def worth(self, price: Decimal) -> Decimal:
        """What it adds to the equity beside the cash that it moved, in the quote currency; below 0 for a short one."""
        return self.direction.sign * self.notional(price)

    def at_risk(self, price: Decimal) -> Decimal:
        """What it loses from a price on if its stop fills at its own price; all of it without a stop."""
        if self.stop is None:
            return self.notional(price)
        return max(Decimal(0), self.direction.sign * (self.notional(price) - self.notional(self.stop)))

    def notional(self, price: Decimal) -> Decimal:
        """What is at stake at a price, whichever way it gains, in the quote currency."""
        return self.quantity * self.multiplier * price

    @property
    def listing(self) -> Listing:
        """Its market at its venue."""
        return Listing(self.venue, self.symbol)

    @property
    def net(self) -> Decimal:
        """What it has made so far, after fees."""
        return self.realised - self.fees

    @property
    def sold(self) -> Decimal:
        """How much of it was sold, in the base currency."""
        return self.bought - self.quantity

    @property
    def exit_price(self) -> Decimal | None:
        """Mean price of what was sold; ``None`` as long as that is nothing."""
        entered_at = self.cost - self.notional(self.entry_price)
        left_at = entered_at + self.direction.sign * self.realised
        return left_at / (self.sold * self.multiplier) if self.sold > 0 else None

    @property
    def is_external(self) -> bool:
        """Whether somebody else opened it at the venue: no win or loss of the bot's."""
        return self.context == EXTERNAL

    @property
    def fee_rate(self) -> Decimal:
        """What was paid in fees for each unit of value that was bought and sold of it."""
        traded = self.cost + self.sold * self.multiplier * (self.exit_price or 0)
        return self.fees / traded if traded > 0 else Decimal(0)

    def made_by(self, quantity: Decimal, price: Decimal, fee: Decimal | None = None) -> Decimal:
        """What selling so much of it at a price makes, after the fees of its purchase and of the sale.

        Args:
            quantity: In the base currency.
            price: In the quote currency.
            fee: Of the sale; without it, at the rate that was paid so far.
        """
        entered_at, left_at = (quantity * self.multiplier * each for each in (self.entry_price, price))
        fees = entered_at * self.fee_rate + (left_at * self.fee_rate if fee is None else fee)
        return self.gain(quantity, price) - fees

    def share(self, net: Decimal) -> Decimal | None:
        """A profit or loss of it as a fraction of its cost; ``None`` where that is not known."""
        return net / self.cost if self.cost > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """An unfinished buying order: what it may still cost, at the price it was planned at, in the quote currency.

    Attributes:
        to_stop: What of that is lost at the stop of what it buys; ``None`` for all of it.
    """

    order_id: str
    context: str
    venue: str
    symbol: str
    value: Decimal
    to_stop: Decimal | None = None

    @property
    def at_risk(self) -> Decimal:
        """What may be lost of it."""
        return self.value if self.to_stop is None else self.to_stop

    @property
    def is_external(self) -> bool:
        """Whether somebody else's order buys it."""
        return self.context == EXTERNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The account at one moment, in the quote currency.

    Attributes:
        free_cash: What is free to spend at all venues: what open orders may still cost is taken off.
        free_at: The same by venue; ``None`` where venues are not told apart.
        capital: What of it the bot may use; ``None`` for all.
        equity: All cash, free or reserved, and every position at its mark price.
        peak: The highest equity since the account began; money paid in or out moves it in proportion.
        buying: The unfinished buying orders.
        paused_drawdown: The drawdown at which entries were last paused for it; 0 once it has been made good.
        total_from: What the total limit counts from where an admin has let entries go on after it was reached: the
            highest equity since then; ``None`` for the peak.
        quote: The currency.
    """

    free_cash: Decimal
    equity: Decimal
    peak: Decimal
    positions: tuple[Position, ...] = ()
    marks: Mapping[Listing, Decimal] | None = None
    buying: tuple[Buying, ...] = ()
    paused_drawdown: Decimal = Decimal(0)
    total_from: Decimal | None = None
    quote: str = ""
    free_at: Mapping[str, Decimal] | None = None
    capital: Decimal | None = None

    def spendable(self, venue: str) -> Decimal:
        """What an order may spend: the free cash of its own venue."""
        return self.free_cash if self.free_at is None else self.free_at.get(venue, Decimal(0))

    @property
    def drawdown(self) -> Decimal:
        """How far equity is below its peak, as a fraction of the peak."""
        return fall(self.peak, self.equity)

    @property
    def total_fall(self) -> Decimal:
        """How far equity is below what the total limit counts from, as a fraction of that."""
        return fall(self.peak if self.total_from is None else self.total_from, self.equity)

    @property
    def reserved(self) -> Decimal:
        """What open buying orders may still cost."""
        return sum((order.value for order in self.buying), Decimal(0))

    def mark(self, position: Position) -> Decimal:
        """The price a position is valued at: its market's last known one, else its entry."""
        return (self.marks or {}).get(position.listing, position.entry_price)

    @property
    def exposure(self) -> Decimal:
        """The value of everything held, and of what open orders may still buy."""
        return sum((p.notional(self.mark(p)) for p in self.positions), self.reserved)

    @property
    def used(self) -> Decimal:
        """The same of what the bot itself has bought or is buying."""
        held = sum((p.notional(self.mark(p)) for p in self.positions if not p.is_external), Decimal(0))
        return held + sum((order.value for order in self.buying if not order.is_external), Decimal(0))

    @property
    def at_risk(self) -> Decimal:
        """What everything open loses if each position is stopped at its stop: what has none counts whole."""
        held = sum((p.at_risk(self.mark(p)) for p in self.positions), Decimal(0))
        return held + sum((order.at_risk for order in self.buying), Decimal(0))

    @property
    def worth(self) -> Decimal:
        """What all positions add to the equity at their marks."""
        return sum((p.worth(self.mark(p)) for p in self.positions), Decimal(0))

    def valued(self, prices: Mapping[Listing, Decimal]) -> Portfolio:
        """The same account at other prices, where there are any; its peak is never below its equity."""
        now = replace(self, marks={**(self.marks or {}), **prices})
        equity = now.free_cash + now.reserved + now.worth
        return replace(now, equity=equity, peak=max(self.peak, equity))


def fall(highest: Decimal, equity: Decimal) -> Decimal:
    """How far equity is below a height, as a fraction of it; 0 at or above it."""
    return max(Decimal(0), (highest - equity) / highest) if highest > 0 else Decimal(0)
