"""How the account stands against its limits, as cards. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.messages import BREAK, Card, Item
from engine.domain.risk_views import ExposureReport, RiskReport, Tail, Use, VarMarket, VarReport
from engine.domain.slippage import Slippage
from engine.domain.trading_states import TradingState
from handlers.cards import halts, wording
from handlers.cards.lines import listed

_NAMES = {
    "max_drawdown": "Drawdown until entries pause",
    "max_total_drawdown": "Drawdown until they end",
    "max_exposure": "Exposure",
    "max_position": "Largest coin",
    "max_open_risk": "Open risk to the stops",
    "max_sector": "Largest sector",
    "max_var": "VaR 95% of a day",
    "max_cvar": "CVaR 95% of a day",
}
_MEANS = {
    TradingState.ACTIVE: "entries and exits",
    TradingState.REDUCING: f"no entries; {BREAK}exits and stops go on",
    TradingState.HALTED: f"no entries, as /emergency says; {BREAK}only an admin ends it, with a reason",
}


def risk(report: RiskReport) -> Card:
    """Every limit that is a share of equity and what is used of it, what a trade may risk, and what halts entries."""
    amount = wording.of(report.risk_per_trade * report.equity, report.equity, report.quote)
    smaller = f"{wording.percent(report.size)} of the usual sizes {BREAK}until the drawdown has been made good"
    state = report.state.state if report.state is not None else TradingState.ACTIVE
    rests = f"A strategy rests from {report.max_losses} {BREAK}losses in a row on."
    return Card(
        title=f"Risk: {state}",
        fields=(
            *_state(report),
            ("Per trade", f"at most {amount}"),
            ("Positions", _positions(report)),
            *((f"Losses of {wording.words(name)}", f"{count} in a row") for name, count in report.streaks.items()),
        ),
        items=(
            *(Item(title="Halted", text=halts.line(view)) for view in report.halts),
            *(Item(title=_NAMES[each.name], text=_used(each)) for each in report.shares if each.limit is not None),
            *(
                Item(title=f"{symbol} moves", text=f"{wording.percent(each)} a day")
                for symbol, each in report.volatility
            ),
            *_slippage(report.slippage),
        ),
        text=wording.lines(
            smaller if report.size < 1 else "",
            rests if report.streaks and report.max_losses is not None else "",
            "Per cent is of equity.",
            listed(f"Off: {', '.join(wording.words(name) for name in report.off)}") if report.off else "",
            "docs/risk.md has every rule.",
        ),
    )


def _slippage(found: Slippage | None) -> tuple[Item, ...]:
    """What the newest orders paid beyond the best price, beside what the books told."""
    if found is None or found.expected is None:
        return ()
    told = f"{wording.percent(found.paid)}, {BREAK}{wording.percent(found.expected)} expected"
    return (Item(title=f"Slippage, mean of {wording.count(found.orders, 'order')}", text=told),)


def _state(report: RiskReport) -> tuple[tuple[str, str], ...]:
    """Since when it is in its state, and why; nothing where it never was in another."""
    change = report.state
    if change is None:
        return ()
    by = f"\nby {change.by}" if change.by else ""
    means = _MEANS[change.state]
    return (("Since", wording.moment(change.at)), ("Because", f"{change.reason}{by}"), ("That is", means))


def _used(use: Use) -> str:
    """What is used of a limit: ``5.00% of 25.00%, 20% used``."""
    if use.used is None or use.share is None or use.limit is None:
        return f"{wording.UNKNOWN}, of {wording.percent(use.limit or 0)}"
    return f"{wording.percent(use.used)} of {wording.percent(use.limit)}, {BREAK}{_round(use.share)} used"


def _round(share: Decimal) -> str:
    return f"{100 * share:.0f}%"


def _positions(report: RiskReport) -> str:
    most = "" if report.max_positions is None else f" of {report.max_positions}"
    return f"{report.positions}{most}"


def var(report: VarReport) -> Card:
    """What everything held may lose on a day, by history and by Cornish and Fisher, and how much of a limit that is."""
    if not report.markets:
        return Card(title="Value at risk: nothing is held", text=_off(report))
    known = report.var.value is not None
    return Card(
        title=f"VaR of a day: {BREAK}{_loss(report.var.value, report)}" if known else "Value at risk: not known",
        fields=(
            ("Held", wording.of(report.exposure, report.equity, report.quote)),
            *((("Not counted", listed(report.unknown)),) if report.unknown else ()),
            *((("Told by", f"{report.candles} returns of {report.timeframe}"),) if report.as_of is not None else ()),
            *((("Up to", wording.moment(report.as_of)),) if report.as_of is not None else ()),
        ),
        items=(
            *_tail("VaR 95%", report.var, report),
            *_tail("CVaR 95%", report.cvar, report),
            *(_market(each, report) for each in report.markets),
            *(
                Item(title=f"{one}, {other}", text=f"correlation {value:.2f}")
                for one, other, value in report.correlations
            ),
        ),
        text=wording.lines(
            f"One day in twenty loses more than {BREAK}the VaR, the CVaR on average."
            if known
            else f"It is known once a candle has closed {BREAK}since the start, with 20 before it.",
            "Per cent is of equity.",
            _off(report),
        ),
    )


def _tail(name: str, tail: Tail, report: VarReport) -> tuple[Item, ...]:
    if tail.value is None:
        return ()
    expansion = "no answer" if tail.cornish_fisher is None else _loss(tail.cornish_fisher, report)
    used = () if tail.limit is None else (_used(Use(name=name, used=Decimal(repr(tail.value)), limit=tail.limit)),)
    text = wording.lines(f"by history {_loss(tail.historical, report)}", f"Cornish-Fisher {BREAK}{expansion}", *used)
    return (Item(title=name, text=text),)


def _loss(share: float | None, report: VarReport) -> str:
    if share is None:
        return wording.UNKNOWN
    return wording.of(Decimal(repr(share)) * report.equity, report.equity, report.quote)


def _off(report: VarReport) -> str:
    off = [name for name, tail in (("max_var", report.var), ("max_cvar", report.cvar)) if tail.limit is None]
    return f"No limit: risk.{f' {BREAK}and risk.'.join(off)}" if off else ""


def _market(each: VarMarket, report: VarReport) -> Item:
    worth = f"{wording.amount(each.value, report.quote)}{wording.in_brackets(each.value, report.equity)}"
    alone = "" if each.var is None else f"alone VaR {_loss(each.var, report)}"
    moves = "" if each.volatility is None else f"volatility {wording.percent(each.volatility)} a day"
    return Item(title=each.symbol, text=wording.lines(worth, alone, moves))


def _pair(one: str, other: str, value: float) -> Item:
    return Item(title=f"{one}, {other}", text=f"correlation {value:.2f}")


def exposure(report: ExposureReport) -> Card:
    """What is held or being bought, by coin, sector and strategy, against its limits."""
    open_risk = f"\nof {wording.money(report.max_open_risk, report.quote)}" if report.max_open_risk is not None else ""
    share = wording.in_brackets(report.exposure, report.equity)
    return Card(
        title=f"Exposure: {wording.money(report.exposure, report.quote)}{share}",
        fields=(
            ("At most", wording.of(report.max_exposure, report.equity, report.quote)),
            ("Open risk", f"{wording.of(report.at_risk, report.equity, report.quote)}{open_risk}"),
            ("Free cash", wording.of(report.free_cash, report.equity, report.quote)),
        ),
        items=(
            *(_part(name, value, report.max_coin, report) for name, value in report.coins),
            *(_part(f"Sector {name}", value, report.max_sector, report) for name, value in report.sectors),
            *(_part(f"Strategy {wording.words(name)}", value, None, report) for name, value in report.contexts),
        ),
        text="What is being bought counts.\nPer cent is of equity." if report.coins else "Nothing is held.",
    )


def _part(name: str, value: Decimal, limit: Decimal | None, report: ExposureReport) -> Item:
    most = "" if limit is None else f"of at most {wording.of(limit, report.equity, report.quote)}"
    return Item(title=name, text=wording.lines(wording.of(value, report.equity, report.quote), most))
