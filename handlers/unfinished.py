"""What a put that failed half way leaves behind: messages that its caller does not know; the next put goes on there."""

from __future__ import annotations

from engine.domain.messages import Ref


class Unfinished:
    """The messages of cards that were not shown whole, by place and topic."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[str, ...]] = {}

    def standing(self, place: str, topic: str, ref: Ref | None) -> tuple[str, ...]:
        """The messages to show a card in: those of ``ref``, and those a failed put has added."""
        known = ref.messages if ref else ()
        left = self._left.get((place, topic), ())
        return left if left[: len(known)] == known else known

    def keep(self, place: str, topic: str, ref: Ref | None, left: tuple[str, ...]) -> None:
        """Keep what a failed put leaves behind, where its caller does not know it."""
        self.forget(place, topic)
        if topic and len(left) > len(ref.messages if ref else ()):
            self._left[place, topic] = left

    def forget(self, place: str, topic: str) -> None:
        """The card is shown whole."""
        self._left.pop((place, topic), None)
