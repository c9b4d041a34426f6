"""How commands are written on Slack, where a bot has one slash command of its own and no others. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from html import unescape
from zoneinfo import ZoneInfo

from engine.domain.messages import BREAK, Card, Item
from handlers.cards.monospace import WIDTH, folded
from handlers.cards.times import by_clock

UTC = ZoneInfo("UTC")
_JOINT = "\N{WORD JOINER}"
"""Stands for the blank within a command while lines are broken at blanks."""


class Speech:
    """Turns what is written there into our commands, and our commands in cards into what can be written there.

    Args:
        command: The app's slash command, e.g. ``/bot``.
        names: The names of our commands, without slash.
        zone: By whose clock titles tell times: Slack shows no reader their own zone's there.
    """

    def __init__(self, command: str, names: Iterable[str], zone: ZoneInfo = UTC) -> None:
        self.command = command
        self._zone = zone
        self._names = frozenset(names)
        words = "|".join(sorted(map(re.escape, self._names)))
        self._ours = re.compile(rf"(?<![\w/<.:])/(?=(?:{words})(?![\w/]))")

    def after_command(self, text: str) -> str:
        """What stands after the slash command, as one of ours; nothing asks for help."""
        written = unescape(text).strip() or "help"
        return written if written.startswith("/") else f"/{written}"

    def typed(self, text: str) -> str:
        """A message to the bot. The slash may be left out before what is a command, and before nothing else."""
        written = unescape(text).strip()
        own = f"{self.command} "
        if written.startswith(own):
            return self.after_command(written.removeprefix(own))
        head = written.partition(" ")[0].lower()
        return f"/{written}" if head in self._names else written

    def shown(self, card: Card) -> Card:
        """A card whose commands can be written there as they stand: ``/why A1`` becomes ``/bot why A1``.

        A line that a phone showed whole until its commands became longer is broken between words, and never within a
        command, unless it says itself where. Tables stay as they are: they hold figures, the log and what strangers
        call themselves, and are as wide as they may be.
        """
        return replace(
            card,
            title=by_clock(self._said(card.title), self._zone),
            text=self._fitted(card.text),
            items=tuple(Item(title=self._said(item.title), text=self._fitted(item.text)) for item in card.items),
            fields=tuple((self._said(name), self._said(value)) for name, value in card.fields),
        )

    def _said(self, text: str) -> str:
        return self._ours.sub(f"{self.command} ", text)

    def _fitted(self, text: str) -> str:
        return "\n".join(piece for line in text.split("\n") for piece in self._lines(line))

    def _lines(self, line: str) -> list[str]:
        said = self._said(line)
        if BREAK in line or len(line) > WIDTH or len(said) <= WIDTH:
            return [said]
        whole = self._ours.sub(f"{self.command}{_JOINT}", line)
        return [piece.replace(_JOINT, " ") for piece in folded(whole)]
