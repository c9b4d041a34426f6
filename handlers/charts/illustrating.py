"""A card with its picture, or with a word why there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from engine.domain.charts import Chart
from engine.domain.errors import GreenlightError
from engine.domain.messages import Card

Draw = Callable[[Chart], Awaitable[bytes]]
"""Draws a chart as a PNG; raises ``GreenlightError`` where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Illustrated:
    """What is to be shown: a card, and the picture that goes with it.

    Attributes:
        png: The picture; empty where there is none.
        alt: What it shows, for those who cannot see it.
    """

    card: Card
    png: bytes = b""
    alt: str = ""


async def illustrated(card: Card, draw: Draw) -> Illustrated:
    """Draw what a card asks for; where that cannot be done, its text says why."""
    if card.picture is None:
        return Illustrated(card=card)
    bare = replace(card, picture=None)
    try:
        return Illustrated(card=bare, png=await draw(card.picture), alt=card.picture.alt)
    except GreenlightError as error:
        return Illustrated(card=with_note(bare, str(error)))


def with_note(card: Card, note: str) -> Card:
    """A card with something more to say."""
    return replace(card, text="\n".join(text for text in (card.text, note) if text))


async def no_pictures(_: Chart) -> bytes:
    """Draws nothing.

    Raises:
        GreenlightError: Always.
    """
    raise GreenlightError("Pictures are not drawn here.")
