"""What closing a part or all of a position comes to, on its market as it is now. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.closing import WHOLE, Sale, Unsold
from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.market import Market
from engine.domain.positions import Position

SOLD_ALREADY = "all of it is being sold already"


def sale_of(position: Position, free: Decimal, market: Market, price: Decimal, share: Decimal) -> Sale | Unsold:
    """What would be sold of a position: whole lots, never more than is free, and no rest that could not be sold.

    Args:
        position: What is held.
        free: What of it is not being sold already, in the base currency.
        market: What its venue accepts.
        price: What somebody pays for it now, in the quote currency.
        share: How much of it to close, above 0 and at most 1.
    """
    most = market.quantity(market.lots(free))
    quantity = min(most, market.quantity(market.lots(position.quantity * share)))
    if free <= 0:
        return _unsold(position, SOLD_ALREADY)
    if quantity <= 0:
        return _unsold(position, f"that is less than the smallest step, {_figure(market.lot)} {market.base}")
    if quantity < most and (reason := too_small(quantity, market, price)):
        return _unsold(position, f"{reason}; /close {position.id} closes all of it")
    widened = quantity < most and bool(too_small(free - quantity, market, price))
    sold = most if widened or share == WHOLE else quantity
    net, cost = position.made_by(sold, price), sold * position.entry_price
    return Sale(
        position_id=position.id,
        market=market,
        held=position.quantity,
        quantity=sold,
        rest=free - sold,
        price=price,
        net=net,
        share=net / cost if cost > 0 else None,
        stop=position.stop,
        target=position.target,
        external=position.is_external,
        widened=widened,
    )


def confirmed(sale: Sale, position: Position, free: Decimal, price: Decimal) -> Decimal | Unsold:
    """How much of a position is sold once its person has confirmed it: what was named, or what is left of that.

    Nothing where more than that has become of it, where a part has become all that is left, or where the price has made
    the sale or its rest too small: a person who confirms one thing has not confirmed another.

    Args:
        sale: What was named.
        position: What is held now.
        free: What of it is not being sold already.
        price: What somebody pays for it now.
    """
    if not position.is_open:
        return _unsold(position, "it was closed meanwhile")
    if free <= 0:
        return _unsold(position, SOLD_ALREADY)
    if position.quantity > sale.held:
        grown = f"it holds {_figure(position.quantity)} {sale.market.base} now, not {_figure(sale.held)}"
        return _unsold(position, f"{grown}: /close {position.id} asks again")
    most = sale.market.quantity(sale.market.lots(free))
    quantity = min(sale.quantity, most)
    if quantity == most and sale.market.lots(sale.rest):
        left = f"only {_figure(free)} {sale.market.base} of it can be sold now, so that would be all"
        return _unsold(position, f"{left}: /close {position.id} asks again")
    parts = (quantity, free - quantity) if quantity < most else ()
    reasons = [reason for part in parts if (reason := too_small(part, sale.market, price))]
    return _unsold(position, f"{reasons[0]} now: /close {position.id} asks again") if reasons else quantity


def too_small(quantity: Decimal, market: Market, price: Decimal) -> str:
    """Why a venue would not take an order for so much; empty where it would."""
    value = quantity * price
    if value >= market.min_notional:
        return ""
    worth, least = grouped(rounded(value, market.quote)), f"{_figure(market.min_notional)} {market.quote}"
    return f"{_figure(quantity)} {market.base} are worth {worth} {market.quote}, and the least is {least}"


def _figure(quantity: Decimal) -> str:
    return grouped(quantity.normalize())


def _unsold(position: Position, reason: str) -> Unsold:
    return Unsold(position_id=position.id, symbol=position.symbol, reason=reason)
