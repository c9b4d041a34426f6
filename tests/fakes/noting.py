"""A real platform with a receiver that writes down what it hears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from structlog.testing import capture_logs
from structlog.typing import EventDict

from engine.domain.messages import Card, Incoming, Pressed, Typed

Receive = Callable[[Incoming], Awaitable[Card | None]]


class Startable(Protocol):
    """What listens from its start to its stop."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


P = TypeVar("P", bound=Startable)


async def say_nothing(heard: Incoming) -> None:
    """A receiver that never replies."""


@dataclass(kw_only=True)
class Noted(Generic[P]):
    """A platform, what it heard, and what it logged."""

    platform: P
    heard: list[Incoming] = field(default_factory=list)
    logs: list[EventDict] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """What began to be wrong, in words for people."""
        return [entry["text"] for entry in self.logs if entry["event"] == "platform.trouble"]

    @property
    def said(self) -> list[str]:
        """What was typed or pressed, in the order in which it was received."""
        return [words(incoming) for incoming in self.heard]


def words(incoming: Incoming) -> str:
    """The text or the data of an action."""
    match incoming.action:
        case Typed(text=text):
            return text
        case Pressed(data=data):
            return data


def noting(heard: list[Incoming], receive: Receive) -> Receive:
    """A receiver that writes down what it hears before it does what another does."""

    async def listen(incoming: Incoming) -> Card | None:
        heard.append(incoming)
        return await receive(incoming)

    return listen


@asynccontextmanager
async def started(noted: Noted[P]) -> AsyncIterator[Noted[P]]:
    """A platform that runs, and is stopped at the end."""
    with capture_logs() as noted.logs:
        await noted.platform.start()
        try:
            yield noted
        finally:
            await noted.platform.stop()
