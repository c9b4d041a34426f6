"""How orders, fills, votes, conditions and positions read in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from engine.domain.account import DayProfit
from engine.domain.approvals import Approval, Ordered, Vote
from engine.domain.autonomy import drift
from engine.domain.decisions import Condition, Decision
from engine.domain.figures import plain
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import named
from engine.domain.messages import BREAK
from engine.domain.order_routing import Quote
from engine.domain.orders import Order, OrderStatus
from engine.domain.plans import TradePlan
from engine.domain.positions import Position
from engine.domain.proposals import Proposal
from engine.domain.slippage import Slippage
from engine.domain.trade_views import PositionView, TradeView
from engine.domain.unmanaged import Absence
from handlers.cards import wording
from handlers.cards.lines import entry

HALTS = {
    HaltKind.PAUSE: "pause",
    HaltKind.DRAWDOWN: "drawdown halt",
    HaltKind.DATA: "data halt",
    HaltKind.CHANGED: "data halt",
    HaltKind.EMERGENCY: "emergency stop",
    HaltKind.STORE: "storage halt",
    HaltKind.REFUSED: "the venue refuses orders",
    HaltKind.LEDGER: "books halt",
    HaltKind.BALANCES: "balances halt",
    HaltKind.OTHER_BOT: "another bot on the account",
    HaltKind.TRIGGER: "trigger halt",
    HaltKind.SIGNALS: "too many signals",
    HaltKind.ABSENT: "nobody answers",
}
"""What each kind of halt is called."""

_ENDED_BY = {
    HaltKind.PAUSE: "somebody resumes",
    HaltKind.SIGNALS: "somebody resumes",
    HaltKind.ABSENT: "somebody resumes",
    HaltKind.DRAWDOWN: "an admin resumes",
    HaltKind.EMERGENCY: "an admin resumes with a reason",
    HaltKind.LEDGER: "an admin resumes",
    HaltKind.OTHER_BOT: "an admin resumes",
    HaltKind.CHANGED: "somebody resumes that market by its name",
}

_STANDING = {
    OrderStatus.INTENT: "being sent",
    OrderStatus.SENT: "being sent",
    OrderStatus.OPEN: "at the venue",
    OrderStatus.PARTLY_FILLED: "partly filled",
    OrderStatus.CANCELLING: "being cancelled",
    OrderStatus.UNKNOWN: "sent, but the venue's answer was lost: it is being asked",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "refused by the venue",
}

OF_THEIR_COST = "Per cent is of what the trades cost."
OF_ITS_COST = "Per cent is of what it cost."
"""What the per cent of trades are of, and those of one."""


def headline(plan: TradePlan, at: str = "") -> str:
    """What would be traded, and at which venue where there are several: ``Buy 0.01234 BTC/USDT``."""
    return f"{plan.side.value.capitalize()} {wording.quantity(plan.quantity)} {named(plan.symbol, at)}"


def asked_at_price(plan: TradePlan) -> str:
    """What would be traded and at what price: ``Buy 0.01234 BTC/USDT @ 20,000.00``."""
    return f"{headline(plan)} @ {wording.price(plan.price)}"


def begun(plan: TradePlan) -> str:
    """What has begun a trade before all were heard: ``12.5 BTC/USDT, ordered by O1``."""
    return f"{wording.quantity(plan.begun)} {plan.symbol}, ordered by {plan.starter}"


def in_slices(plan: TradePlan | None) -> tuple[tuple[str, str], ...]:
    """How a plan is bought in slices, as it was seen; nothing where it is bought at once."""
    slicing = plan.execution.slicing if plan else None
    if slicing is None:
        return ()
    one = "" if slicing.twap else ", as few as the book takes"
    return (("In slices", f"up to {slicing.most}, {BREAK}{wording.span(slicing.every)} apart{one}"),)


def routed(quotes: Sequence[Quote], venue: str, symbol: str) -> tuple[tuple[str, str], ...]:
    """To which venue an entry goes, and what it would have come to at each, with fees; nothing where it has one."""
    if not quotes:
        return ()
    quote = wording.quote(symbol)
    told = [
        f"{each.venue} {wording.price(each.price)} {quote} for {wording.quantity(each.quantity)}"
        if each.price is not None
        else f"{each.venue} none: {each.why_not}"
        for each in quotes
    ]
    return (("Goes to", f"{venue}, all-in (book and fee): {'; '.join(told)}"),)


def risk(plan: TradePlan, equity: Decimal | None = None) -> str:
    """What is lost if the stop fills at its price; as a share of equity too, where that is known."""
    return of_equity(plan.risk, equity, wording.quote(plan.symbol))


def of_equity(amount: Decimal, equity: Decimal | None, currency: str) -> str:
    """An amount and, where equity is known, its share of that: ``120.00 USDT (1.20% of equity)``."""
    share = wording.part(amount, equity) if equity is not None else None
    told = wording.money(amount, currency)
    return f"{told} ({wording.percent(share)} of equity)" if share is not None else told


def end(halt: Halt) -> str:
    """Until when a halt lasts: a time, or what people do; empty for what ends once something is well."""
    return wording.moment(halt.until) if halt.until is not None else _ENDED_BY.get(halt.kind, "")


def halted(view: HaltView) -> str:
    """Why there are no entries, and until when: ``paused by Ada, until 2026-01-03 14:00 UTC``."""
    until = end(view.halt)
    return f"{view.halt.reason}{f', until {until}' if until else ''} ({view.id})"


def levels(entry: Decimal, stop: Decimal | None, target: Decimal | None) -> tuple[tuple[str, str], ...]:
    """Stop and target, where there are any, each with its distance from the entry."""
    return tuple(
        (name, f"{wording.price(level)} ({wording.signed_percent(drift(entry, level))})")
        for name, level in (("Stop", stop), ("Target", target))
        if level is not None
    )


def price_move(asked: Decimal, price: Decimal) -> str:
    """The asked price, the price now, and how far it moved: ``20,000.00 → 20,100.00 (+0.50%)``."""
    return f"{wording.price(asked)} {BREAK}→ {wording.price(price)} ({wording.signed_percent(drift(asked, price))})"


def conditions(named: Sequence[Condition]) -> str:
    """Each condition, ✓ where it holds, ✗ where it does not, with its detail beside or below it."""
    return wording.lines(*map(_condition, named))


def weighted_conditions(named: Sequence[Condition]) -> str:
    """Like ``conditions``, with what each counts where they count differently: ``✓ (0.5) trend up on 1d``."""
    if len({condition.weight for condition in named}) == 1:
        return conditions(named)
    return wording.lines(*(_condition(condition, f"({plain(condition.weight, 3)}) ") for condition in named))


def _condition(condition: Condition, weight: str = "") -> str:
    return entry(f"{'✓' if condition.holds else '✗'} {weight}{wording.words(condition.name)}", condition.detail)


def consent(votes: Sequence[Vote]) -> str:
    """Who approved what: ``approved half by Ann and Bob``."""
    half = "half " if any(vote.half for vote in votes) else ""
    return f"approved {half}by {wording.listing([vote.person for vote in votes])}"


def vote(given: Vote) -> str:
    """One person's consent: ``Ann (half), 2026-01-03 14:00 UTC``."""
    return f"{given.person}{' (half)' if given.half else ''}, {wording.moment(given.at)}"


def order(view: Order) -> str:
    """What an order is and where it stands: ``O5, buy 0.00617 BTC/USDT, filled``."""
    reason = f": {view.reason}" if view.reason else ""
    asked = view.request
    what = f"{asked.side} {wording.quantity(asked.quantity)} {asked.symbol}"
    unseen = view.status is OrderStatus.REJECTED and not view.was_refused
    return f"{view.id}, {what}, {view.reason if unseen else _STANDING[view.status] + reason}"


def follows(last: Order | None) -> tuple[tuple[str, str], ...]:
    """What is still to be bought of an entry in slices, by the newest of them; or why it is not."""
    if last is None or last.to_follow is None:
        return ()
    if last.follows_at is None:
        return (("Slices", last.reason),) if last.reason else ()
    base, waits = last.request.symbol.partition("/")[0], f"; {last.reason}" if last.reason else ""
    rest = f"{wording.quantity(last.to_follow)} {base} to follow"
    return (("Slices", f"{rest}, the next {wording.moment(last.follows_at)}{waits}"),)


def fills(view: Order) -> str:
    """What of an order traded: ``0.00617 of 0.01234 @ 20,001.23, fee 0.12 USDT``."""
    part = "" if view.filled == view.request.quantity else f" of {wording.quantity(view.request.quantity)}"
    average = f" @ {wording.price(view.average)}" if view.average is not None else ""
    fee = wording.money(view.fee, wording.quote(view.request.symbol))
    return f"{wording.quantity(view.filled)}{part}{average}, fee {fee}"


def slippage(found: Slippage) -> str:
    """What was paid beyond the price of the moment: ``slippage 0.12%, 0.10% expected``."""
    expected = "" if found.expected is None else f", {wording.percent(found.expected)} expected"
    return f"slippage {wording.percent(found.paid)}{expected}"


def benchmark(share: Decimal | None) -> tuple[tuple[str, str], ...]:
    """What holding the traded markets came to in the same time, where that is known."""
    return (("Buy and hold of the markets", wording.signed_percent(share)),) if share is not None else ()


def payments(paid_in: Decimal, paid_out: Decimal, quote: str) -> tuple[tuple[str, str], ...]:
    """What was paid in and out in the same time, where anything was: no result counts it."""
    both = (("Paid in", paid_in), ("Paid out", paid_out))
    return tuple((name, wording.money(amount, quote)) for name, amount in both if amount)


def course(days: Sequence[DayProfit]) -> tuple[float, ...]:
    """The equity at the end of each day, without what was paid in or out since the first began."""
    moved = accumulate(day.paid for day in days)
    return tuple(float(day.equity - paid) for day, paid in zip(days, moved, strict=True))


def profit(net: Decimal, share: Decimal | None, currency: str) -> str:
    """What a sale makes, or has made, in a line: ``Profit, after fees: +12.30 (+1.20%)``."""
    return f"Profit, after fees: {wording.gain_amount(net, share, currency)}"


def calibrated(decision: Decision) -> tuple[tuple[str, str], ...]:
    """What earlier trades say of a decision's confidence, where enough have closed."""
    found = decision.calibration
    if found is None:
        return ()
    share, low, high = (wording.percent(each) for each in (found.value, found.low, found.high))
    wide = f", {BREAK}too wide to go alone" if found.is_wide else ""
    return (("Of such trades", f"{share} were won {BREAK}({low} to {high}{wide}; {found.outcomes} closed)"),)


def won(number: int, closed: int) -> str:
    """How many trades made money: ``14 of 23 (60.87%)``."""
    return f"{number} of {closed} ({wording.percent(number / closed)})" if closed else "no closed trades"


def external(number: int, net: Decimal, share: Decimal | None, quote: str) -> tuple[tuple[str, str], ...]:
    """The trades that somebody else had opened, where there are any: no figure of the bot's own counts them."""
    return (("External trades", f"{number}, {wording.gain(net, share, quote)}"),) if number else ()


def expiry(at: datetime, now: datetime, wall_left: timedelta | None = None) -> str:
    """When something ends, and how long that is: ``in 2 h, 2026-01-03 14:00 UTC``.

    Args:
        at: When it ends, in market time.
        now: The market time.
        wall_left: How long that is by the reader's clock; ``None`` where the market's is theirs.
    """
    if at <= now:
        return wording.moment(at)
    if wall_left is None:
        return f"in {_about(at - now)}, {wording.moment(at)}"
    left = f"in {_about(wall_left)} by your clock, {BREAK}" if wall_left else ""
    return f"{left}{wording.moment(at)} in the market"


def _about(length: timedelta) -> str:
    """A length of time to the nearest minute: a card is drawn a moment after it was asked for."""
    minute = timedelta(minutes=1)
    return wording.span(length if length < minute else round(length / minute) * minute)


def held_for(opened_at: datetime, now: datetime) -> str:
    """Since when something is held, and how long that is: ``2026-01-03 14:00 UTC, for 2 h``."""
    return f"{wording.moment(opened_at)}, for {wording.span(now - opened_at)}"


def strategy(decision: Decision | Proposal) -> str:
    """A strategy, its timeframe and, where that has another name, the context it works in."""
    name = wording.words(decision.strategy)
    name = name if decision.strategy == decision.context else f"{name} ({decision.context})"
    return f"{name} on {decision.timeframe}" if decision.timeframe else name


def strategy_field(decision: Decision | Proposal) -> tuple[str, str]:
    """The same as a field of a card: names of one's own may be long."""
    return "Strategy", strategy(decision).replace(" on ", f" {BREAK}on ")


def decided_by(asked: Approval | None, decision: Decision) -> str:
    """Who let a trade happen: people by name, or the bot alone with its confidence."""
    votes = asked.state.votes if asked is not None and isinstance(asked.state, Ordered) else ()
    if votes:
        half = " (half)" if any(each.half for each in votes) else ""
        return f"{wording.listing([each.person for each in votes])}{half}"
    return f"the bot alone, {decision.agreement}"


def absent(held: Position, why: Absence) -> str:
    """Why no strategy manages a position: ``there is no context called trend``."""
    match why:
        case Absence.CONTEXT:
            return f"there is no context called {held.context}"
        case Absence.MARKET:
            return f"the context {held.context} does not trade {held.symbol}"
        case Absence.VENUE:
            return f"the context {held.context} does not trade at {held.venue}"


def unmanaged(view: PositionView) -> str:
    """A position that no strategy manages, in a sentence that begins with its id."""
    held = view.position
    stop = "" if view.protected else ", without a stop at the venue"
    why = f": {absent(held, view.unmanaged)}" if view.unmanaged else ""
    worth = wording.money(view.value, wording.quote(held.symbol))
    return f"{held.id} ({wording.quantity(held.quantity)} {held.symbol}, worth {worth}{stop}){why}."


def left_to(view: PositionView, *, followed: bool) -> str:
    """What sells a position that no strategy manages.

    Args:
        view: The position.
        followed: Whether the venue has its market.
    """
    if not followed:
        return (
            f"{view.position.venue} has no market {view.position.symbol} now: nothing is sold there, its stop neither, "
            "until it is among the markets again."
        )
    if not view.protected:
        return "It has no stop at the venue, and no strategy will exit it."
    levels = "stop and target stay" if view.position.target is not None else "stop stays"
    return f"Its {levels} at the venue; no strategy will exit it."


def ways_on(view: PositionView) -> str:
    """What people can do about a position that no strategy manages."""
    held = view.position
    where = f" at {held.venue}" if view.unmanaged is Absence.VENUE else ""
    back = f"let a context called {held.context} trade {held.symbol}{where} and start again"
    leave = "leave it to its stop" if view.protected else "watch it: nothing else will sell it"
    return f"{back}, or /close {held.id}, or {leave}"


_CLOSED_BY = {
    "stop": "its stop",
    "target": "its target",
    "exit": "its strategy",
    "close": "/close",
    "emergency": "an emergency sale",
    "external": "somebody else",
    "fees": "fees: they have taken all of it",
    "payout": "a payout: its market is no more",
}
"""What closes a position, in words."""


def closed_by(held: Position) -> str:
    """What or who closed a position: ``its stop``; ``Ann, /close``; ``Ann, /emergency``."""
    if not held.closed_by_person:
        return ending(held.closed_by)
    return f"{held.closed_by_person}, /{'emergency' if held.closed_by == 'emergency' else 'close'}"


def ending(closed_by: str) -> str:
    """What closes positions, in words: ``stop`` → ``its stop``."""
    return _CLOSED_BY.get(closed_by, wording.words(closed_by))


def opened(view: TradeView) -> tuple[tuple[str, str], ...]:
    """When a trade was opened, by whom, and what for."""
    begun, decision = ("Opened", wording.moment(view.position.opened_at)), view.decision
    if decision is None:
        return (begun, ("Decided by", "somebody else, outside the bot"))
    return (
        begun,
        ("Strategy", strategy(decision)),
        *((("Trigger", decision.trigger),) if decision.trigger else ()),
        ("Decided by", decided_by(view.asked, decision)),
    )


def why_closed(view: TradeView) -> str:
    """What closed it, with the reason of a decision or the level of a stop or target."""
    held = view.position
    level = {"stop": held.stop, "target": held.target}.get(held.closed_by)
    if level is not None:
        return f"{closed_by(held)} at {wording.price(level)}"
    because = f": {'; '.join(view.exit.reasons)}" if view.exit is not None and held.closed_by == "exit" else ""
    return f"{closed_by(held)}{because}"


def prices(held: Position) -> str:
    """What was paid and, where anything was sold, got for it: ``0.01234 at 20,000.00 → 20,400.00 (+2.00%)``."""
    quantity = wording.quantity(held.bought or held.quantity)
    if held.exit_price is None:
        return f"{quantity} at {wording.price(held.entry_price)}"
    with_decimals = held.exit_price + 0 * held.entry_price  # a mean that comes out even reads like other prices
    moved = price_move(held.entry_price, with_decimals)
    return f"{quantity} at {moved}" if not held.is_open else f"{wording.quantity(held.sold)} of {quantity} at {moved}"


def position(held: Position) -> str:
    """A position and its levels while it is open, what came of it once closed."""
    if not held.is_open:
        net = wording.gain(held.net, held.share(held.net), wording.quote(held.symbol))
        return f"{held.id}, closed by {closed_by(held)}, {net} net"
    named = (("stop", held.stop), ("target", held.target))
    return ", ".join([held.id, *(f"{name} {wording.price(level)}" for name, level in named if level is not None)])
