"""The real Telegram platform on the fake server, with a receiver that writes down what it hears."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

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


@asynccontextmanager
async def serving(platform: TelegramPlatform) -> AsyncIterator[str]:
    """A bot's hook on a port of its own; its local address."""
    app = Starlette(routes=list(platform.hooks))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False)
    running = uvicorn.Server(config)
    running.install_signal_handlers = lambda: None
    task = asyncio.create_task(running.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        running.should_exit = True
        await task
