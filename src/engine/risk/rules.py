"""The rules that every entry must pass. Each looks at one thing and passes, shrinks or stops the plan.

A rule returns the quantity it allows: the plan's own to pass it, less to shrink it, zero to stop it; with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.halts import Halt
from engine.domain.judging import RiskView
from engine.domain.market import Level
from engine.domain.plans import TradePlan
from engine.domain.positions import Buying, Portfolio, Position


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

    def coin_limit(self, account: Portfolio) -> Decimal:
        """What one coin may be worth now, in the quote currency."""
        return self.max_position * self.size_at(account.drawdown) * account.equity

    def exposure_limit(self, account: Portfolio) -> Decimal:
        """What everything held may be worth now, in the quote currency."""
        return self.max_exposure * self.size_at(account.drawdown) * account.equity

    def pause_due(self, portfolio: Portfolio) -> bool:
        """Whether drawdown has reached a step further down than the one at which entries were last paused."""
        return self.steps(portfolio.drawdown) > self.steps(portfolio.paused_drawdown)

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
    return _denied(halted(plan.symbol, view.halts, view.now))


def market_data(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries by a clock that is wrong, or while the venue is away."""
    del plan, limits
    return _denied(view.no_entry)


def drawdown(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """No entries where a halt for it is due, and less at risk than usual until it has been made good."""
    account = view.portfolio
    if reason := fallen(account, limits):
        return _denied(reason)
    allowed = _share(limits.risk_per_trade, account, limits) * account.equity
    if not limits.steps(account.drawdown) or plan.risk <= allowed:
        return None
    most = _told(allowed, view.market.quote)
    reason = f"a trade risks at most {_of_equity(limits.risk_per_trade, account, limits)}: {most}"
    return Verdict(quantity=plan.quantity * allowed / plan.risk, reason=reason)


def one_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """A context holds at most one position of a market, and does not buy it twice."""
    del limits
    return _denied(taken(plan.context, plan.symbol, view.portfolio))


def price_sanity(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The book must be near the last close, and the stop below the price."""
    gap = abs(view.book.mid - view.stats.close) / view.stats.close
    if gap > limits.max_price_gap:
        reason = f"the book is {gap:.2%} away from the last close; {limits.max_price_gap:.2%} is allowed"
        return Verdict(quantity=_NOTHING, reason=reason)
    if plan.stop is not None and view.book.bid <= plan.stop:
        return Verdict(quantity=_NOTHING, reason=f"the price has fallen to the stop at {grouped(plan.stop)}")
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
        quantity=fits, reason=f"the book takes {grouped(fits, 8)} within {limits.max_slippage:.2%} of slippage"
    )


def max_position(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """One coin is worth at most so much of equity, whoever holds or is buying it."""
    return _value(plan, coin_room(view.market.symbol, view.portfolio, limits))


def max_exposure(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Everything held is worth at most so much of equity."""
    return _value(plan, exposure_room(view.market.quote, view.portfolio, limits))


def cash(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only what can be paid, with room for slippage and fees."""
    return _value(plan, cash_room(view.market.quote, view.portfolio, limits))


def min_notional(plan: TradePlan, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """The venue takes no dust."""
    del limits
    if plan.notional >= view.market.min_notional and plan.quantity > 0:
        return None
    value, least = _told(plan.notional, view.market.quote), grouped(view.market.min_notional)
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


def halted(symbol: str, standing: Sequence[Halt], now: datetime) -> str:
    """Why nothing may be entered in a market while something is halted; empty where it may."""
    return next((halt.reason for halt in standing if halt.blocks(symbol, now)), "")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a limit leaves for an entry: nothing where it is below 0.

    Attributes:
        quote: The currency that ``value`` is in.
        rule: The limit in words.
        already: What has been taken of it; empty for nothing.
    """

    value: Decimal
    quote: str
    rule: str
    already: str = ""

    @property
    def words(self) -> str:
        """Why there is no more."""
        room = f"there is room for {_told(self.value, self.quote)}" if self.value > 0 else "there is no room left"
        return f"{self.rule}: {room}{f', for {self.already}' if self.already else ''}"


def coin_room(symbol: str, account: Portfolio, limits: RiskLimits) -> Room:
    """What may still be bought of a market's coin."""
    base, _, quote = symbol.partition("/")
    held = [(f"{p.id} ({p.context}) holds", p.notional(account.mark(p))) for p in account.positions if _of(p, base)]
    buying = [(f"{o.order_id} ({o.context}) is buying", o.value) for o in account.buying if _of(o, base)]
    return Room(
        quote=quote,
        value=limits.coin_limit(account) - sum((value for _, value in (*held, *buying)), _NOTHING),
        rule=f"{base} is at most {_of_equity(limits.max_position, account, limits)}",
        already=", ".join(f"{who} {_told(value, quote)}" for who, value in (*held, *buying)),
    )


def exposure_room(quote: str, account: Portfolio, limits: RiskLimits) -> Room:
    """What may still be bought of anything."""
    return Room(
        quote=quote,
        value=limits.exposure_limit(account) - account.exposure,
        rule=f"exposure is at most {_of_equity(limits.max_exposure, account, limits)}",
        already=f"{_told(account.exposure, quote)} is held or being bought" if account.exposure else "",
    )


def cash_room(quote: str, account: Portfolio, limits: RiskLimits) -> Room:
    """What can still be paid."""
    return Room(
        quote=quote,
        value=account.free_cash / (1 + 2 * limits.max_slippage),
        rule="cash is limited to what is free, less room for slippage and fees",
    )


def full(symbol: str, account: Portfolio, limits: RiskLimits, least: Decimal) -> str:
    """Why no entry worth ``least``, in the quote currency, may be made into a market; empty where it may."""
    quote = symbol.partition("/")[2]
    rooms = (
        coin_room(symbol, account, limits),
        exposure_room(quote, account, limits),
        cash_room(quote, account, limits),
    )
    return next((room.words for room in rooms if room.value <= 0 or room.value < least), "")


def _denied(reason: str) -> Verdict | None:
    return Verdict(quantity=_NOTHING, reason=reason) if reason else None


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
    return bought.symbol.partition("/")[0] == base


def _share(usual: Decimal, account: Portfolio, limits: RiskLimits) -> Decimal:
    """What the drawdown leaves of a share of equity."""
    return usual * limits.size_at(account.drawdown)


def _of_equity(usual: Decimal, account: Portfolio, limits: RiskLimits) -> str:
    share = _share(usual, account, limits)
    without = "" if share == usual else f" ({_percent(usual)} without the drawdown of {account.drawdown:.1%})"
    return f"{_percent(share)} of equity{without}"


def _percent(share: Decimal) -> str:
    """A share in hundredths of a per cent; what is less than these with its first digit."""
    exact = 100 * share
    places = 2 if not exact or round(exact, 2) else -exact.adjusted()
    return f"{round(exact, places).normalize():f}%"


def _told(value: Decimal, currency: str) -> str:
    return grouped(rounded(value, currency))


def _value(plan: TradePlan, left: Room) -> Verdict | None:
    if plan.notional <= left.value:
        return None
    return Verdict(quantity=max(_NOTHING, left.value) / plan.price, reason=left.words)
