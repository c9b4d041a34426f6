"""The real Telegram platform on the fake server, with a receiver that writes down what it hears."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from engine.domain.messages import Destination, Incoming
from handlers.telegram import TelegramPlatform
from tests.fakes.noting import Noted, Receive, noting, say_nothing, started
from tests.fakes.telegram import FakeTelegram

MENU = (("status", "How it stands"), ("pause", "No new entries"))

Bot = Noted[TelegramPlatform]


def to(chat: int) -> Destination:
    """A chat as a destination."""
    return Destination(platform="telegram", address=str(chat))


def make_bot(fake: FakeTelegram, *, receive: Receive = say_nothing, **options: Any) -> Bot:
    """A platform on the fake, not yet started."""
    heard: list[Incoming] = []
    settings: dict[str, Any] = {
        "receive": noting(heard, receive),
        "token": SecretStr(fake.token),
        "api_url": fake.url,
        "menu": MENU,
        "messages_per_second": 100.0,
        "poll_timeout": timedelta(seconds=5),
        "answer_timeout": timedelta(seconds=5),
    }
    return Bot(platform=TelegramPlatform(**settings | options), heard=heard)


def running(fake: FakeTelegram, *, receive: Receive = say_nothing, **options: Any) -> AbstractAsyncContextManager[Bot]:
    """A started platform, which is stopped at the end."""
    return started(make_bot(fake, receive=receive, **options))
