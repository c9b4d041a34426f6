"""Chats and messages as the server behind the Bot API keeps them, and its refusals."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_entities import Entity

Json = dict[str, Any]
Buttons = list[list[Json]]


class ApiError(Exception):
    """A refusal as the server words it."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def answer(self) -> Json:
        """The body of the refusal."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return {**body, "parameters": self.parameters} if self.parameters else body


def bad_request(description: str) -> ApiError:
    """The commonest refusal."""
    return ApiError(400, f"Bad Request: {description}")


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a message shows, or showed before it was edited."""

    text: str
    entities: list[Entity]
    buttons: Buttons


@dataclass(kw_only=True)
class Shown:
    """A message in a chat; ``edits`` are its earlier versions, oldest first."""

    message_id: int
    chat: int
    sender: Json
    date: int
    now: Version
    reply_to: int | None = None
    topic: int | None = None
    silent: bool = False
    photo: bytes | None = None
    deleted: bool = False
    edits: list[Version] = field(default_factory=list)
    edit_date: int | None = None

    @property
    def text(self) -> str:
        return self.now.text

    @property
    def entities(self) -> list[Entity]:
        return self.now.entities

    @property
    def buttons(self) -> list[Json]:
        """All buttons, row after row."""
        return [button for row in self.now.buttons for button in row]

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]


@dataclass(kw_only=True)
class Topic:
    """A topic of a group; in a closed one only people may write who are its admins."""

    id: int
    closed: bool = False


@dataclass(kw_only=True)
class Chat:
    """A chat the bot is in."""

    id: int
    payload: Json
    messages: dict[int, Shown] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    blocked: bool = False
    no_photos: bool = False
    """Whether pictures are not let in, as a group's admins can have it."""
    moved_to: int = 0
    topics: dict[int, Topic] = field(default_factory=dict)
    last_id: int = 0

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id


@dataclass(kw_only=True)
class Flood:
    """More than ``limit`` messages to one chat within ``window`` seconds are refused for ``retry_after`` seconds."""

    limit: int = 10_000
    window: float = 1.0
    retry_after: int = 1
    monotonic: Callable[[], float] = time.monotonic
    sent: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    shut_until: dict[int, float] = field(default_factory=dict)

    def check(self, chat: int) -> None:
        now = self.monotonic()
        if self.shut_until.get(chat, 0) > now:
            raise _too_many(math.ceil(self.shut_until[chat] - now))
        times = self.sent[chat]
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.limit:
            self.shut_until[chat] = now + self.retry_after
            raise _too_many(self.retry_after)
        times.append(now)


def _too_many(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
