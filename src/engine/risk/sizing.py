"""How much to trade: from equity at risk and the distance of the stop to whole lots."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.decisions import Decision, Signals
from engine.domain.errors import DataError
from engine.domain.market import Market
from engine.domain.orders import Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio


def lots_at_risk(equity: float, risk_fraction: float, stop_distance: float, lot: float) -> int:
    """Whole lots that lose ``risk_fraction`` of equity when the price moves by ``stop_distance``.

    Fixed-fractional sizing: lots = equity * fraction / (stop distance * lot), rounded down
    (R. Vince, Portfolio Management Formulas, 1990).

    Args:
        equity: In the quote currency.
        risk_fraction: Of equity, e.g. 0.01.
        stop_distance: Between entry and stop, in the quote currency; above 0.
        lot: The smallest step of a quantity, in the base currency.
    """
    return int(equity * risk_fraction / (stop_distance * lot))


def plan(
    decision: Decision,
    signals: Signals,
    *,
    venue: str,
    market: Market,
    price: Decimal,
    portfolio: Portfolio,
    risk_per_trade: Decimal,
) -> TradePlan | None:
    """The trade that an entry asks for, before any rule has looked at it.

    Returns:
        ``None`` where the strategy gave no stop distance or the stop would not be above zero.
    """
    distance = signals.stop_distance
    stop = _below(price, distance, market) if distance and distance > 0 else None
    if not distance or stop is None:
        return None
    lots = lots_at_risk(float(portfolio.equity), float(risk_per_trade), distance, float(market.lot))
    target = signals.target_distance
    return TradePlan(
        key=decision.key,
        context=decision.context,
        venue=venue,
        symbol=decision.symbol,
        side=Side.BUY,
        quantity=market.quantity(lots),
        price=price,
        stop=stop,
        target=market.price(float(price) + target) if target else None,
    )


def _below(price: Decimal, distance: float, market: Market) -> Decimal | None:
    """The price so far below another one; ``None`` where the market can quote none there."""
    try:
        return market.price(float(price) - distance)
    except DataError:
        return None
