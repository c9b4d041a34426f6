"""The rules that every entry must pass. Each looks at one thing and passes, shrinks or stops the plan.

A rule returns the lots it allows: fewer than the plan's to shrink it, none to stop it; with the reason. How many these
are is said in ``engine.risk.scalars``, which a backtest calls too; here are the words around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.figures import grouped, plain
from engine.domain.halts import Halt
from engine.domain.judging import RiskView
from engine.domain.market import Listing
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk import scalars
from engine.risk.limits import RiskLimits, apart, in_words, percent
from engine.risk.market_rules import bad_day, daily_volume, flash_crash, trading_hours, volatility
from engine.risk.portfolio_rules import (
    correlation,
    losing_streak,
    max_positions,
    open_risk,
    sector,
    value_at_risk,
)
from engine.risk.room import capital_room, cash_room, coin_room, exposure_room
from engine.risk.slices import lots_of_book, within_slices
from engine.risk.units import Units, down, ppm_down, ppm_up, up
from engine.risk.verdicts import Rule, Verdict, at_most, denied


def halts(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries while anything is halted that concerns this market."""
    del limits
    return denied(halted(plan.listing, view.halts, view.now))


def market_data(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries by a clock that is wrong, or while the venue is away."""
    del plan, limits
    return denied(view.no_entry)


def risk_figures(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries while nobody knows how the market has moved of late."""
    del limits
    stats = view.stats
    if stats is None:
        return denied(f"the risk figures of {plan.symbol} are missing: its candles are not known, or not good")
    if not stats.is_stale(view.now):
        return None
    age, most = _hours(stats.age(view.now)), _hours(stats.good_for)
    return denied(f"the risk figures of {plan.symbol} are {age} old; {most} are allowed, two {stats.timeframe} candles")


def drawdown(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries where a halt for it is due, and less at risk than usual until it has been made good."""
    account = view.portfolio
    if reason := fallen(account, limits):
        return denied(reason)
    if not limits.steps(account.drawdown):
        return None
    units, begun = Units(market=view.market), view.market.lots(plan.begun)
    whole = view.market.lots(plan.quantity) + begun
    distance = plan.price if plan.stop is None else plan.price - plan.stop
    equity, share = down(units.grains(account.equity)), _share_left(limits.risk_per_trade, account, limits)
    allowed = scalars.cut_to_risk(whole, equity, share, up(units.ticks(distance)))
    if allowed == whole:
        return None
    most = in_words(limits.share(limits.risk_per_trade, account) * account.equity, view.market.quote)
    reason = f"a trade risks at most {limits.share_words(limits.risk_per_trade, account)}: {most}"
    return Verdict(lots=max(allowed - begun, 0), reason=reason)


def one_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """A context holds at most one position of a market, and does not buy it twice; a trade that was begun goes on."""
    del limits
    account = view.portfolio
    if not plan.starter:
        return denied(taken(plan.context, plan.symbol, account))
    buying = tuple(order for order in account.buying if order.order_id != plan.starter)
    held = tuple(position for position in account.positions if position.id != plan.position_id)
    if len(buying) == len(account.buying) and len(held) == len(account.positions):
        return denied(f"what {plan.starter} has begun is over")
    return denied(taken(plan.context, plan.symbol, replace(account, buying=buying, positions=held)))


def price_sanity(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The book must be near the last close, and the stop below the price."""
    mid, close, units = view.book.mid, view.close, Units(market=view.market)
    far, near = (up, down) if mid >= close else (down, up)
    most = ppm_down(limits.max_price_gap)
    if not scalars.is_near_close(far(units.ticks(mid)), near(units.ticks(close)), most):
        gap, allowed = apart(abs(mid - close) / close, limits.max_price_gap)
        return denied(f"the book is {gap} away from the last close; {allowed} is allowed")
    bid, stop = view.book.bid, plan.stop
    if stop is not None and not scalars.is_above_stop(down(units.ticks(bid)), up(units.ticks(stop))):
        return denied(f"the price has fallen to the stop at {grouped(stop)}")
    return None


def spread(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries into a wide spread."""
    del plan
    units, book = Units(market=view.market), view.book
    if scalars.is_tight(down(units.ticks(book.bid)), up(units.ticks(book.ask)), ppm_down(limits.max_spread)):
        return None
    wide, allowed = apart((book.ask - book.bid) / book.mid, limits.max_spread)
    return denied(f"the spread is {wide}; {allowed} is allowed")


def slippage(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only as much as the book takes within the allowed slippage: at once, or in each of its slices."""
    if plan.execution.slicing is not None:
        return within_slices(plan, plan.execution.slicing, view, limits)
    fits = lots_of_book(view, limits)
    if view.market.lots(plan.quantity) <= fits:
        return None
    taken = grouped(view.market.quantity(fits), 8)
    return Verdict(lots=fits, reason=f"the book takes {taken} within {percent(limits.max_slippage)} of slippage")


def max_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """One coin is worth at most so much of equity, whoever holds or is buying it."""
    left = coin_room(view.market.symbol, view.portfolio, limits)
    return at_most(plan, view, _lots_of_share(plan, view, limits, limits.max_position, left.taken), left.words)


def max_exposure(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Everything held is worth at most so much of equity."""
    left = exposure_room(view.market.quote, view.portfolio, limits)
    return at_most(plan, view, _lots_of_share(plan, view, limits, limits.max_exposure, left.taken), left.words)


def capital(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only as much as the stage of capital leaves, with room for slippage and fees."""
    left = capital_room(plan.listing, view.portfolio, limits)
    if left is None or view.portfolio.capital is None:
        return None
    units = Units(market=view.market)
    free, price = down(units.grains(view.portfolio.capital - left.taken)), up(units.ticks(plan.price))
    return at_most(plan, view, scalars.lots_of_cash(free, ppm_up(limits.max_slippage), price), left.words)


def cash(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only what can be paid at its venue, with room for slippage and fees."""
    units, left = Units(market=view.market), cash_room(plan.listing, view.portfolio, limits)
    free, price = down(units.grains(view.portfolio.spendable(plan.venue))), up(units.ticks(plan.price))
    return at_most(plan, view, scalars.lots_of_cash(free, ppm_up(limits.max_slippage), price), left.words)


def min_notional(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The venue takes no dust."""
    del limits
    market, units = view.market, Units(market=view.market)
    price, least = down(units.ticks(plan.price)), up(units.grains(market.min_notional))
    if scalars.is_worth_sending(market.lots(plan.quantity), price, least):
        return None
    value = in_words(plan.notional, market.quote)
    smallest = grouped(market.min_notional)
    return denied(f"an order of {value} {market.quote} is below the venue's minimum of {smallest}")


ENTRY_RULES: tuple[Rule, ...] = (
    halts,
    market_data,
    risk_figures,
    trading_hours,
    volatility,
    flash_crash,
    losing_streak,
    drawdown,
    one_position,
    max_positions,
    price_sanity,
    spread,
    bad_day,
    open_risk,
    max_position,
    sector,
    correlation,
    max_exposure,
    capital,
    cash,
    daily_volume,
    slippage,
    value_at_risk,
    min_notional,
)
"""In the order in which they are asked: what stops comes first, dust is looked for last."""


def halted(listing: Listing, standing: Sequence[Halt], now: datetime) -> str:
    """Why nothing may be entered in a market while something is halted; empty where it may."""
    return next((halt.reason for halt in standing if halt.blocks(listing, now)), "")


def fallen(account: Portfolio, limits: RiskLimits) -> str:
    """Why nothing may be entered for a drawdown; empty where it may."""
    if limits.total_reached(account):
        return limits.total_words(account)
    return limits.pause_words(account) if limits.pause_due(account) else ""


def taken(context: str, symbol: str, account: Portfolio) -> str:
    """What a context has of a market already, so that it may not enter it; empty where that is nothing."""
    own = (context, symbol)
    held = [f"already holds {p.id}" for p in account.positions if (p.context, p.symbol) == own]
    buying = [f"is already buying: {o.order_id}" for o in account.buying if (o.context, o.symbol) == own]
    return f"{context} {[*held, *buying][0]}" if held or buying else ""


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{plain(hours, 2)} hours" if hours >= 1 else f"{plain(60 * hours, 1)} minutes"


def _share_left(usual: Decimal, account: Portfolio, limits: RiskLimits) -> float:
    """What the drawdown leaves of a share of equity, in millionths."""
    return scalars.share_left(ppm_down(usual), ppm_down(limits.recovery_size), limits.steps(account.drawdown))


def _lots_of_share(plan: TradePlan, view: RiskView, limits: RiskLimits, usual: Decimal, taken: Decimal) -> int:
    """How many lots fit into a share of equity of which something has been taken."""
    units, account = Units(market=view.market), view.portfolio
    return scalars.lots_of_share(
        down(units.grains(account.equity)),
        _share_left(usual, account, limits),
        up(units.grains(taken)),
        up(units.ticks(plan.price)),
    )
