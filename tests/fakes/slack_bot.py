"""The real Slack platform on the fake server, with a receiver that writes down what it hears."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from engine.domain.messages import Card, Destination, Incoming
from handlers.slack import SlackPlatform
from tests.fakes.noting import Noted, Receive, noting, say_nothing, started
from tests.fakes.slack import FakeSlack

NAMES = ("help", "status", "why", "pause")
CHANNEL = "C1"

Bot = Noted[SlackPlatform]


async def nothing_at_home(user: str) -> Sequence[Card] | None:
    """A home that nobody has."""


def to(channel: str = CHANNEL) -> Destination:
    """A channel as a destination."""
    return Destination(platform="slack", address=channel)


def make_bot(fake: FakeSlack, *, receive: Receive = say_nothing, http: bool = False, **options: Any) -> Bot:
    """A platform on the fake, not yet started."""
    heard: list[Incoming] = []
    settings: dict[str, Any] = {
        "receive": noting(heard, receive),
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
    return Bot(platform=SlackPlatform(**settings | options), heard=heard)


def running(
    fake: FakeSlack, *, receive: Receive = say_nothing, http: bool = False, **options: Any
) -> AbstractAsyncContextManager[Bot]:
    """A started platform, which is stopped at the end."""
    return started(make_bot(fake, receive=receive, http=http, **options))
