"""Wishes to close positions, as people confirm them."""

from __future__ import annotations

from datetime import datetime

from engine.domain.closing import Closing, Stage
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.settings import Settings

_PREFIX = "closing."
_ABOUT = "closing_about."
"""What begins the key under which the confirmed wishes about a position are."""
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
        key = _key(int(closing.id[1:]))
        if closing.stage is Stage.ASKED:
            self._forget(self._settings.get(key))
        if closing.stage is Stage.CONFIRMED:
            for position_id in _positions(closing):
                known = self.about(position_id)
                self._settings.set(f"{_ABOUT}{position_id}", " ".join(dict.fromkeys((*known, closing.id))))
        self._settings.set(key, codec.dump(closing))

    def about(self, position_id: str) -> tuple[str, ...]:
        """The ids of the confirmed wishes that named a position, oldest first."""
        return tuple((self._settings.get(f"{_ABOUT}{position_id}") or "").split())

    def waiting(self) -> tuple[Closing, ...]:
        """The wishes that nobody has answered, also where their time is up; in no order."""
        return tuple(closing for closing in self._kept() if closing.stage is Stage.ASKED)

    def waits(self, closing_id: str) -> bool:
        """Whether nobody has answered a wish, and it has not been ended for want of time."""
        try:
            return self.get(closing_id).stage is Stage.ASKED
        except UnknownId:
            return False

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of the wishes that wait, or had not run out of time by then."""
        return frozenset(
            closing.id for closing in self._kept() if closing.stage is Stage.ASKED or closing.expires_at >= before
        )

    def _forget(self, kept: str | None) -> None:
        """Let the wish go whose place another takes."""
        gone = codec.load(Closing, kept) if kept else None
        if gone is None or gone.stage is not Stage.CONFIRMED:
            return
        for position_id in _positions(gone):
            key, left = f"{_ABOUT}{position_id}", [each for each in self.about(position_id) if each != gone.id]
            if left:
                self._settings.set(key, " ".join(left))
            else:
                self._settings.drop((key,))

    def _kept(self) -> tuple[Closing, ...]:
        return tuple(codec.load(Closing, value) for value in self._settings.starting_with(_PREFIX).values())

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


def _positions(closing: Closing) -> tuple[str, ...]:
    """What its card tells of once it is confirmed."""
    return tuple(dict.fromkeys((*closing.orders, *(each.position_id for each in closing.unsold))))


def _key(number: int) -> str:
    return f"{_PREFIX}{number % KEPT}"
