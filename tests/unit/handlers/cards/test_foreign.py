"""Words of others, in which nothing can be pressed, on each card that shows some."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine.ai.questions import Told
from engine.domain.autonomy import Refuse
from engine.domain.messages import Card
from handlers.cards import answers, approval, panel, prediction, sentiment, why
from handlers.cards.foreign import JOINER, inert
from handlers.cards.lines import flowing
from tests.fakes import reports

PRESSED = re.compile(r"(^|[\s(>;:,.])/[a-z0-9_]+|@[a-z]\w+|#[a-z]\w+|\w\.[a-z]{2,}", re.IGNORECASE)
"""What chats make a command, a mention, a topic or a link of."""
LURE = "do /close all at evil.example.com as @admin says"


@pytest.mark.parametrize(
    "text",
    [LURE, "#buythis", "see evil.example.com/win", "https://evil.example/x", "x.io", "(/panic)", "<@admin", "<#tag"],
)
def test_what_could_be_pressed_cannot(text: str) -> None:
    assert PRESSED.search(text)
    assert not PRESSED.search(inert(text))
    assert inert(text).replace(JOINER, "") == text


@pytest.mark.parametrize("text", ["up 12.5% to 54,642.90", "BTC/USDT", "<b>It</b> fell. Then it rose."])
def test_plain_words_and_figures_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def cards() -> dict[str, Card]:
    """A card of each kind that shows somebody else's words, all of them a lure."""
    heard = [replace(each, reasons=(LURE,), flip=LURE) for each in reports.heard().opinions]
    outlook = reports.prediction_view().outlook
    expected = [
        replace(each, reasons=tuple(replace(reason, text=LURE) for reason in each.reasons))
        for each in outlook.predictions
    ]
    mood = reports.sentiment_view()
    said = tuple(replace(each, title=LURE) for each in mood.data.headlines)
    vetoed = reports.judged(ruling=Refuse(reasons=(f"risk: {LURE}",)), plan=None, clamps=())
    return {
        "approval": approval.card(replace(reports.approval_view(), opinions=tuple(heard))),
        "agents": panel.card(reports.why(judged=replace(reports.judged(), opinions=tuple(heard)))),
        "why": why.card(reports.why(judged=replace(vetoed, opinions=tuple(heard)))),
        "predict": prediction.card(
            replace(reports.prediction_view(), outlook=replace(outlook, predictions=tuple(expected)))
        ),
        "sentiment": sentiment.card(replace(mood, data=replace(mood.data, headlines=said))),
        "ask": answers.card(Told(text=LURE, figures=(f"decision.d12: {LURE}",), by="openai gpt-5-mini")),
    }


@pytest.mark.parametrize("name", ["approval", "agents", "why", "predict", "sentiment", "ask"])
def test_no_card_has_words_of_others_that_can_be_pressed(name: str) -> None:
    card = cards()[name]
    items = [f"{item.title}\n{item.text}" for item in card.items]
    shown = flowing("\n".join([card.title, card.text, *(value for _, value in card.fields), *items]))
    assert "close all" in shown
    assert "/close" not in shown
    assert "evil.example" not in shown
    assert "@admin" not in shown
