"""How orders, fills, votes, conditions and positions read in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.approvals import Vote
from engine.domain.autonomy import drift
from engine.domain.decisions import Condition
from engine.domain.figures import plain
from engine.domain.reports import OrderView
from engine.domain.trading import Halt, HaltKind, OrderStatus, Position, TradePlan
from handlers.cards import wording

HALTS = {
    HaltKind.PAUSE: "pause",
    HaltKind.DRAWDOWN: "drawdown halt",
    HaltKind.DATA: "data halt",
    HaltKind.CHANGED: "data halt",
    HaltKind.EMERGENCY: "emergency stop",
    HaltKind.STORE: "storage halt",
    HaltKind.REFUSED: "the venue refuses orders",
    HaltKind.LEDGER: "books halt",
}
"""What each kind of halt is called."""

_ENDED_BY = {
    HaltKind.PAUSE: "somebody resumes",
    HaltKind.DRAWDOWN: "an admin resumes",
    HaltKind.EMERGENCY: "an admin resumes",
    HaltKind.LEDGER: "an admin resumes",
    HaltKind.CHANGED: "somebody resumes that market by its name",
}

_STANDING = {
    OrderStatus.INTENT: "being sent",
    OrderStatus.OPEN: "at the venue",
    OrderStatus.UNKNOWN: "sent, but the venue's answer was lost: it is being asked",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.REJECTED: "refused by the venue",
}


def headline(plan: TradePlan) -> str:
    """What would be traded: ``Buy 0.01234 BTC/USDT``."""
    return f"{plan.side.value.capitalize()} {wording.quantity(plan.quantity)} {plan.market}"


def asked_at_price(plan: TradePlan) -> str:
    """What would be traded and at what price: ``Buy 0.01234 BTC/USDT @ 20,000.00``."""
    return f"{headline(plan)} @ {wording.price(plan.price)}"


def risk(plan: TradePlan, equity: Decimal | None = None) -> str:
    """What is lost if the stop fills at its price; as a share of equity too, where that is known."""
    amount = wording.money(plan.risk, wording.quote(plan.market))
    return f"{amount} ({wording.percent(plan.risk / equity)} of equity)" if equity else amount


def end(halt: Halt) -> str:
    """Until when a halt stops entries: a time, or what people do; empty for what ends once something is well."""
    return wording.moment(halt.until) if halt.until is not None else _ENDED_BY.get(halt.kind, "")


def levels(entry: Decimal, stop: Decimal | None, target: Decimal | None) -> tuple[tuple[str, str], ...]:
    """Stop and target, where there are any, each with its distance from the entry."""
    return tuple(
        (name, f"{wording.price(level)} ({wording.signed_percent(drift(entry, level))})")
        for name, level in (("Stop", stop), ("Target", target))
        if level is not None
    )


def price_move(asked: Decimal, price: Decimal) -> str:
    """The asked price, the price now, and how far it moved: ``20,000.00 → 20,100.00 (+0.50%)``."""
    return f"{wording.price(asked)} → {wording.price(price)} ({wording.signed_percent(drift(asked, price))})"


def conditions(named: Sequence[Condition]) -> str:
    """Each condition on a line, ✓ where it holds, ✗ where it does not, with its detail."""
    return wording.lines(*map(_condition, named))


def weighted_conditions(named: Sequence[Condition]) -> str:
    """Like ``conditions``, with what each counts where they count differently: ``✓ (0.5) trend up on 1d``."""
    if len({condition.weight for condition in named}) == 1:
        return conditions(named)
    return wording.lines(*(_condition(condition, f"({plain(condition.weight, 3)}) ") for condition in named))


def _condition(condition: Condition, weight: str = "") -> str:
    detail = f": {condition.detail}" if condition.detail else ""
    return f"{'✓' if condition.holds else '✗'} {weight}{wording.words(condition.name)}{detail}"


def consent(votes: Sequence[Vote]) -> str:
    """Who approved what: ``approved half by Ann and Bob``."""
    half = "half " if any(vote.half for vote in votes) else ""
    return f"approved {half}by {wording.listing([vote.person for vote in votes])}"


def vote(given: Vote) -> str:
    """One person's consent: ``Ann (half), 2026-01-03 14:00 UTC``."""
    return f"{given.person}{' (half)' if given.half else ''}, {wording.moment(given.at)}"


def order(view: OrderView) -> str:
    """What an order is and where it stands: ``O5, buy 0.00617 BTC/USDT, filled``."""
    reason = f": {view.reason}" if view.reason else ""
    return f"{view.id}, {view.side} {wording.quantity(view.quantity)} {view.market}, {_STANDING[view.status]}{reason}"


def fills(view: OrderView) -> str:
    """What of an order traded: ``0.00617 of 0.01234 @ 20,001.23, fee 0.12 USDT``."""
    part = "" if view.filled == view.quantity else f" of {wording.quantity(view.quantity)}"
    average = f" @ {wording.price(view.average)}" if view.average is not None else ""
    fee = wording.money(view.fee, wording.quote(view.market))
    return f"{wording.quantity(view.filled)}{part}{average}, fee {fee}"


def position(held: Position) -> str:
    """A position and its levels while it is open, what came of it once closed."""
    if not held.is_open:
        net = wording.signed(held.net, wording.quote(held.market))
        return f"{held.id}, closed by {wording.words(held.closed_by)}, {net} net"
    named = (("stop", held.stop), ("target", held.target))
    return ", ".join([held.id, *(f"{name} {wording.price(level)}" for name, level in named if level is not None)])
