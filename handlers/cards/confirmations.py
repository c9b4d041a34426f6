"""What people are asked to confirm beside trades, as cards: from the question to what came of it. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.capital import CapitalStep
from engine.domain.confirmations import TOPIC, Confirmation, Consent, Stage
from engine.domain.messages import BREAK, Button, Card
from handlers.cards import wording

_OUTCOMES = {Stage.AGREED: "agreed", Stage.DECLINED: "said no", Stage.VOID: "no longer asked"}


def card(asked: Confirmation) -> Card:
    """A question in whatever stage it is."""
    step = asked.subject
    title = f"Use up to {_money(step, step.after)}? {BREAK}({asked.id})"
    if asked.is_open:
        return Card(
            title=title, topic=_topic(asked), fields=_figures(step), text=_question(step), buttons=_buttons(asked)
        )
    return Card(title=title, topic=_topic(asked), fields=(*_answer(asked), *_figures(step)), text=_came_of(asked))


def _topic(asked: Confirmation) -> str:
    return f"{TOPIC}:{asked.id}"


def _buttons(asked: Confirmation) -> tuple[Button, ...]:
    step = asked.subject
    return (
        Button(label=f"Use {wording.quantity(step.after)}", verb=Consent.YES, about=asked.id),
        Button(label=f"Stay at {wording.quantity(step.before)}", verb=Consent.NO, about=asked.id),
    )


def _figures(step: CapitalStep) -> tuple[tuple[str, str], ...]:
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


def _question(step: CapitalStep) -> str:
    again = "Without a yes nothing may be used." if not step.before else "Without a yes it stays as it is."
    return wording.lines("An admin presses it, once.", again, "/capital tells more.")


def _answer(asked: Confirmation) -> tuple[tuple[str, str], ...]:
    at = (("At", wording.moment(asked.answered_at)),) if asked.answered_at else ()
    return (("Answer", f"{asked.by} {_OUTCOMES[asked.stage]}".strip()), *at)


def _came_of(asked: Confirmation) -> str:
    step = asked.subject
    match asked.stage:
        case Stage.AGREED:
            return f"Up to {_money(step, step.after)} may be used now."
        case Stage.DECLINED:
            return f"It stays at {_money(step, step.before)}. It is asked again after the time of a stage."
        case _:
            return wording.sentence(asked.note)


def _money(step: CapitalStep, amount: Decimal) -> str:
    return f"{wording.figure(amount)} {step.quote}"
