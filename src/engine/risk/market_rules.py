"""The rules that look at how a market has moved of late, and at the clock. As ``engine.risk.rules``."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.domain.figures import grouped
from engine.domain.judging import RiskView
from engine.domain.plans import TradePlan
from engine.domain.risk_stats import RiskStats
from engine.risk import metrics, scalars
from engine.risk.limits import RiskLimits, apart, in_words, percent
from engine.risk.units import Units, down, ppm_down, up
from engine.risk.verdicts import Verdict, at_most, denied

_PLACES = 9
"""As exactly as a fall is told: 1 - 0.9 is 0.1."""


def trading_hours(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries in hours of which it is known that little is traded."""
    del plan
    return denied(closed(view.now, limits))


def volatility(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries into a market that moves too much in a day."""
    return denied(too_volatile(plan.symbol, view.stats, limits))


def flash_crash(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries into a market that has just fallen too far by its candles; the book is held near these by another."""
    return denied(crashed(plan.symbol, view.stats, limits))


def daily_volume(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """An entry is worth at most so much of what a day trades in its market."""
    if limits.max_daily_volume is None:
        return None
    units, traded = Units(market=view.market), view.stats.known_volume if view.stats else 0.0
    grains = down(units.grains(Decimal(repr(traded))))
    price = up(units.ticks(plan.price))
    lots = scalars.lots_of_share(grains, ppm_down(limits.max_daily_volume), 0.0, price)
    quote, most = view.market.quote, limits.max_daily_volume * Decimal(repr(traded))
    return at_most(
        plan,
        view,
        lots,
        f"an entry is at most {percent(limits.max_daily_volume)} of what a day has traded, "
        f"{in_words(Decimal(repr(traded)), quote)} {quote}: {in_words(most, quote)}",
    )


def bad_day(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """A trade loses at most so much of equity on a bad day: over its ATR, or 1.645 times its volatility of a day."""
    if limits.risk_per_day is None:
        return None
    stats, units = view.stats, Units(market=view.market)
    if stats is None or stats.volatility is None or stats.atr is None:
        return denied(f"how far {plan.symbol} moves in a day is not known yet")
    volatile = metrics.NORMAL_95 * stats.volatility * float(plan.price)
    distance = Decimal(repr(max(stats.atr, volatile)))
    equity, share = down(units.grains(view.portfolio.equity)), ppm_down(limits.risk_per_day)
    lots = scalars.cut_to_risk(int(view.market.lots(plan.quantity)), equity, share, up(units.ticks(distance)))
    most = in_words(limits.risk_per_day * view.portfolio.equity, view.market.quote)
    return at_most(
        plan,
        view,
        lots,
        f"a trade loses at most {percent(limits.risk_per_day)} of equity on a bad day, {most}; "
        f"{plan.symbol} moves by {grouped(distance, 6)} on one",
    )


def closed(at: datetime, limits: RiskLimits) -> str:
    """Why nothing may be entered at a time; empty where it may."""
    local = at.astimezone(limits.hours_zone)
    within = next((hours for hours in limits.closed_hours if hours.has(local)), None)
    return f"nothing is entered {within} ({limits.hours_zone}); it is {local:%H:%M}" if within else ""


def too_volatile(symbol: str, stats: RiskStats | None, limits: RiskLimits) -> str:
    """Why a market may not be entered for its volatility; empty where it may."""
    if limits.max_volatility is None:
        return ""
    if stats is None or stats.volatility is None:
        return f"the volatility of {symbol} is not known yet"
    if Decimal(repr(stats.volatility)) <= limits.max_volatility:
        return ""
    volatile, _ = apart(stats.volatility, limits.max_volatility)
    return f"the volatility of {symbol} is {volatile} a day; {percent(limits.max_volatility)} is allowed"


def crashed(symbol: str, stats: RiskStats | None, limits: RiskLimits) -> str:
    """Why a market may not be entered for how far it has fallen; empty where it may."""
    if limits.max_fall is None:
        return ""
    if stats is None:
        return f"how far {symbol} has fallen is not known"
    candles = max(1, -(-limits.fall_within // stats.timeframe.duration))
    fall = round(metrics.fall_from_highest(stats.returns[-candles:]), _PLACES)
    if Decimal(repr(fall)) < limits.max_fall:
        return ""
    return (
        f"{symbol} has fallen by {fall:.2%} within {_candles(candles, stats)}; "
        f"less than {percent(limits.max_fall)} is allowed"
    )


def refused_at_close(stats: RiskStats, at: datetime, limits: RiskLimits) -> str:
    """Why a market may not be entered at a close, whatever the account; empty where it may. A backtest asks it too."""
    return closed(at, limits) or too_volatile(stats.symbol, stats, limits) or crashed(stats.symbol, stats, limits)


def _candles(count: int, stats: RiskStats) -> str:
    return f"{count} candles of {stats.timeframe}" if count > 1 else f"a {stats.timeframe} candle"
