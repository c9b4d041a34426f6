"""What the commands answer with, approvals and ``/why`` aside. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.account import Balance, DayProfit, Profit, Status
from engine.domain.approvals import Approval, Reply
from engine.domain.decision_views import ApprovalView
from engine.domain.errors import GreenlightError
from engine.domain.halt_views import HaltView, Paused
from engine.domain.health import Part
from engine.domain.messages import Card, Item, Person, Role, Table
from engine.domain.people import Stranger
from engine.domain.positions import Position
from engine.domain.trade_views import PositionView
from handlers.cards import alerts, phrases, replies, totals, wording
from handlers.cards.monospace import WIDTH, folded


def status(report: Status, *, hints: bool = True) -> Card:
    """The bot at a glance; with hints at commands, where people have those."""
    on = "Trading" if report.trading else "Not trading: no new entries"
    last = wording.moment(report.last_cycle_at) if report.last_cycle_at else "none yet"
    return Card(
        title=f"{on} ({report.profile}, {report.venue})",
        fields=(
            ("Equity", wording.money(report.equity, report.quote)),
            ("Today", wording.gain(report.day_net, report.day_share, report.quote)),
            *_since(report),
            ("Cash", wording.of(report.cash, report.equity, report.quote)),
            ("Exposure", wording.of(report.exposure, report.equity, report.quote)),
            ("Drawdown", wording.percent(report.drawdown)),
            ("Open positions", str(report.positions)),
            ("Open approvals", f"{report.pending}{' (/pending)' if report.pending and hints else ''}"),
            ("Strategies", ", ".join(report.contexts)),
            ("Prices", ", ".join(f"{market} {wording.price(price)}" for market, price in report.prices)),
            ("Last decision cycle", last),
            ("Market time", wording.moment(report.now)),
        ),
        text=wording.lines(wording.sentence(report.no_entry), *map(_halt_line, report.halts)),
    )


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


def _halt_line(view: HaltView) -> str:
    halt = view.halt
    end, where = phrases.end(halt), f"{halt.symbol}: " if halt.symbol else ""
    known_as = f"{view.id}, " if view.id else ""
    return f"{known_as}{where}{phrases.HALTS[halt.kind]}{f' until {end}' if end else ''}: {halt.reason}"


def positions(held: Sequence[PositionView], now: datetime, benchmark: Decimal | None = None) -> Card:
    """The open positions at the prices of now, how long they are held, and what they come to.

    Args:
        held: The positions.
        now: The market time.
        benchmark: What holding the traded markets has come to since the first of them was opened, where that is told.
    """
    if not held:
        return Card(title="No open positions")
    naked = [view.position.id for view in held if not view.protected]
    return Card(
        title=wording.count(len(held), "open position"),
        fields=totals.fields([view.position for view in held], held, benchmark),
        items=tuple(_position(view, now) for view in held),
        text=wording.lines(
            f"Without a stop at the venue: {wording.listing(naked)}" if naked else "", phrases.OF_THEIR_COST
        ),
    )


def _position(view: PositionView, now: datetime) -> Item:
    held = view.position
    levels = [
        f"{name} {wording.price(level)}" for name, level in (("stop", held.stop), ("target", held.target)) if level
    ]
    return Item(
        title=f"{held.id} {held.symbol} {wording.gain_amount(view.net, view.share, wording.quote(held.symbol))}",
        text=wording.lines(
            f"{wording.quantity(held.quantity)} at {wording.price(held.entry_price)} → {wording.price(view.price)}",
            ", ".join(levels) or "no stop, no target",
            phrases.held_for(held.opened_at, now),
        ),
    )


def balance(report: Balance) -> Card:
    """What the account owns."""
    return Card(
        title=f"Balance: {wording.money(report.equity, report.quote)}",
        items=tuple(
            Item(
                title=f"{name} {wording.figure(held)}",
                text=wording.of(value, report.equity, report.quote),
            )
            for name, held, value in report.rows
        ),
    )


def profit(report: Profit) -> Card:
    """Profit and loss of the last days, net of fees."""
    span = wording.count(len(report.days), "day")
    return Card(
        title=f"{wording.gain(report.net, report.share, report.quote)} in {span}",
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
    """The fees, and what they are of what the profit was made with, where that is known."""
    return wording.of(report.fees, report.net / report.share if report.share else Decimal(0), report.quote)


def _day_row(day: DayProfit, quote: str) -> tuple[str, ...]:
    """A day in a line that a phone shows whole."""
    shares = (wording.signed_percent(share) if share is not None else "" for share in (day.share, day.benchmark))
    return (f"{day.day:%m-%d}", wording.signed_amount(day.net, quote), *shares)


def trades(
    newest_first: Sequence[Position],
    held: Sequence[PositionView],
    now: datetime,
    benchmark: Decimal | None = None,
) -> Card:
    """The last trades, open or closed, and what they come to.

    Args:
        newest_first: The trades.
        held: What is open among them, at the prices of now.
        now: The market time.
        benchmark: What holding the traded markets has come to since the first of them was opened.
    """
    if not newest_first:
        return Card(title="No trades yet")
    so_far = {view.position.id: view for view in held}
    return Card(
        title=f"The last {wording.count(len(newest_first), 'trade')}",
        fields=totals.fields(newest_first, held, benchmark),
        items=tuple(_trade(each, so_far.get(each.id), now) for each in newest_first),
        text=wording.lines(phrases.OF_THEIR_COST, f"/why {newest_first[0].id} tells the whole story of one."),
    )


def _trade(held: Position, so_far: PositionView | None, now: datetime) -> Item:
    """One trade in lines that a phone shows whole."""
    return Item(
        title=f"{held.id} {held.symbol} {_result(held, so_far)}".rstrip(),
        text=wording.lines(phrases.bought_then_sold(held), *_time_held(held, now)),
    )


def _result(held: Position, so_far: PositionView | None) -> str:
    """What a trade came to, or would if it ended now; empty where that is not known."""
    quote = wording.quote(held.symbol)
    if not held.is_open:
        return wording.gain_amount(held.net, held.share(held.net), quote)
    return wording.gain_amount(so_far.net, so_far.share, quote) if so_far is not None else ""


def _time_held(held: Position, now: datetime) -> tuple[str, ...]:
    if held.closed_at is None:
        return (phrases.held_for(held.opened_at, now), "still open")
    opened, closed = wording.moment(held.opened_at), wording.moment(held.closed_at)
    return (opened, f"to {closed}, {wording.span(held.closed_at - held.opened_at)}", f"by {phrases.closed_by(held)}")


def pending(questions: Sequence[ApprovalView]) -> Card:
    """The open questions, with prices of now."""
    if not questions:
        return Card(title="Nothing to decide", text="No approval is open.")
    first = questions[0]
    name = first.approval.id
    approving = "" if first.halt else f"/approve {name}, /approve {name} half\nor "
    return Card(
        title=wording.count(len(questions), "open approval"),
        items=tuple(map(_question, questions)),
        text=f"Answer with its buttons, or with\n{approving}/reject {name} reason.",
    )


def _question(view: ApprovalView) -> Item:
    asked, plan = view.approval, view.approval.plan
    return Item(
        title=f"{asked.id} {phrases.headline(plan)}",
        text=wording.lines(
            wording.price(plan.price) if view.price is None else phrases.price_move(plan.price, view.price),
            f"{view.decision.agreement}, expires",
            phrases.expiry(asked.expires_at, view.now, view.wall_left),
            *(("no new entries:", phrases.stopped(view.halt)) if view.halt else ()),
        ),
    )


def paused(report: Paused) -> Card:
    """What ``/pause`` came to: whose pause holds, until when, and what stops entries beside it."""
    card = alerts.halt(report.holds)
    held = "It was in force, and lasts at least as long as what you asked for: nothing was changed."
    return replace(
        card,
        text=wording.lines(
            "" if report.is_new else held,
            *(f"It takes the place of {_halt_line(view)}" for view in report.ended),
            card.text,
            *(f"Beside it: {_halt_line(view)}" for view in report.beside),
        ),
    )


_COUNTED_ANEW = (
    "The total limit counts from the equity of now on; the drawdown itself still counts from the peak, and entries are "
    "smaller until it has been made good."
)


def resumed(ended: Sequence[HaltView]) -> Card:
    """What ``/resume`` ended."""
    if not ended:
        return Card(title="Nothing was paused", text="/status shows whether anything else stops new entries.")
    names = wording.listing([f"{phrases.HALTS[view.halt.kind]} ({view.id})" for view in ended])
    total = any(view.halt.is_total for view in ended)
    return Card(
        title=f"Ended: {names}",
        text=wording.lines(_COUNTED_ANEW if total else "", "/status shows whether anything else stops new entries."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command in the manual: how it is written, what it does, and its other names."""

    usage: str
    does: str
    aliases: tuple[str, ...] = ()


def manual(groups: Sequence[tuple[Role, Sequence[Entry]]]) -> Card:
    """The commands by the role they need."""
    parts = (
        wording.lines(f"For {'an' if role == 'admin' else 'a'} {role}:", *map(_entry, entries))
        for role, entries in groups
        if entries
    )
    return Card(title="Commands", text="\n\n".join(parts))


def _entry(entry: Entry) -> str:
    """On one line where a phone shows that whole; else the command on a line of its own, and no line that is longer."""
    also = f"also {', '.join(f'/{alias}' for alias in entry.aliases)}" if entry.aliases else ""
    whole = f"{entry.usage}: {entry.does}"
    told = (whole,) if len(whole) <= WIDTH else (f"{entry.usage}:", *folded(entry.does))
    return wording.lines(*told, also)


def start(person: Person) -> Card:
    """The welcome, to one person."""
    return replace(alerts.welcome(), title=f"Hello {person.name}, Greenlight is running", pinned=False)


def answered(kind: Reply, asked: Approval, halt: HaltView | None = None) -> Card:
    """What the person who answered an approval is told."""
    return Card(title=replies.reply(kind, asked, halt))


def whoami(person: Person, platform: str) -> Card:
    """Who the bot takes somebody for."""
    return Card(title=f"Signed in as {person.name}", fields=(("Role", person.role), ("Here by", platform)))


def strangers(newest_first: Sequence[Stranger]) -> Card:
    """Who wrote and got no answer, and how to let them in. What they call themselves is any text of theirs."""
    if not newest_first:
        return Card(title="No strangers", text="Nobody has written who is not listed in people.")
    listable = [each for each in newest_first if "/" not in each.user]  # who has one is of another workspace
    return Card(
        title=f"{wording.count(len(newest_first), 'stranger')} wrote and got no answer",
        table=Table(
            head=("ID, and what they call themselves",),
            rows=tuple((row,) for each in newest_first for row in _stranger_rows(each)),
        ),
        text=f"To let one in, add a line to people and restart: {_listed(listable[0])}" if listable else "",
    )


def _stranger_rows(each: Stranger) -> Iterator[str]:
    """Of one width: so no platform makes a command, a mention or a link of what they call themselves."""
    first, last = wording.moment(each.first_at), wording.moment(each.last_at)
    yield from folded(each.user)
    said = (
        f"{each.platform}, {wording.count(each.times, 'message')}",
        each.name,
        f"last {last}",
        *([f"first {first}"] if first != last else []),
    )
    yield from (f"  {row}" for line in said for row in folded(line, WIDTH - 2))


def _listed(stranger: Stranger) -> str:
    """How somebody would be listed, in YAML and JSON alike; their admin gives them their name."""
    return json.dumps({"name": "THEIR NAME", "role": str(Role.VIEWER), stranger.platform: stranger.user})


def health(parts: Sequence[Part]) -> Card:
    """Which parts of the program are well."""
    sick = [part.name for part in parts if not part.ok]
    return Card(
        title=f"Not well: {wording.listing(sick)}" if sick else "All is well",
        items=tuple(
            Item(
                title=f"{part.name}: {'ok' if part.ok else 'NOT OK'}",
                text=part.detail if part.detail != "ok" else "",
            )
            for part in parts
        ),
    )


def version(number: str) -> Card:
    """Which version this is."""
    return Card(title=f"Greenlight {number}")


def error(problem: GreenlightError) -> Card:
    """What went wrong, and what to do about it."""
    return Card(title=problem.message, text=problem.remedy)


def fault(reference: str) -> Card:
    """Something unexpected went wrong; the log knows it by this id."""
    return Card(
        title="Something went wrong here", text=f"The log has it as {reference}. /status shows where things stand."
    )


def away() -> Card:
    """A message that was sent while the program did not run."""
    return Card(
        title="That was sent while I was away; nothing was done",
        text="Do it again if you still want it.",
    )


def interrupted() -> Card:
    """For what was being acted on when the program stopped."""
    return Card(
        title="I was stopped in the middle of that; I cannot say whether it was done",
        text="/status shows where things stand. Send it again if it was not done.",
    )


def in_private() -> Card:
    """For everybody where an admin asked what only admins may read."""
    return Card(title="The answer is in your direct messages with me")


def not_in_private(remedy: str) -> Card:
    """The same where there is no way yet to answer in private; the remedy says how there will be one."""
    return Card(title="That is not for everybody here, and I cannot write to you in private yet", text=remedy)


def not_a_button() -> Card:
    """For a press that carries nothing of ours."""
    return Card(title="That button is not one of mine", text="/pending lists the open approvals.")


def hint() -> Card:
    """For a text that is not a command."""
    return Card(title="I understand commands", text="Try /status, /pending or /help.")
