"""The limits of the risk rules in exact decimals: what the floats of ``risk.scalars`` must never exceed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.judging import RiskView
from engine.domain.market import Level
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk.limits import RiskLimits
from engine.risk.room import coin_room, exposure_room


def depth_within(levels: Sequence[Level], allowed: Decimal) -> Decimal:
    """How much can be taken from a side of the book with a mean price at most ``allowed`` from the best one."""
    best, taken, paid = levels[0].price, Decimal(0), Decimal(0)
    for level in levels:
        away = abs(level.price - best) / best
        if away > allowed:
            # Taking x here keeps the mean within the limit while paid + x * away <= allowed * (taken + x).
            return taken + min(level.quantity, (allowed * taken - paid) / (away - allowed))
        taken += level.quantity
        paid += level.quantity * away
    return taken


def steps(drawdown: Decimal, limits: RiskLimits) -> int:
    """How many times the step of a drawdown fits into one."""
    return int(drawdown / limits.max_drawdown)


def falls_too_far(account: Portfolio, limits: RiskLimits) -> bool:
    """Whether a drawdown stops entries."""
    if account.total_fall >= limits.max_total_drawdown:
        return True
    return steps(account.drawdown, limits) > steps(account.paused_drawdown, limits)


def quantity(rule: str, plan: TradePlan, view: RiskView, limits: RiskLimits) -> Decimal:
    """What a rule allows of a plan, in the base currency and not cut to lots."""
    account, book, close = view.portfolio, view.book, view.close
    size = limits.recovery_size ** steps(account.drawdown, limits)
    most: Decimal | None = None
    match rule:
        case "drawdown":
            if falls_too_far(account, limits):
                return Decimal(0)
            allowed = limits.risk_per_trade * size * account.equity
            cuts = steps(account.drawdown, limits) and plan.risk > 0
            most = plan.quantity * allowed / plan.risk if cuts else None
        case "price_sanity":
            far = abs(book.mid - close) / close > limits.max_price_gap
            most = Decimal(0) if far or (plan.stop is not None and book.bid <= plan.stop) else None
        case "spread":
            most = Decimal(0) if (book.ask - book.bid) / book.mid > limits.max_spread else None
        case "max_position":
            taken = coin_room(view.market.symbol, account, limits).taken
            most = (limits.max_position * size * account.equity - taken) / plan.price
        case "max_exposure":
            taken = exposure_room(view.market.quote, account, limits).taken
            most = (limits.max_exposure * size * account.equity - taken) / plan.price
        case "cash":
            most = account.spendable(plan.venue) / (1 + 2 * limits.max_slippage) / plan.price
        case "slippage":
            most = depth_within(book.asks, limits.max_slippage)
        case "min_notional":
            most = Decimal(0) if plan.notional < view.market.min_notional else None
        case _:
            raise AssertionError(f"{rule} is no rule of numbers")
    return plan.quantity if most is None else max(Decimal(0), min(plan.quantity, most))
