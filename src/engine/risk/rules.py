"""The rules that every entry must pass. Each looks at one thing and passes, shrinks or stops the plan.

A rule returns the quantity it allows: the plan's own to pass it, less to shrink it, zero to stop it; with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.domain.currencies import rounded
from engine.domain.figures import plain
from engine.domain.market import Level
from engine.domain.trading import Buying, Portfolio, Position, RiskView, TradePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The limits in force, as fractions: of equity where money is meant, of the price where prices are.

    Attributes:
        risk_per_trade: What one trade may lose at its stop.
        max_position: The largest value held of one coin, over all contexts.
        max_exposure: The largest value of everything held.
        max_drawdown: The step at which falls below the peak count: at each further one entries pause.
        drawdown_pause: How long such a pause lasts.
        recovery_size: What each such step leaves of the three sizes above, until drawdown is less than it again.
        max_total_drawdown: From this fall on there are no entries until an admin says so.
        max_spread: The widest spread traded into.
        max_price_gap: The farthest the book may be from the last close.
        max_slippage: The farthest the mean fill price may be from the best price.
    """

    risk_per_trade: Decimal = Decimal("0.01")
    max_position: Decimal = Decimal("0.25")
    max_exposure: Decimal = Decimal("0.75")
    max_drawdown: Decimal = Decimal("0.10")
    drawdown_pause: timedelta = timedelta(hours=48)
    recovery_size: Decimal = Decimal("0.5")
    max_total_drawdown: Decimal = Decimal("0.25")
    max_spread: Decimal = Decimal("0.005")
    max_price_gap: Decimal = Decimal("0.02")
    max_slippage: Decimal = Decimal("0.005")

    def steps(self, drawdown: Decimal) -> int:
        """How many times ``max_drawdown`` fits into a drawdown."""
        return int(drawdown / self.max_drawdown)

    def size_at(self, drawdown: Decimal) -> Decimal:
        """What a drawdown leaves of the sizes of entries: ``recovery_size`` to the power of its steps."""
        return self.recovery_size ** self.steps(drawdown)

    def pause_due(self, portfolio: Portfolio) -> bool:
        """Whether drawdown has reached a step further down than the one at which entries were last paused."""
        return self.steps(portfolio.drawdown) > self.steps(portfolio.paused_at)

    def total_reached(self, portfolio: Portfolio) -> bool:
        """Whether only an admin lets entries go on."""
        return portfolio.total_fall >= self.max_total_drawdown

    def pause_words(self, portfolio: Portfolio) -> str:
        """Why entries pause."""
        reached = self.steps(portfolio.drawdown) * self.max_drawdown
        return f"drawdown {portfolio.drawdown:.1%} has reached the limit of {reached:.1%}"

    def total_words(self, portfolio: Portfolio) -> str:
        """Why entries have ended."""
        if portfolio.total_from is None:
            return f"drawdown {portfolio.drawdown:.1%} has reached the total limit of {self.max_total_drawdown:.1%}"
        return (
            f"drawdown {portfolio.drawdown:.1%}: equity has fallen by the total limit of {self.max_total_drawdown:.1%} "
            f"from {_told(portfolio.total_from, portfolio.quote)}, its highest since an admin let entries go on"
        )


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
    """No entries where a halt for it is due, and less at risk than usual until it has been made good."""
    account = view.portfolio
    if limits.total_reached(account):
        return Verdict(quantity=_NOTHING, reason=limits.total_words(account))
    if limits.pause_due(account):
        return Verdict(quantity=_NOTHING, reason=limits.pause_words(account))
    allowed = _share(limits.risk_per_trade, account, limits) * account.equity
    if not limits.steps(account.drawdown) or plan.risk <= allowed:
        return None
    most = _told(allowed, view.market.quote)
    reason = f"a trade risks at most {_of_equity(limits.risk_per_trade, account, limits)}: {most}"
    return Verdict(quantity=plan.quantity * allowed / plan.risk, reason=reason)


def one_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """A context holds at most one position of a market, and does not buy it twice."""
    del limits
    own = (plan.context, plan.market)
    held = [f"already holds {p.id}" for p in view.portfolio.positions if (p.context, p.market) == own]
    buying = [f"is already buying: {o.order_id}" for o in view.portfolio.buying if (o.context, o.market) == own]
    return Verdict(quantity=_NOTHING, reason=f"{plan.context} {[*held, *buying][0]}") if held or buying else None


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
    """One coin is worth at most so much of equity, whoever holds or is buying it."""
    account, base = view.portfolio, view.market.base
    held = [(f"{p.id} ({p.context}) holds", p.quantity * account.mark(p)) for p in account.positions if _of(p, base)]
    buying = [(f"{o.order_id} ({o.context}) is buying", o.value) for o in account.buying if _of(o, base)]
    taken = sum((value for _, value in (*held, *buying)), _NOTHING)
    room = _share(limits.max_position, account, limits) * account.equity - taken
    already = ", ".join(f"{who} {_told(value, view.market.quote)}" for who, value in (*held, *buying))
    return _value(plan, room, f"{base} is at most {_of_equity(limits.max_position, account, limits)}", already)


def max_exposure(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Everything held is worth at most so much of equity."""
    account = view.portfolio
    room = _share(limits.max_exposure, account, limits) * account.equity - account.exposure
    already = f"{_told(account.exposure, view.market.quote)} is held or being bought" if account.exposure else ""
    return _value(plan, room, f"exposure is at most {_of_equity(limits.max_exposure, account, limits)}", already)


def cash(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only what can be paid, with room for slippage and fees."""
    affordable = view.portfolio.cash / (1 + 2 * limits.max_slippage)
    return _value(plan, affordable, "cash is limited to what is free, less room for slippage and fees")


def min_notional(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The venue takes no dust."""
    del limits
    if plan.notional >= view.market.min_notional and plan.quantity > 0:
        return None
    value, least = _told(plan.notional, view.market.quote), plain(view.market.min_notional)
    reason = f"an order of {value} {view.market.quote} is below the venue's minimum of {least}"
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


def _of(bought: Position | Buying, base: str) -> bool:
    return bought.market.partition("/")[0] == base


def _share(usual: Decimal, account: Portfolio, limits: RiskLimits) -> Decimal:
    """What the drawdown leaves of a share of equity."""
    return usual * limits.size_at(account.drawdown)


def _of_equity(usual: Decimal, account: Portfolio, limits: RiskLimits) -> str:
    share = _share(usual, account, limits)
    without = "" if share == usual else f" ({_percent(usual)} without the drawdown of {account.drawdown:.1%})"
    return f"{_percent(share)} of equity{without}"


def _percent(share: Decimal) -> str:
    return f"{(100 * share).normalize():f}%"


def _told(value: Decimal, currency: str) -> str:
    return plain(rounded(value, currency))


def _value(plan: TradePlan, room: Decimal, rule: str, already: str = "") -> Verdict | None:
    if plan.notional <= room:
        return None
    room = max(_NOTHING, room)
    reason = (
        f"{rule}: there is room for {_told(room, plan.market.partition('/')[2])}{f', for {already}' if already else ''}"
    )
    return Verdict(quantity=room / plan.price, reason=reason)
