"""The rules that look at what is held beside the plan, and at how it went of late. As ``engine.risk.rules``."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.judging import RiskView
from engine.domain.plans import TradePlan
from engine.risk import scalars
from engine.risk.limits import RiskLimits, apart, in_words, percent
from engine.risk.portfolio_risk import PortfolioRisk, risk_of, with_entry
from engine.risk.room import correlated_room, sector_room
from engine.risk.units import Units, down, ppm_down, up
from engine.risk.verdicts import Verdict, at_most, denied

_PARTS = 32
"""Into so many equal parts an entry is cut to find out how much of it keeps within a value at risk."""


def losing_streak(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries of a context for a while after some losses in a row."""
    count, newest_at = view.losses.count, view.losses.newest_at
    if limits.max_losses is None or newest_at is None or count < limits.max_losses:
        return None
    ends = newest_at + limits.losing_pause
    if view.now >= ends:
        return None
    return denied(f"{plan.context} has lost {count} trades in a row: it enters nothing until {ends:%Y-%m-%d %H:%M} UTC")


def max_positions(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """At most so many positions are open at once, what is being bought included."""
    if limits.max_positions is None:
        return None
    account, own = view.portfolio, (plan.context, plan.symbol)
    held = {(each.context, each.symbol) for each in account.positions}
    there = (held | {(each.context, each.symbol) for each in account.buying}) - {own}
    if len(there) < limits.max_positions:
        return None
    return denied(f"{len(there)} positions are open or being bought; {limits.max_positions} are allowed")


def open_risk(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Everything open together loses at most so much of equity if each position is stopped."""
    if limits.max_open_risk is None:
        return None
    account, units = view.portfolio, Units(market=view.market)
    taken, distance = account.at_risk, plan.price if plan.stop is None else plan.price - plan.stop
    lots = scalars.cut_to_share(
        int(view.market.lots(plan.quantity)),
        down(units.grains(account.equity)),
        ppm_down(limits.max_open_risk),
        up(units.grains(taken)),
        up(units.ticks(distance)),
    )
    quote = view.market.quote
    most, already = in_words(limits.max_open_risk * account.equity, quote), in_words(taken, quote)
    return at_most(
        plan,
        view,
        lots,
        f"everything open risks at most {percent(limits.max_open_risk)} of equity to its stops, {most}; "
        f"{already} is at risk already",
    )


def sector(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The coins of one sector are worth at most so much of equity together, whoever holds or is buying them."""
    name = limits.sector_of(view.market.base)
    if limits.max_sector is None or not name:
        return None
    left = sector_room(view.market.symbol, name, view.portfolio, limits, limits.max_sector)
    return at_most(plan, view, _lots_of_share(plan, view, limits.max_sector, left.taken), left.words)


def correlation(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Coins that move together are worth at most so much of equity; what is not known counts as if they did."""
    if limits.max_correlated is None:
        return None
    known = view.stats.correlations if view.stats else {}
    left = correlated_room(view.market.symbol, known, view.portfolio, limits, limits.max_correlated)
    return at_most(plan, view, _lots_of_share(plan, view, limits.max_correlated, left.taken), left.words)


def value_at_risk(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """What everything held may lose on a day stays within value at risk and what lies beyond it, both at 95 %.

    All of the plan, or the most of its 32nds up to which every one keeps within.
    """
    if limits.max_var is None and limits.max_cvar is None:
        return None
    if view.stats is None or view.portfolio.equity <= 0:
        return denied("the value at risk is not known")
    base = risk_of(view.portfolio, view.stats)
    if base.unknown:
        return denied(f"the value at risk is not known: there are no {view.stats.timeframe} returns of {base.unknown}")
    lots = int(view.market.lots(plan.quantity))
    value = plan.notional / lots if lots else Decimal(0)
    allowed = _within(base, plan.symbol, lots, value, limits)
    if allowed >= lots:
        return None
    whole = with_entry(base, plan.symbol, plan.notional)
    return Verdict(lots=allowed, reason=_over(base, whole, limits))


def _within(base: PortfolioRisk, symbol: str, lots: int, each: Decimal, limits: RiskLimits) -> int:
    """How many of the lots keep within the limits, each worth so much."""
    allowed = -1
    for part in range(_PARTS + 1):
        some = lots * part // _PARTS
        if not _keeps(with_entry(base, symbol, some * each), limits):
            break
        allowed = some
    if allowed >= 0 and _keeps(with_entry(base, symbol, lots * each), limits):
        return lots
    return max(allowed, 0)


def _keeps(risk: PortfolioRisk, limits: RiskLimits) -> bool:
    """Whether figures are known and within the limits."""
    pairs = ((risk.var, limits.max_var), (risk.cvar, limits.max_cvar))
    return all(most is None or (value is not None and value <= down(most)) for value, most in pairs)


def _over(base: PortfolioRisk, whole: PortfolioRisk, limits: RiskLimits) -> str:
    """What the limits are, what is used of them, and what it would be."""
    if whole.var is None or whole.cvar is None:
        return "the value at risk is not known: there are too few candles"
    named = (("VaR 95%", base.var, whole.var, limits.max_var), ("CVaR 95%", base.cvar, whole.cvar, limits.max_cvar))
    return "; ".join(
        f"{name} of a day is at most {percent(most)} of equity: "
        f"it is {now or 0:.2%} and would be {apart(then, most)[0]}"
        for name, now, then, most in named
        if most is not None
    )


def _lots_of_share(plan: TradePlan, view: RiskView, share: Decimal, taken: Decimal) -> int:
    units = Units(market=view.market)
    return scalars.lots_of_share(
        down(units.grains(view.portfolio.equity)), ppm_down(share), up(units.grains(taken)), up(units.ticks(plan.price))
    )
