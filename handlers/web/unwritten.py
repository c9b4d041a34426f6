"""Cards that every page shows and nothing keeps: for when nothing can be written down.

They stand at the end of the chat. Once a card can be written after all, the outbox puts it under the same ``Ref`` into
the chat itself, and what stood for it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from engine.domain.messages import Card, Destination, Ref
from engine.store.chat import ChatMessage

_FIRST_ID = 10**15
"""Beyond every id that the database gives."""


class Unwritten:
    """Implements the port ``Platform`` from memory alone.

    Args:
        wall: The wall clock; cards carry its time.
        on_change: Called after each change.
    """

    name = "web"

    def __init__(self, *, wall: Callable[[], datetime], on_change: Callable[[], None]) -> None:
        self._wall = wall
        self._on_change = on_change
        self._shown: dict[Ref, ChatMessage] = {}
        self._next_id = _FIRST_ID

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """What is shown, oldest first."""
        return tuple(self._shown.values())

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:  # noqa: ARG002 - one room
        """Show a card to everybody, in place of the one at ``ref`` where there is one."""
        at, number = self._wall(), self._next_id
        self._next_id += 1
        # The time is in it so that no ref of an earlier run, which the outbox may remember, is taken for it.
        ref = ref or Ref(messages=(f"unwritten-{at:%Y%m%d%H%M%S%f}-{number - _FIRST_ID}",))
        self._shown[ref] = ChatMessage(id=number, version=0, audience="", author="", at=at, card=card, text="")
        self._on_change()
        return ref

    def forget(self, ref: Ref) -> None:
        """Show a card no more: it is written down."""
        if self._shown.pop(ref, None):
            self._on_change()
