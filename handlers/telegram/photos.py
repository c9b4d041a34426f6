"""Pictures with words below them, in as many messages as Telegram's limits want. Pure.

https://core.telegram.org/bots/api#sendphoto: a caption has at most 1,024 UTF-16 units after the tags are taken out.
"""

from __future__ import annotations

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card
from handlers.cards.telegram_html import render, utf16_units
from handlers.charts.illustrating import Illustrated

CAPTION = 1024
"""UTF-16 units a caption may have."""


class NotShown(GreenlightError):
    """Telegram does not take a picture there; words it may."""


def as_messages(shown: Illustrated) -> list[Illustrated]:
    """A picture with its card as caption; a card that is too long for that comes after it by itself."""
    if not shown.png:
        return [shown]
    parts = render(shown.card)
    if len(parts) <= 1 and all(utf16_units(part.plain) <= CAPTION for part in parts):
        return [shown]
    return [Illustrated(card=Card(title=""), png=shown.png, alt=shown.alt), Illustrated(card=shown.card)]
