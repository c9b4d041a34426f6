"""How long a question that failed waits before it is asked again."""

from __future__ import annotations

from engine.ports import Clock

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Wall seconds before a failed question is asked again; doubled each time."""


class Pauses:
    """How long a failed question waits before it is asked again: longer each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[object, float] = {}
        self._until: dict[object, float] = {}

    def over(self, question: object) -> bool:
        """Whether it may be asked."""
        return self._clock.monotonic() >= self._until.get(question, 0.0)

    def next(self, question: object, longest: float = LONGEST_PAUSE) -> float:
        """It failed: how long to wait now."""
        pause = self._last[question] = min(2 * self._last.get(question, FIRST_PAUSE / 2), longest)
        self._until[question] = self._clock.monotonic() + pause
        return pause

    def end(self, question: object) -> None:
        """It was answered."""
        self._last.pop(question, None)
        self._until.pop(question, None)

    def end_all(self) -> None:
        """Whoever did not answer does again: everything may be asked."""
        self._last.clear()
        self._until.clear()
