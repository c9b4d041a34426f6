"""The account as a card: how it stands, what it owns, what it made. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.account import Balance, DayProfit, Profit, Status
from engine.domain.messages import BREAK, Card, Item, Table
from engine.domain.trading_states import StateChange, TradingState
from handlers.cards import halts, phrases, wording
from handlers.cards.lines import listed


def status(report: Status, *, hints: bool = True) -> Card:
    """The bot at a glance; with hints at commands, where people have those."""
    on = "Trading" if report.trading else "Not trading: no new entries"
    last = wording.moment(report.last_cycle_at) if report.last_cycle_at else "none yet"
    return Card(
        title=f"{on} ({report.profile}, {report.venue})",
        fields=(
            ("State", state(report.state)),
            ("Equity", wording.money(report.equity, report.quote)),
            ("Today", wording.gain(report.day_net, report.day_share, report.quote)),
            *_since(report),
            ("Cash", wording.of(report.cash, report.equity, report.quote)),
            ("Exposure", wording.of(report.exposure, report.equity, report.quote)),
            ("Drawdown", wording.percent(report.drawdown)),
            ("Open positions", str(report.positions)),
            ("Open approvals", f"{report.pending}{' (/pending)' if report.pending and hints else ''}"),
            *((("Before the panel", listed(", ".join(report.deliberations))),) if report.deliberations else ()),
            ("Strategies", ", ".join(report.contexts)),
            *_prices(report),
            ("Last decision cycle", last),
            ("Market time", wording.moment(report.now)),
        ),
        text=wording.lines(wording.sentence(report.no_entry), *map(halts.line, report.halts), _unmanaged(report)),
    )


def state(change: StateChange | None) -> str:
    """How far it may trade, why, by whom, since when: ``REDUCING: paused by Ann, since 2026-01-03 12:00 UTC``."""
    if change is None:
        return TradingState.ACTIVE.upper()
    why = f": {change.reason}" if change.reason else ""
    by = f" ({change.by})" if change.by and change.by not in change.reason else ""
    return f"{change.state.upper()}{why}{by}, since {wording.moment(change.at)}"


def _prices(report: Status) -> tuple[tuple[str, str], ...]:
    told = wording.lines(*(f"{market} {wording.price(price)}" for market, price in report.prices))
    return (("Prices", told),) if told else ()


def _unmanaged(report: Status) -> str:
    return f"No strategy manages {wording.listing(report.unmanaged)}" if report.unmanaged else ""


def _since(report: Status) -> tuple[tuple[str, str], ...]:
    """What has come of the account since it began, beside what holding its markets would have."""
    if report.began_at is None:
        return ()
    since = f"Since {wording.moment(report.began_at)}"
    return (
        (since, wording.gain(report.net, report.share, report.quote)),
        *phrases.payments(report.paid_in, report.paid_out, report.quote),
        *phrases.benchmark(report.benchmark),
    )


def balance(report: Balance) -> Card:
    """What the account owns."""
    return Card(
        title=f"Balance: {wording.money(report.equity, report.quote)}",
        items=tuple(
            Item(
                title=f"{name} {_held(held, name, report.quote)}",
                text=wording.of(value, report.equity, report.quote),
            )
            for name, held, value in report.rows
        ),
    )


def _held(quantity: Decimal, name: str, quote: str) -> str:
    """How much of a currency is there: the account's own reads like every amount."""
    return wording.amount(quantity, quote) if name == quote else wording.figure(quantity)


def profit(report: Profit) -> Card:
    """Profit and loss of the last days, net of fees."""
    span = wording.count(len(report.days), "day")
    return Card(
        title=f"{wording.gain(report.net, report.share, report.quote)} {BREAK}in {span}",
        fields=(
            ("Since", wording.moment(report.begins)),
            *phrases.payments(report.paid_in, report.paid_out, report.quote),
            *phrases.benchmark(report.benchmark),
            ("Fees, taken off", _fees(report)),
            ("Won", phrases.won(report.won, report.closed)),
            *phrases.external(report.external.trades, report.external.net, report.external.share, report.quote),
            ("Drawdown", wording.percent(report.drawdown)),
            (f"Largest drawdown in {span}", wording.percent(report.max_drawdown)),
        ),
        table=Table(head=("Day", "Net", "%", "Hold %"), rows=tuple(_day_row(day, report.quote) for day in report.days)),
        graph=phrases.course(report.days),
    )


def _fees(report: Profit) -> str:
    """The fees, and what they are of what the profit was made with; where there is none, that is what there is."""
    return wording.of(report.fees, report.net / report.share if report.share else report.days[-1].equity, report.quote)


def _day_row(day: DayProfit, quote: str) -> tuple[str, ...]:
    """A day in a line that a phone shows whole."""
    shares = (wording.signed_percent(share) if share is not None else "" for share in (day.share, day.benchmark))
    return (f"{day.day:%m-%d}", wording.signed_amount(day.net, quote), *shares)
