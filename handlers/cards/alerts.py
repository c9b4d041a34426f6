"""What people are told without asking: trades, stops that failed, halts, digests, the welcome. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.domain.digests import Digest
from engine.domain.errors import GreenlightError
from engine.domain.halt_views import HaltView, Recovery
from engine.domain.halts import Halt, HaltKind
from engine.domain.health import CLOCK, MARKET_DATA, MODELS, SENTIMENT, PlatformTrouble
from engine.domain.market import named
from engine.domain.messages import BREAK, Card
from engine.domain.positions import Position
from engine.domain.streaks import Streak
from engine.domain.trade_views import TradeView, UnmanagedView
from engine.domain.unmanaged import Ending
from engine.domain.weeks import is_week
from handlers.cards import adjuster, models, phrases, wording
from handlers.cards.lines import entry

_HALT_ENDS = {
    HaltKind.PAUSE: "/resume ends the pause.",
    HaltKind.DRAWDOWN: "An admin can end it early with /resume. Then entries are smaller until it has been made good.",
    HaltKind.DATA: "It ends by itself once the data can be traded on.",
    HaltKind.CHANGED: "It does not end by itself. Look at the coin first; /resume {market} then allows entries again.",
    HaltKind.EMERGENCY: "Only an admin ends it, with /resume and a reason.",
    HaltKind.STORE: "It ends by itself once the database works again.",
    HaltKind.REFUSED: "It ends by itself once the venue takes an order for it; an admin can end it early with /resume.",
    HaltKind.SIGNALS: "Look at what strategies see, with /why and /strategies; /resume then allows entries again.",
    HaltKind.ABSENT: "Whoever is there sends /resume; then entries are allowed again.",
    HaltKind.TRIGGER: "It ends by itself once that has been over for a while; an admin can end it early with /resume.",
    HaltKind.LEDGER: "Look at the account at the venue, and at /positions. Only an admin ends it, with /resume.",
    HaltKind.BALANCES: (
        "It ends by itself once both agree. If somebody took it out or changed it by hand: stop the bot, then "
        "bot run --accept-balances books that."
    ),
    HaltKind.OTHER_BOT: (
        "Leave one bot on the account: stop the other, or give it an account of its own. Where it is gone for good, "
        "cancel at the venue what it has left there. Only an admin ends this, with /resume."
    ),
}
_TOTAL_ENDS = "Only an admin ends it, with /resume; then the total limit counts from the equity of that moment."
_MEANWHILE = {
    HaltKind.DATA: "Stops and targets stand at the venue; the strategies' own exits wait for data to be trusted.",
    HaltKind.CHANGED: (
        "It may be another coin under the same name, or one that is counted anew: what is held of it keeps its last "
        "value, and strategies neither enter nor leave. Candles from before the change no longer count."
    ),
    HaltKind.EMERGENCY: "/emergency shows what becomes of all that is held.",
    HaltKind.STORE: "Stops and targets stand at the venue; nothing else is ordered, for nothing can be written down.",
    HaltKind.BALANCES: "Stops and targets stand, and exits go on. The account is compared again every minute.",
    HaltKind.OTHER_BOT: "Positions of this bot keep their stops, and exits go on.",
    HaltKind.REFUSED: "The venue is asked again after longer and longer pauses, up to half an hour.",
}
_CALLED_BY_PEOPLE = (HaltKind.PAUSE, HaltKind.EMERGENCY)
_SMALLER = "Unless something else halts them, entries go on, smaller as long as the drawdown has not been made good."
_AS_BEFORE = "Open positions keep their stops and are managed as before."


def trade(view: TradeView) -> Card:
    """One trade as it stands: bought, protected; once it is closed a line, for how it ended has a card of its own."""
    held = view.position
    quote = wording.quote(held.symbol)
    if not held.is_open:
        return Card(title=f"{_closed(view)} {BREAK}(see below)")
    return Card(
        title=f"{held.id}: holding {wording.quantity(held.quantity)} {named(held.symbol, view.at)}",
        fields=(
            ("Bought at", wording.price(held.entry_price)),
            ("Cost", _cost(held)),
            *(phrases.levels(held.entry_price, held.stop, held.target) or (("Stop", _no_stop(held)),)),
            ("Fees so far", wording.of(held.fees, held.cost, quote)),
            *_parts(view),
            *phrases.follows(view.last_slice),
            *phrases.opened(view),
        ),
        text=phrases.OF_ITS_COST,
    )


def _closed(view: TradeView) -> str:
    held = view.position
    return f"{held.id}: {named(held.symbol, view.at)} closed, {BREAK}{_result(held)}"


def _result(held: Position) -> str:
    """What a closed trade came to."""
    return wording.gain(held.net, held.share(held.net), wording.quote(held.symbol))


def _cost(held: Position) -> str:
    """What was paid for what is held and, where some was sold, what that is of the whole."""
    paid, quote = held.quantity * held.entry_price, wording.quote(held.symbol)
    return wording.money(paid, quote) if held.quantity == held.bought else wording.of(paid, held.cost, quote)


def _no_stop(held: Position) -> str:
    return "none: it was bought by somebody else" if held.is_external else "being placed"


def closed(view: TradeView) -> Card:
    """How a trade ended, net of its fees."""
    held = view.position
    quote = wording.quote(held.symbol)
    ended = (("Closed", wording.moment(held.closed_at)),) if held.closed_at else ()
    return Card(
        title=_closed(view),
        fields=(
            ("Closed by", phrases.why_closed(view)),
            ("Sold", phrases.prices(held)),
            *_parts(view),
            ("Before fees", wording.gain(held.realised, held.share(held.realised), quote)),
            ("Fees", wording.of(held.fees, held.cost, quote)),
            *ended,
            *phrases.opened(view),
        ),
        text=wording.lines(phrases.OF_ITS_COST, f"/why {held.id} tells the whole story."),
    )


def _parts(view: TradeView) -> tuple[tuple[str, str], ...]:
    """What people closed of it by hand, where that was not all that was left."""
    by_hand = [order for order in view.sales if order.asked_by]
    if not view.position.is_open and view.position.closed_by == "close":
        by_hand = by_hand[:-1]
    return tuple(("Part closed by", entry(f"{order.asked_by}, /close", phrases.fills(order))) for order in by_hand)


def unprotected(view: TradeView, *, has_stop: bool) -> Card:
    """A position whose stop the venue did not take, until it does or the position is sold."""
    held = view.position
    if not held.is_open:
        title = f"{held.id} had no stop: {BREAK}it was closed, {BREAK}{_result(held)}"
        return Card(title=title, fields=(("Market", named(held.symbol, view.at)),))
    if has_stop:
        return Card(
            title=f"{held.id} had no stop: it is protected again", fields=(("Market", named(held.symbol, view.at)),)
        )
    return Card(
        title=f"{held.id} has no stop: {wording.quantity(held.quantity)} {named(held.symbol, view.at)}",
        text="The venue did not take the stop. Where it refuses it, the position is sold at the market price; "
        "both are tried again after longer and longer pauses, up to half an hour.",
        alarm=True,
    )


def unmanaged(view: UnmanagedView) -> Card:
    """A position that no strategy manages, until one does, or it is closed."""
    held, quote = view.held.position, wording.quote(view.held.position.symbol)
    if view.told.ended_by is not None:
        return _managed(held, view.told.ended_by)
    return Card(
        title=f"{held.id}: no strategy manages {wording.quantity(held.quantity)} {named(held.symbol, view.held.at)}",
        fields=(
            ("Why", phrases.absent(held, view.told.why)),
            ("Opened by", held.context),
            ("Worth now", wording.money(view.held.value, quote)),
            *(phrases.levels(held.entry_price, held.stop, held.target) if view.held.protected else (("Stop", "none"),)),
        ),
        text=wording.lines(
            phrases.left_to(view.held, followed=view.followed),
            wording.sentence(phrases.ways_on(view.held)) + ".",
        ),
        alarm=not view.held.protected,
    )


def _managed(held: Position, by: Ending) -> Card:
    if by is Ending.CLOSED:
        return Card(title=f"{held.id} was managed by no strategy: {BREAK}it was closed, {BREAK}{_result(held)}")
    if by is Ending.CHANGED:
        return Card(title=f"{held.id}: no strategy manages it, now for another reason (see below)")
    return Card(title=f"{held.id} is managed by its strategy again: {held.context}", fields=(("Market", held.symbol),))


def program_ends(error: GreenlightError) -> Card:
    """The program ends by itself: it cannot go on."""
    return Card(
        title="The bot ends",
        text=f"{error} Stops and targets stand at the venue; nothing else is done until the bot is started again.",
    )


def halt(view: HaltView, replacement: HaltView | None = None) -> Card:
    """Entries are halted, or that is over.

    Args:
        view: The halt.
        replacement: What took its place: then it is over, and entries are halted all the same.
    """
    about = view.halt
    name, concerned = phrases.HALTS[about.kind], named(about.symbol, view.at) if about.symbol else about.venue
    where = f"{concerned}: " if concerned else ""
    facts = (("Reason", about.reason), ("Since", wording.moment(about.since)))
    if view.ended_at is not None and replacement is not None:
        return _replaced(view, view.ended_at, replacement, facts)
    if view.ended_at is not None:
        ended = ("Ended", f"{wording.moment(view.ended_at)}{_by(view.ended_by)}")
        after = _SMALLER if about.kind is HaltKind.DRAWDOWN else ""
        return Card(
            title=wording.sentence(f"{where}the {name} has ended ({view.id})"), fields=(*facts, ended), text=after
        )
    end = phrases.end(about)
    until = (("Until", end),) if end else ()
    caller = about.by if about.kind in _CALLED_BY_PEOPLE else ""
    return Card(
        title=wording.sentence(f"{where}no new entries: {name}{_by(caller)}{f' ({view.id})' if view.id else ''}"),
        fields=(*facts, *until),
        text=meanwhile(about, view.at),
    )


def _replaced(view: HaltView, at: datetime, by: HaltView, facts: tuple[tuple[str, str], ...]) -> Card:
    end = phrases.end(by.halt)
    return Card(
        title=wording.sentence(f"a longer {phrases.HALTS[view.halt.kind]} took its place ({view.id})"),
        fields=(
            *facts,
            ("Replaced", f"{wording.moment(at)}{_by(by.halt.by)}"),
            *((("No new entries until", f"{end} ({by.id})"),) if end else ()),
        ),
    )


def meanwhile(halt: Halt, at: str = "") -> str:
    """What goes on while entries are halted, and what ends it; ``at`` a venue, where there are several."""
    ends = _TOTAL_ENDS if halt.is_total else _HALT_ENDS[halt.kind].format(market=f"{halt.symbol} {at}".rstrip())
    return f"{_MEANWHILE.get(halt.kind, _AS_BEFORE)} {ends}"


def recovery(view: Recovery) -> Card:
    """A drawdown halt has ended: how entries come back."""
    ended, whole = view.halt, wording.money(view.whole_from, view.quote)
    smaller = f"{wording.percent(view.size)} of the usual, until equity is above {whole}"
    title = "Entries are possible again" if view.standing is None else "There are still no new entries"
    return Card(
        title=f"{title}: the {phrases.HALTS[ended.halt.kind]} has ended ({ended.id})",
        fields=(
            *((("Ended", f"{wording.moment(ended.ended_at)}{_by(ended.ended_by)}"),) if ended.ended_at else ()),
            *((("No new entries", phrases.halted(view.standing)),) if view.standing else ()),
            ("Drawdown", wording.percent(view.drawdown)),
            ("Size of entries", "as usual" if view.size == 1 else smaller),
        ),
    )


def streak(view: Streak) -> Card:
    """Losses in a row of a strategy, as long as they go on and once they are over."""
    net, share = wording.signed(view.net, view.quote), wording.part(view.net, view.equity)
    cost = net if share is None else f"{net} ({wording.signed_percent(share)} of equity)"
    trades = view.first if view.first == view.last else f"first {view.first}, last {view.last}"
    title = f"{wording.words(view.context)}: {wording.count(view.losses, 'loss', 'losses')} in a row"
    fields = (("Since", wording.moment(view.since)), ("Came to", cost), ("Trades", trades))
    if view.ended_at is not None:
        ended = ("Ended", f"{wording.moment(view.ended_at)}, by {view.ended_by}")
        return Card(title=f"{title}, which are over ({view.id})", fields=(*fields, ended))
    return Card(
        title=f"{title} ({view.id})",
        fields=fields,
        text=(
            "Nothing is halted by it. /pause halts the new entries of all strategies; "
            f"/why {view.last} tells how the last one came about."
        ),
    )


def _by(person: str) -> str:
    return f" by {person}" if person else ""


_NO_CHAT = "Trading goes on. Open approvals are shown on the other platforms too; /health shows every part."
_NO_MODEL = "Trading goes on. The next models of the chain are asked in its place; /llm shows all of them."
_NO_SOURCE = (
    "Trading goes on: nothing is decided on it. The other sources share its weight; /sentiment shows all of them."
)
_NO_PRICES = (
    "What it concerns is neither entered nor sold meanwhile. Stops and targets stand, and are carried out along the "
    "prices of this time as soon as these are known."
)


_NO_ENTRIES = (
    "Stops and targets go on, and so do exits, on the candles that come in. Set this machine's clock right, best by "
    "NTP; where it is right, see what stands between it and the venue (api_url, under exchanges). Then entries go on."
)


def platform(trouble: PlatformTrouble) -> Card:
    """A platform that does not do what it should, or does again."""
    name, since = wording.sentence(trouble.platform), ("Since", wording.moment(trouble.since))
    if trouble.ended_at is not None:
        ended = ("Until", wording.moment(trouble.ended_at))
        return Card(title=f"{name} works again ({trouble.id})", fields=(("It was", trouble.text), since, ended))
    return Card(
        title=f"{name} is in trouble ({trouble.id})",
        fields=(("What is wrong", trouble.text), since),
        text=_meanwhile_without(trouble.platform),
    )


def _meanwhile_without(part: str) -> str:
    """What goes on while a part of the program is in trouble."""
    if part.startswith(MODELS):
        return _NO_MODEL
    if part.startswith(SENTIMENT):
        return _NO_SOURCE
    return {MARKET_DATA: _NO_PRICES, CLOCK: _NO_ENTRIES}.get(part, _NO_CHAT)


def digest(report: Digest) -> Card:
    """One day's figures, or those of a week."""
    put_in = report.equity - report.net + report.paid_out  # what the day began with, and what was paid in
    quote, span = report.quote, "Week" if is_week(report.id) else "Day"
    name = f"Week {report.id}" if is_week(report.id) else report.id
    return Card(
        title=f"{name}: {BREAK}{wording.gain(report.net, report.share, quote)}",
        fields=(
            *phrases.payments(report.paid_in, report.paid_out, quote),
            *phrases.benchmark(report.benchmark),
            ("Equity", wording.money(report.equity, quote)),
            ("Realised", wording.gain(report.realised, wording.part(report.realised, put_in), quote)),
            ("Fees, taken off", wording.of(report.fees, put_in, quote)),
            ("Drawdown", wording.percent(report.drawdown)),
            ("Trades", f"{report.opened} opened, {report.closed} closed"),
            ("Won", phrases.won(report.won, report.closed)),
            *phrases.external(report.external, report.external_net, _external_share(report), quote),
            ("Open positions", str(report.open_positions)),
            ("Lost if every stop fills", phrases.of_equity(report.open_risk, report.equity, quote)),
            ("Approvals", f"{report.asked} asked, {report.answered} answered, {report.expired} expired"),
            *((("Language models", _models(report, put_in)),) if report.models_usd else ()),
            *((("Adjuster", told),) if (told := adjuster.of_day(report.adjuster)) else ()),
            *((("Brier score", models.brier(report.brier, report.graded)),) if report.brier is not None else ()),
            *((("Won, as said", models.as_said(report)),) if report.sure is not None else ()),
            (span, f"{wording.moment(report.begins)}\nto {wording.moment(report.ends)}"),
        ),
        graph=tuple(float(equity) for equity in report.equity_curve),
    )


def _models(report: Digest, put_in: Decimal) -> str:
    return models.per_trade(report.models_usd, report.opened, put_in, report.quote)


def _external_share(report: Digest) -> Decimal | None:
    return None if report.external_cost is None else wording.part(report.external_net, report.external_cost)


def welcome() -> Card:
    """What to try first."""
    return Card(
        title="Greenlight is running",
        text=(
            "It trades alone when it is sure, and asks you when it is not.\n"
            "1. Wait for the first approval; it comes by itself.\n"
            "2. Press Approve half and see the order filled.\n"
            "3. Send /why A1 to read how it came to that.\n"
            "/status shows where things stand, /help everything else."
        ),
        pinned=True,
    )
