"""The real Slack platform on the fake server, with a receiver that writes down what it hears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from structlog.testing import capture_logs
from structlog.typing import EventDict

from engine.domain.messages import Card, Destination, Incoming, Pressed, Typed
from handlers.slack import SlackPlatform
from tests.fakes.slack import FakeSlack

NAMES = ("help", "status", "why", "pause")
CHANNEL = "C1"

Receive = Callable[[Incoming], Awaitable[Card | None]]


async def say_nothing(heard: Incoming) -> None:
    """A receiver that never replies."""


async def nothing_at_home(user: str) -> Sequence[Card] | None:
    """A home that nobody has."""


@dataclass(kw_only=True)
class Bot:
    """A platform, what it heard, and what it logged."""

    platform: SlackPlatform
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


def to(channel: str = CHANNEL) -> Destination:
    """A channel as a destination."""
    return Destination(platform="slack", address=channel)


def make_bot(fake: FakeSlack, *, receive: Receive = say_nothing, http: bool = False, **options: Any) -> Bot:
    """A platform on the fake, not yet started."""

    async def listen(heard: Incoming) -> Card | None:
        bot.heard.append(heard)
        return await receive(heard)

    settings: dict[str, Any] = {
        "receive": listen,
        "bot_token": SecretStr(fake.bot_token),
        "app_token": None if http else SecretStr(fake.app_token),
        "signing_secret": SecretStr(fake.signing_secret),
        "api_url": fake.api_url,
        "command": fake.command,
        "names": NAMES,
        "home": nothing_at_home,
        "messages_per_second": 100.0,
        "ping_interval": timedelta(seconds=0.3),
        "answer_timeout": timedelta(seconds=5),
    }
    bot = Bot(platform=SlackPlatform(**settings | options))
    return bot


@asynccontextmanager
async def running(
    fake: FakeSlack, *, receive: Receive = say_nothing, http: bool = False, **options: Any
) -> AsyncIterator[Bot]:
    """A started platform, which is stopped at the end."""
    bot = make_bot(fake, receive=receive, http=http, **options)
    with capture_logs() as bot.logs:
        await bot.platform.start()
        try:
            yield bot
        finally:
            await bot.platform.stop()
