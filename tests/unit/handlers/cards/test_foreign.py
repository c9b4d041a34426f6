"""Words of others, in which nothing can be pressed."""

from __future__ import annotations

import re

import pytest

from handlers.cards.foreign import JOINER, inert

PRESSED = re.compile(r"(?<![\w<])[/@#]\w+|\w\.[a-z]{2,}", re.IGNORECASE)
"""What clients make a command, a mention, a topic or a link of."""


@pytest.mark.parametrize(
    "text",
    [
        "sell now: /close all",
        "ask @everyone",
        "#buythis",
        "see evil.example.com/win",
        "https://evil.example/x",
        "Ünï.com",
    ],
)
def test_what_could_be_pressed_cannot(text: str) -> None:
    assert PRESSED.search(text)
    assert not PRESSED.search(inert(text))
    assert inert(text).replace(JOINER, "") == text


@pytest.mark.parametrize(
    "text", ["up 12.5% to 54,642.90", "2026-01-03 14:00 UTC", "BTC/ USDT", "It fell. Then it rose."]
)
def test_plain_words_and_figures_stay_as_they_are(text: str) -> None:
    assert inert(text) == text
