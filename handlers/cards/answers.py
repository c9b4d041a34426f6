"""What ``/ask`` is answered: a model's words, and beside them the figures that they rest on, as they are. Pure."""

from __future__ import annotations

from engine.ai.questions import Told
from engine.domain.messages import Card
from handlers.cards import wording
from handlers.cards.foreign import inert
from handlers.cards.lines import listed

_OTHERWISE = "/help lists what the commands tell."
_NONE_CONFIGURED = "In words it is answered where a model is asked: llm.providers."
_NONE_ANSWERED = "No model has answered this time, so rules say which command it is: /llm tells how models are."


def card(told: Told) -> Card:
    """The answer, who gave it, and the command that shows more."""
    more = f"/{told.command} shows it." if told.command else ""
    if told.reason:
        return Card(title="Nobody could answer that", text=wording.lines(listed(told.reason), more or _OTHERWISE))
    if not told.text:
        return Card(title="A command answers that", text=wording.lines(more or _OTHERWISE, _who_says_so(told)))
    figures = (f"· {listed(inert(figure))}" for figure in told.figures)
    return Card(title=f"Answer of {told.by}", text=wording.lines(inert(told.text), *figures, more))


def _who_says_so(told: Told) -> str:
    """Who knows no more than a command, and what words of a model need."""
    if not told.by_rules:
        return f"So says {told.by}."
    return _NONE_ANSWERED if told.lacks_model else _NONE_CONFIGURED
