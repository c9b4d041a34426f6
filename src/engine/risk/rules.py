"""The rules that every entry must pass. Each looks at one thing and passes, shrinks or stops the plan.

A rule returns the quantity it allows: the plan's own to pass it, less to shrink it, zero to stop it; with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.domain.figures import cents, plain
from engine.domain.market import Level
from engine.domain.trading import RiskView, TradePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The limits in force, as fractions: of equity where money is meant, of the price where prices are.

    Attributes:
        risk_per_trade: What one trade may lose at its stop.
        max_position: The largest value of one position.
        max_exposure: The largest value of everything held.
        max_drawdown: From this fall below the peak on there are no new entries.
        drawdown_pause: How long such a pause lasts; then drawdown counts from the equity of that moment.
        max_spread: The widest spread traded into.
        max_price_gap: The farthest the book may be from the last close.
        max_slippage: The farthest the mean fill price may be from the best price.
    """

    risk_per_trade: Decimal = Decimal("0.01")
    max_position: Decimal = Decimal("0.25")
    max_exposure: Decimal = Decimal("0.75")
    max_drawdown: Decimal = Decimal("0.10")
    drawdown_pause: timedelta = timedelta(hours=48)
    max_spread: Decimal = Decimal("0.005")
    max_price_gap: Decimal = Decimal("0.02")
    max_slippage: Decimal = Decimal("0.005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule allows of a plan, and why."""

    quantity: Decimal
    reason: str


Rule = Callable[[TradePlan, RiskView, RiskLimits], Verdict | None]
"""``None`` passes the plan as it is."""

_NOTHING = Decimal(0)


def halts(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries while anything is halted that concerns this market."""
    del limits
    stopping = [halt for halt in view.halts if halt.stops(plan.market, view.now)]
    return Verdict(quantity=_NOTHING, reason=stopping[0].reason) if stopping else None


def market_data(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries by a clock that is wrong, or while the venue is away."""
    del plan, limits
    return Verdict(quantity=_NOTHING, reason=view.no_entry) if view.no_entry else None


def drawdown(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries this far below the peak."""
    del plan
    fallen = view.portfolio.drawdown
    if fallen < limits.max_drawdown:
        return None
    return Verdict(quantity=_NOTHING, reason=f"drawdown {fallen:.1%} has reached {limits.max_drawdown:.1%}")


def one_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """A context holds at most one position of a market."""
    del limits
    held = [p for p in view.portfolio.positions if (p.context, p.market) == (plan.context, plan.market)]
    return Verdict(quantity=_NOTHING, reason=f"{plan.context} already holds {held[0].id}") if held else None


def price_sanity(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The book must be near the last close, and the stop below the price."""
    gap = abs(view.book.mid - view.stats.close) / view.stats.close
    if gap > limits.max_price_gap:
        reason = f"the book is {gap:.2%} away from the last close; {limits.max_price_gap:.2%} is allowed"
        return Verdict(quantity=_NOTHING, reason=reason)
    if plan.stop is not None and view.book.bid <= plan.stop:
        return Verdict(quantity=_NOTHING, reason=f"the price has fallen to the stop at {plain(plan.stop)}")
    return None


def spread(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries into a wide spread."""
    del plan
    wide = (view.book.ask - view.book.bid) / view.book.mid
    if wide <= limits.max_spread:
        return None
    return Verdict(quantity=_NOTHING, reason=f"the spread is {wide:.2%}; {limits.max_spread:.2%} is allowed")


def slippage(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only as much as the book takes within the allowed slippage."""
    fits = depth_within(view.book.asks, limits.max_slippage)
    if plan.quantity <= fits:
        return None
    return Verdict(
        quantity=fits, reason=f"the book takes {plain(fits, 8)} within {limits.max_slippage:.2%} of slippage"
    )


def max_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """One position is worth at most so much of equity."""
    return _value(plan, limits.max_position * view.portfolio.equity, f"a position is at most {limits.max_position:.0%}")


def max_exposure(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Everything held is worth at most so much of equity."""
    room = limits.max_exposure * view.portfolio.equity - view.portfolio.exposure
    return _value(plan, room, f"exposure is at most {limits.max_exposure:.0%}")


def cash(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only what can be paid, with room for slippage and fees."""
    affordable = view.portfolio.cash / (1 + 2 * limits.max_slippage)
    return _value(plan, affordable, "cash is limited", of="what is free, less room for slippage and fees")


def min_notional(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The venue takes no dust."""
    del limits
    if plan.notional >= view.market.min_notional and plan.quantity > 0:
        return None
    reason = (
        f"an order of {plain(cents(plan.notional))} is below the venue's minimum of {plain(view.market.min_notional)}"
    )
    return Verdict(quantity=_NOTHING, reason=reason)


ENTRY_RULES: tuple[Rule, ...] = (
    halts,
    market_data,
    drawdown,
    one_position,
    price_sanity,
    spread,
    max_position,
    max_exposure,
    cash,
    slippage,
    min_notional,
)
"""In the order in which they are asked: what stops comes first, dust is looked for last."""


def depth_within(levels: tuple[Level, ...], allowed: Decimal) -> Decimal:
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


def _value(plan: TradePlan, room: Decimal, rule: str, of: str = "of equity") -> Verdict | None:
    if plan.notional <= room:
        return None
    return Verdict(
        quantity=max(_NOTHING, room / plan.price), reason=f"{rule} {of}: there is room for {plain(cents(room))}"
    )
