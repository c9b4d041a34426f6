"""How much to trade: from equity at risk and the distance of the stop to whole lots."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.decisions import Decision, Signals
from engine.domain.market import Market
from engine.domain.orders import Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk import scalars
from engine.risk.units import Units, down, ppm_down, up


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
    if signals.stop_distance is None or not signals.stop_distance > 0:
        return None
    units = Units(market=market)
    ticks, distance = down(units.ticks(price)), up(units.ticks(Decimal(repr(signals.stop_distance))))
    stop = scalars.stop_ticks(ticks, distance)
    if not stop:
        return None
    lots = scalars.lots_at_risk(down(units.grains(portfolio.equity)), ppm_down(risk_per_trade), distance)
    return TradePlan(
        key=decision.key,
        context=decision.context,
        venue=venue,
        symbol=decision.symbol,
        side=Side.BUY,
        quantity=market.quantity(lots),
        price=price,
        stop=stop * market.tick,
        target=_target(ticks, signals.target_distance, units) if signals.target_distance else None,
    )


def _target(ticks: float, distance: float, units: Units) -> Decimal:
    """The price so far above another one.

    Raises:
        DataError: The market can quote none there.
    """
    above = scalars.target_ticks(ticks, down(units.ticks(Decimal(repr(distance)))))
    return units.market.price(above * units.market.tick)
