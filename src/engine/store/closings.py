"""Wishes to close positions, as people confirm them."""

from __future__ import annotations

from engine.domain.closing import Closing
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.settings import Settings

KEPT = 64
"""How many are kept: a press is good for minutes, and what came of it is told by its orders for ever."""


class Closings:
    """Kept among the small facts, each in the place of the one so many before it: they are few."""

    def __init__(self, settings: Settings, numbering: Numbering) -> None:
        self._settings = settings
        self._numbering = numbering

    def next_id(self) -> str:
        """An id for the next wish."""
        return f"C{self._numbering.next('C')}"

    def put(self, closing: Closing) -> None:
        """Keep a wish as it is now."""
        self._settings.set(_key(int(closing.id[1:])), codec.dump(closing))

    def get(self, closing_id: str) -> Closing:
        """One wish.

        Raises:
            UnknownId: There is none with that id, or none any more.
        """
        number = closing_id[1:]
        if closing_id[:1] == "C" and number.isascii() and number.isdigit():
            kept = self._settings.get(_key(int(number)))
            found = codec.load(Closing, kept) if kept else None
            if found is not None and found.id == closing_id:
                return found
        raise UnknownId("That button is no longer good: it sells nothing.", "Ask again with /close.")


def _key(number: int) -> str:
    return f"closing.{number % KEPT}"
