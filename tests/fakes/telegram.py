"""A Bot API server on loopback, as strict as the real one, with a test's hands on the other side of the chat.

It runs in a thread of its own, so that it serves the test's own event loop and a bot started as a process alike, and
goes on while either is stopped: chats and unconfirmed updates outlive the bot, as they do at Telegram.

    with FakeTelegram() as fake:                  # or: async with
        fake.chat(7)                              # somebody pressed Start
        ...                                       # run a bot on fake.url with fake.token
        fake.type(7, 7, "/status")
        await fake.wait_for(lambda: fake.messages(7)[-1].text.startswith("Status"))
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.fakes.telegram_chats import ApiError, Chat, Json, Shown, Topic
from tests.fakes.telegram_state import TOKEN, BotApi
from tests.fakes.telegram_webhook import Courier
from tests.fakes.troubles import Trouble, hitting

USERNAME = "greenlight_bot"
LONGEST_POLL = 50
TICK = 0.005


class Fault(StrEnum):
    """What can be wrong between the bot and the server."""

    CUT = "cut"
    """The connection is cut before anything is done."""
    LOST = "lost"
    """It is done, and the connection is cut before the answer."""
    HANG = "hang"
    """Nothing comes back until the fault is over."""
    BAD_GATEWAY = "bad gateway"
    """502 with a page of HTML."""
    HTML = "html"
    """200 with a page of HTML."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it arrived, the code it was answered with, and when (monotonic)."""

    method: str
    params: Json
    code: int
    at: float


class _Protocol(H11Protocol):
    """Uvicorn's protocol, which lets the application cut the connection, and logs nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False

    def handle_events(self) -> None:
        super().handle_events()
        if self.scope:
            self.scope["state"]["transport"] = self.transport


class _Cut(Response):
    """No answer at all: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        scope["state"]["transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class FakeTelegram:
    """The server; see the module's text. ``fake.api`` holds its whole state."""

    def __init__(self, *, token: str = TOKEN, username: str = USERNAME, answer_within: float = 15.0) -> None:
        self.token = token
        self.username = username
        self._answer_within = answer_within
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._app = Starlette(routes=[Route("/{path:path}", self._serve, methods=["GET", "POST"])])
        self._server: uvicorn.Server | None = None
        self._polled_on: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.courier = Courier(None)
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened and every fault; the address stays."""
        bot_id = int(self.token.partition(":")[0])
        self.api = BotApi(username=self.username, bot_id=bot_id, answer_within=self._answer_within)
        self.calls: list[Call] = []
        self.courier.stop()
        self.courier = Courier(self.api)
        self._troubles: list[Trouble[Fault]] = []
        self._news = asyncio.Event()

    # Life

    def start(self) -> None:
        """Serve, in a thread of its own; after :meth:`stop` again at the same address, with everything as it was."""
        if self._socket.fileno() == -1:
            self._socket = socket.create_server(("127.0.0.1", self._port))
        config = uvicorn.Config(
            self._app, http=_Protocol, ws="none", lifespan="off", log_config=None, log_level="critical"
        )
        self._server, self._news = uvicorn.Server(config), asyncio.Event()
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(TICK)

    def stop(self) -> None:
        """Stop serving: from now on connections are refused."""
        assert self._server
        assert self._thread
        self.courier.stop()
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    # People

    def chat(self, chat: int) -> Chat:
        """A chat the bot is in: private where positive (the person's id), a group where negative."""
        return self.api.chat(chat)

    def topic(self, chat: int, topic: int) -> Topic:
        """A topic of a group, made on first use, as is the group."""
        group = self.chat(chat)
        group.payload["is_forum"] = True
        return group.topics.setdefault(topic, Topic(id=topic))

    def leads(self, public: str, local: str) -> None:
        """Let a public address lead to a server on loopback, and the webhook there be called."""
        self.courier.leads(public, local)

    def block(self, chat: int, *, blocked: bool = True) -> None:
        """Let the person block the bot, or take it back."""
        self.chat(chat).blocked = blocked

    def upgrade(self, group: int, supergroup: int) -> None:
        """Let a group become a supergroup: its id is another, and the old one leads nowhere any more."""
        self.chat(supergroup)
        self.chat(group).moved_to = supergroup

    def type(self, chat: int, user: int, text: str, date: float | None = None, *, topic: int | None = None) -> int:
        """Let a person write; returns the update's id. ``date`` is in Unix seconds."""
        return self._told(self.api.type(chat, user, text, date, topic=topic))

    def press(self, chat: int, message_id: int, user: int, button: str, *, forged: bool = False) -> int:
        """Let a person press a button, by its label or data; returns the update's id. A forged one need not exist."""
        return self._told(self.api.press(chat, message_id, user, button, forged=forged))

    def deliver(self, kind: str, payload: Json) -> int:
        """Queue any other update, e.g. a recorded one; returns its id."""
        return self.api.enqueue(kind, payload)

    def redeliver(self, update_id: int) -> None:
        """Deliver an update once more, though it was confirmed."""
        self.api.redeliver(update_id)

    # What is seen

    def messages(self, chat: int) -> list[Shown]:
        """What the bot has in a chat now, oldest first; deleted messages are gone."""
        return [m for m in list(self.chat(chat).messages.values()) if m.sender == self.api.me and not m.deleted]

    def texts(self, chat: int) -> list[str]:
        """The texts of :meth:`messages`."""
        return [message.text for message in self.messages(chat)]

    def called(self, method: str) -> list[Call]:
        """The calls of one method so far."""
        return [call for call in list(self.calls) if call.method.lower() == method.lower()]

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 10.0) -> None:  # noqa: ASYNC109 a test's own deadline
        """Return once something holds.

        Raises:
            AssertionError: It did not in time; says what was called and shown.
        """
        deadline = time.monotonic() + timeout
        while not predicate():
            if time.monotonic() > deadline:
                shown = {chat: self.texts(chat) for chat in self.api.chats}
                raise AssertionError(f"not within {timeout} s; last calls {self.calls[-5:]}; shown {shown}")
            await asyncio.sleep(TICK)

    # Trouble

    def limit(self, messages: int, *, window: float = 1.0, retry_after: int = 1) -> None:
        """Refuse more than so many messages to a chat in a window, and everything after until ``retry_after``."""
        self.api.flood.limit, self.api.flood.window = messages, window
        self.api.flood.retry_after = retry_after

    def fail(self, fault: Fault, *, method: str | None = None, times: int | None = None) -> None:
        """Let calls (of one method, so many times) go wrong until :meth:`recover`."""
        self._troubles.append(Trouble(fault=fault, method=method, left=times))

    def recover(self) -> None:
        """End all faults."""
        self._troubles.clear()

    def break_markup(self) -> None:
        """Refuse every text with markup, however right it is."""
        self.api.markup_works = False

    # HTTP

    async def _serve(self, request: Request) -> Response:
        match = re.fullmatch(r"bot([^/]+)/(\w+)", request.path_params["path"])
        if not match or not re.fullmatch(r"\d+:[\w-]{20,}", match[1]):
            return _refusal(ApiError(404, "Not Found"))
        if match[1] != self.token:
            return _refusal(ApiError(401, "Unauthorized"))
        return await self._through_trouble(match[2], await _params(request))

    async def _through_trouble(self, method: str, params: Json) -> Response:
        trouble = hitting(self._troubles, method)
        match trouble.fault if trouble else None:
            case None:
                return await self._answer(method, params)
            case Fault.LOST:
                await self._answer(method, params)
                return _Cut()
            case Fault.HANG:
                while trouble in self._troubles and not self._stopping:  # noqa: ASYNC110 - ended by another thread
                    await asyncio.sleep(TICK)
                self._record(method, params, 0)
                return _Cut()
            case fault:
                self._record(method, params, 0)
                return _BROKEN[fault]()

    async def _answer(self, method: str, params: Json) -> Response:
        try:
            result = await self._updates(params) if method.lower() == "getupdates" else self.api.call(method, params)
        except ApiError as error:
            self._record(method, params, error.code)
            return _refusal(error)
        self._record(method, params, 200)
        return JSONResponse({"ok": True, "result": result})

    async def _updates(self, params: Json) -> list[Json]:
        api, poll = self.api, self.api.start_poll(params)
        limit = int(params.get("limit", 100))
        deadline = time.monotonic() + min(float(params.get("timeout", 0)), LONGEST_POLL)
        self._polled_on = asyncio.get_running_loop()
        while True:
            self._news.clear()
            updates = api.ready(poll, limit)
            if updates or time.monotonic() >= deadline or self._stopping:
                return updates
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._news.wait()

    def _told(self, update_id: int) -> int:
        """Have an open poll look at once: until its next tick would count as the bot's time."""
        with contextlib.suppress(RuntimeError):  # it has stopped meanwhile
            if self._polled_on:
                self._polled_on.call_soon_threadsafe(self._news.set)
        return update_id

    def _record(self, method: str, params: Json, code: int) -> None:
        self.calls.append(Call(method=method, params=params, code=code, at=time.monotonic()))

    @property
    def _stopping(self) -> bool:
        return self._server is None or self._server.should_exit


_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_BROKEN: dict[Fault, Callable[[], Response]] = {
    Fault.CUT: _Cut,
    Fault.BAD_GATEWAY: lambda: HTMLResponse(_PAGE, status_code=502),
    Fault.HTML: lambda: HTMLResponse(_PAGE),
}


def _refusal(error: ApiError) -> Response:
    return JSONResponse(error.answer(), status_code=error.code)


async def _params(request: Request) -> Json:
    """The parameters of a call: query, form, multipart or JSON, all of which the Bot API takes."""
    params: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        return params | {key: _as_form(value) for key, value in (await request.json()).items()}
    async with request.form() as form:
        return params | {key: value if isinstance(value, str) else await value.read() for key, value in form.items()}


def _as_form(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
