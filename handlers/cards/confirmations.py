"""What people are asked to confirm beside trades, as cards: from the question to what came of it. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.capital import CapitalStep
from engine.domain.confirmations import TOPIC, CancelWish, Confirmation, Consent, FirstGo, Stage
from engine.domain.market import named
from engine.domain.messages import BREAK, Button, Card
from handlers.cards import live, wording

_OUTCOMES = {Stage.AGREED: "agreed", Stage.DECLINED: "said no", Stage.VOID: "no longer asked"}
_Fields = tuple[tuple[str, str], ...]


def card(asked: Confirmation) -> Card:
    """A question in whatever stage it is."""
    title, fields = f"{_title(asked)} {BREAK}({asked.id})", _fields(asked)
    topic = f"{TOPIC}:{asked.id}"
    if asked.is_open:
        return Card(title=title, topic=topic, fields=fields, text=_question(asked), buttons=_buttons(asked))
    return Card(title=title, topic=topic, fields=(*_answer(asked), *fields), text=_came_of(asked))


def answer(asked: Confirmation) -> Card:
    """What the one who has pressed or typed is told: where everybody is shown the card, beside it in a line."""
    if isinstance(asked.subject, CancelWish):
        return card(asked)
    who = ": ".join(value for _, value in _answer(asked)[:1])
    return Card(title=f"{asked.id}, {BREAK}{who}", text=_came_of(asked))


def _title(asked: Confirmation) -> str:
    match asked.subject:
        case CapitalStep() as step:
            return f"Use up to {_money(step, step.after)}?"
        case CancelWish() as wish:
            what = f"{wish.side} {wording.quantity(wish.rest)} {BREAK}{named(wish.symbol, wish.at)}"
            return f"Cancel {wish.order_id}? {BREAK}{what}"
        case FirstGo(account=account):
            return f"First go at {account.venue}? {BREAK}{account.kind}"


def _fields(asked: Confirmation) -> _Fields:
    match asked.subject:
        case CapitalStep() as step:
            return _figures(step)
        case CancelWish() as wish:
            return _what_becomes(wish)
        case FirstGo(account=account, limits=limits):
            return (live.account(account), *limits)


def _question(asked: Confirmation) -> str:
    match asked.subject:
        case CapitalStep() as step:
            again = "Without a yes it stays as it is." if step.before else "Without a yes nothing may be used."
            return wording.lines("An admin presses it, once.", again, "/capital tells more.")
        case CancelWish() as wish:
            return f"Only you can press it, until {BREAK}{wording.moment(wish.expires_at)}."
        case FirstGo(account=account):
            return wording.lines(
                f"Nothing is entered at {account.venue} {BREAK}before an admin presses Go.",
                f"It is kept for this key; {BREAK}another one is asked about anew.",
            )


def _buttons(asked: Confirmation) -> tuple[Button, ...]:
    match asked.subject:
        case CapitalStep() as step:
            labels = (f"Use {wording.quantity(step.after)}", f"Stay at {wording.quantity(step.before)}")
        case CancelWish() as wish:
            labels = (f"Cancel {wish.order_id}", "Leave it")
        case FirstGo():
            labels = ("Go", "Not now")
    return tuple(
        Button(label=label, verb=consent, about=asked.id)
        for label, consent in zip(labels, (Consent.YES, Consent.NO), strict=True)
    )


def _came_of(asked: Confirmation) -> str:
    if asked.stage is Stage.VOID:
        return wording.sentence(f"{asked.note}: nothing was done.")
    is_agreed = asked.stage is Stage.AGREED
    match asked.subject:
        case CapitalStep() as step if is_agreed:
            return f"Up to {_money(step, step.after)} may be used now."
        case CapitalStep() as step:
            return f"It stays at {_money(step, step.before)}. It is asked again after the time of a stage."
        case CancelWish() as wish if is_agreed:
            return f"It is being cancelled. {BREAK}/order {wish.order_id} shows how far that is."
        case CancelWish():
            return "It was left as it is."
        case FirstGo(account=account) if is_agreed:
            return f"The bot may enter at {account.venue} now. {BREAK}/pause stops entries."
        case FirstGo():
            return "Nothing is entered there. It is asked again at the next start."


def _figures(step: CapitalStep) -> _Fields:
    """What the stage of then had come to."""
    figures = step.figures
    if not step.before:
        return (("Used now", "nothing may be used"),)
    won = f"{figures.won} of {wording.count(figures.closed, 'closed trade')}"
    return (
        ("Used now", f"up to {_money(step, step.before)}"),
        ("Lasted", f"{wording.span(figures.lasted)} without a breach"),
        ("Result", wording.gain(figures.result, wording.part(figures.result, step.before), step.quote)),
        ("Below best now", wording.percent(figures.drawdown(step.before))),
        ("Won", won),
    )


def _what_becomes(wish: CancelWish) -> _Fields:
    """What a cancel leaves of an order and of what it is about."""
    rest = wording.quantity(wish.rest)
    if not wish.is_entry:
        stop = "its stop and target are placed anew for it" if wish.has_stop else "it has no stop"
        again = "a strategy that wants out sells again at its next close"
        return (("Not sold", f"{rest} {BREAK}of {wish.position_id}"), ("Then", stop), ("And", again))
    held = f"{wording.quantity(wish.filled)}, {BREAK}in {wish.position_id}" if wish.filled else "nothing"
    kept = (("Its stop", "stays, for what is held"),) if wish.filled and wish.has_stop else ()
    return (("Bought so far", held), ("Not bought", rest), *kept)


def _answer(asked: Confirmation) -> _Fields:
    at = (("At", wording.moment(asked.answered_at)),) if asked.answered_at else ()
    return (("Answer", f"{asked.by} {_OUTCOMES[asked.stage]}".strip()), *at)


def _money(step: CapitalStep, amount: Decimal) -> str:
    return f"{wording.figure(amount)} {step.quote}"
