"""Of those who ask the same at the same time one asks, and the others wait for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.domain.model_ledger import ModelCall


@dataclass(slots=True)
class Flight:
    """A question that is under way.

    Attributes:
        call: What it came to; ``None`` until then, and where no call was made.
        ended: Set when it has ended, well or not.
    """

    call: ModelCall | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class SingleFlight:
    """Questions that are under way, by their keys."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}

    def of(self, key: str) -> Flight | None:
        """The one with a key; ``None`` where nobody asks that now."""
        return self._flights.get(key)

    @contextmanager
    def first(self, key: str) -> Iterator[Flight]:
        """Ask, while others with the key wait; to be entered without a pause after nobody was found to ask it."""
        flight = self._flights[key] = Flight()
        try:
            yield flight
        finally:
            del self._flights[key]
            flight.ended.set()
