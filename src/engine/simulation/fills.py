"""How orders fill in a market that is only simulated: a book around the price, and orders that walk it.

Each side of the book has a few levels. The first stands half a spread from the price, the others a step further each,
and all of one side together hold a share of what the last candle traded. A market order takes level after level, one
fill for each: that is its slippage. What the book cannot give it must wait for the next one. A stop that was reached
waits for nothing: what the book cannot give it trades at the worst price of that book. An order that rests at a limit
is met there by others: no more of it at a time than one side of the book would hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from math import lcm
from typing import NamedTuple

from engine.domain.market import Book, Level, Market
from engine.domain.money import Money
from engine.domain.orders import Side
from engine.simulation import scalars

_FEE_STEP = Decimal("0.00000001")
QUOTE, RECEIVED = "quote", "received"
"""What a fee is taken in, where that is no currency of its own: the quote currency, or what the fill brings."""


class Shares(NamedTuple):
    """Where the levels of a book stand, as whole shares of the price.

    Attributes:
        whole: What all of it is.
        first: From the price to the first level, in 1 / ``whole``.
        step: From one level to the next, in 1 / ``whole``.
    """

    whole: int
    first: int
    step: int

    def away(self, level: int) -> int:
        """From the price to a level, counted from 0."""
        return self.first + level * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class FillModel:
    """What trading costs, and how much can be traded at once.

    Attributes:
        fee: Of a fill's value, as a fraction.
        fee_in: What it is taken in: ``quote``, ``received`` (the base on buys, the quote currency on sells), or a
            currency of its own as long as there is enough of it, such as ``BNB``; then what is received.
        fee_price: What one of that currency is worth in the quote currency; nothing for the price of its market.
        spread: Between the best bid and the best ask, as a fraction of the price.
        depth: What one side of the book holds, as a fraction of what the last candle traded.
        levels: How many price levels one side has.
        level_step: From one level to the next, as a fraction of the price.
        reserve: How far the price may run, as a fraction, before the cash set aside for the waiting rest of a buy
            order is too little; the order is then cut to what the cash can pay.
        max_factor: From this factor on a jump is no move of a price: another thing is traded under the name.
        gone_for: What is traded after so long without a trade is another thing as well.
    """

    fee: Decimal = Decimal("0.001")
    fee_in: str = QUOTE
    fee_price: Decimal | None = None
    spread: Decimal = Decimal("0.0004")
    depth: Decimal = Decimal("0.02")
    levels: int = 5
    level_step: Decimal = Decimal("0.0003")
    reserve: Decimal = Decimal("0.02")
    max_factor: Decimal = Decimal(500)
    gone_for: timedelta = timedelta(days=7)

    @property
    def shares(self) -> Shares:
        """Where the levels stand, exactly."""
        (first, of_first), (step, of_step) = (self.spread / 2).as_integer_ratio(), self.level_step.as_integer_ratio()
        whole = lcm(of_first, of_step)
        return Shares(whole=whole, first=first * (whole // of_first), step=step * (whole // of_step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one level gave to an order; ``fee`` is what its fee is worth in the quote currency."""

    quantity: Decimal
    price: Decimal
    fee: Decimal

    @property
    def notional(self) -> Decimal:
        """Its value in the quote currency, without the fee."""
        return self.quantity * self.price


def fee(notional: Decimal, model: FillModel) -> Decimal:
    """The fee of a fill. It is rounded down, so that the fees of parts never exceed the fee of the whole."""
    return (notional * model.fee).quantize(_FEE_STEP, rounding=ROUND_DOWN)


def fee_of(part: Part, currency: str, price: Decimal) -> Money:
    """The fee of a part in a currency of which one is worth so much of the quote currency; rounded down."""
    return Money(amount=(part.fee / price).quantize(_FEE_STEP, rounding=ROUND_DOWN), currency=currency)


def part(quantity: Decimal, price: Decimal, model: FillModel) -> Part:
    """A fill of a quantity at a price, with its fee."""
    return Part(quantity=quantity, price=price, fee=fee(quantity * price, model))


def levels(side: Side, mid: Decimal, volume: Decimal, market: Market, model: FillModel) -> tuple[Level, ...]:
    """What an order on ``side`` can take, best price first: the asks for a buy, the bids for a sell.

    Prices are rounded to the tick in the disfavour of the order and stand at least a tick apart. Nobody is there where
    the last candle traded too little for a single lot a level.
    """
    lots = market.lots(volume * model.depth / model.levels)
    if lots < 1:
        return ()
    return tuple(
        Level(price=price, quantity=market.quantity(lots)) for price in _level_prices(side, mid, market, model)
    )


def _level_prices(side: Side, mid: Decimal, market: Market, model: FillModel) -> list[Decimal]:
    shares, (ticks, between), found = model.shares, _in_ticks(mid, market), list[int]()
    for level in range(model.levels):
        away, whole = shares.away(level), shares.whole * between
        if side is Side.BUY:
            price = scalars.ask_ticks(ticks, shares.whole + away, whole)
            found.append(scalars.further_ask(price, found[-1]) if found else price)
        else:
            price = scalars.bid_ticks(ticks, shares.whole - away, whole)
            found.append(scalars.further_bid(price, found[-1]) if found else price)
    return [price * market.tick for price in found if price > 0]


def book(mid: Decimal, volume: Decimal, market: Market, model: FillModel, at: datetime) -> Book | None:
    """The order book around a price, or ``None`` where nobody trades."""
    bids = levels(Side.SELL, mid, volume, market, model)
    asks = levels(Side.BUY, mid, volume, market, model)
    return Book(symbol=market.symbol, at=at, bids=bids, asks=asks) if bids and asks else None


def moved(side: Side, mid: Decimal, seen: Book, market: Market) -> tuple[Level, ...]:
    """What an order on ``side`` can take of a book that was observed: the book itself, moved along with the price.

    At the book's own mid nothing is moved; elsewhere prices are rounded to the tick in the disfavour of the order.
    """
    levels, rounding = (seen.asks, ROUND_CEILING) if side is Side.BUY else (seen.bids, ROUND_FLOOR)
    by = mid - seen.mid
    if not by:
        return levels
    prices = [_on_tick(level.price + by, market, rounding) for level in levels]
    return tuple(replace(level, price=price) for level, price in zip(levels, prices, strict=True) if price > 0)


def on_steps(seen: Book, market: Market) -> Book | None:
    """A recorded book in the steps of a market: prices in the disfavour of who takes them, quantities in whole lots.

    ``None`` where a side has not a single lot.
    """
    bids = _on_steps(seen.bids, market, ROUND_FLOOR)
    asks = _on_steps(seen.asks, market, ROUND_CEILING)
    return replace(seen, bids=bids, asks=asks) if bids and asks else None


def _on_steps(levels: Sequence[Level], market: Market, rounding: str) -> tuple[Level, ...]:
    found = (
        Level(price=_on_tick(each.price, market, rounding), quantity=market.quantity(market.lots(each.quantity)))
        for each in levels
    )
    return tuple(each for each in found if each.price > 0 and each.quantity > 0)


def walk(quantity: Decimal, offered: Sequence[Level], model: FillModel) -> tuple[Part, ...]:
    """Take level after level until the quantity or the levels are used up: one part for each level touched."""
    parts: list[Part] = []
    for level in offered:
        taken = min(quantity, level.quantity)
        if taken <= 0:
            break
        parts.append(part(taken, level.price, model))
        quantity -= taken
    return tuple(parts)


def taken_whole(
    side: Side, quantity: Decimal, mid: Decimal, offered: Sequence[Level], market: Market, model: FillModel
) -> tuple[Part, ...]:
    """What a stop gets that was reached at a price: it takes all there is, and the last of it for what that lacks.

    Where nobody is there, the last price of the model's book stands for it, or a tick where a sale has no lower one.
    """
    parts = walk(quantity, offered, model)
    rest = quantity - sum((each.quantity for each in parts), Decimal(0))
    if not rest:
        return parts
    if parts:
        return (*parts[:-1], part(parts[-1].quantity + rest, parts[-1].price, model))
    prices = _level_prices(side, mid, market, model)
    return (part(rest, prices[-1] if prices else market.tick, model),)


def resting(quantity: Decimal, volume: Decimal, market: Market, model: FillModel) -> Decimal:
    """How much of an order that rests at a price is met by what is traded there: as much as one side of a book has."""
    return min(quantity, market.quantity(market.lots(volume * model.depth)))


def at_limit(side: Side, limit: Decimal, offered: Sequence[Level]) -> tuple[Level, ...]:
    """What of a book stands at a limit or better."""
    return tuple(level for level in offered if (level.price <= limit if side is Side.BUY else level.price >= limit))


def affordable(parts: Sequence[Part], cash: Decimal, market: Market, model: FillModel) -> tuple[Part, ...]:
    """As much of the parts of a buy as the cash pays, fees included, in whole lots."""
    bought: list[Part] = []
    for whole in parts:
        cost = whole.notional + whole.fee
        if cost > cash:
            lots = market.lots(cash / (whole.price * (1 + model.fee)))
            return (*bought, part(market.quantity(lots), whole.price, model)) if lots > 0 else tuple(bought)
        bought.append(whole)
        cash -= cost
    return tuple(bought)


def reserve_price(mid: Decimal, offered: Sequence[Level], model: FillModel) -> Decimal:
    """What a lot of a buy that has to wait is assumed to cost at worst, before the fee."""
    return (offered[-1].price if offered else mid * (1 + model.spread / 2)) * (1 + model.reserve)


def worst_cost(quantity: Decimal, mid: Decimal, offered: Sequence[Level], model: FillModel) -> Decimal:
    """The cash a buy must have: what the levels cost, and the rest at the reserve price, fees included."""
    parts = walk(quantity, offered, model)
    rest = quantity - sum((taken.quantity for taken in parts), Decimal(0))
    cost = sum((taken.notional for taken in parts), Decimal(0)) + rest * reserve_price(mid, offered, model)
    return cost * (1 + model.fee)


def target_price(reached: Decimal, target: Decimal, market: Market, model: FillModel) -> Decimal:
    """What a target sells for when the price reaches or jumps over it: itself, or the best bid where that is more."""
    shares, (ticks, between) = model.shares, _in_ticks(reached, market)
    bid = scalars.bid_ticks(ticks, shares.whole - shares.away(0), shares.whole * between)
    return max(target, bid * market.tick)


def _in_ticks(price: Decimal, market: Market) -> tuple[int, int]:
    """A price in ticks, as a fraction: halfway between bid and ask it may lie between two."""
    (price_is, price_of), (tick_is, tick_of) = price.as_integer_ratio(), market.tick.as_integer_ratio()
    return price_is * tick_of, price_of * tick_is


def _on_tick(price: Decimal, market: Market, rounding: str) -> Decimal:
    """A price in whole steps, with every decimal that a step has."""
    return int((price / market.tick).to_integral_value(rounding)) * market.tick
