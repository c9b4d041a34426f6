"""A Slack workspace as its server keeps it: people, channels, messages, home tabs, tickets to answer and to look."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.slack_blocks import Json, buttons_of, plain, readable

TEAM, APP, BOT, BOT_USER = "T0GREEN01", "A0GREEN01", "B0GREEN01", "U0GREENBOT"
DOMAIN = "greenlight-test"


class SlackError(Exception):
    """A refusal: ``error`` is Slack's word for it, ``more`` goes beside it into the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more

    def answer(self) -> Json:
        """The body of the refusal."""
        return {"ok": False, "error": self.error, **self.more}


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a message shows, or showed before it was edited; ``at`` is monotonic."""

    text: str
    blocks: list[Json]
    at: float = field(default=0.0, compare=False)


@dataclass(kw_only=True)
class Message:
    """A message in a channel; ``edits`` are its earlier versions, oldest first; ``only_for`` sees an ephemeral one."""

    channel: str
    ts: str
    user: str
    now: Version
    thread_ts: str | None = None
    only_for: str | None = None
    broadcast: bool = False
    """Whether a reply in a thread is shown in the channel too."""
    deleted: bool = False
    edited_ts: str | None = None
    edits: list[Version] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    files: tuple[bytes, ...] = ()

    @property
    def is_bots(self) -> bool:
        return self.user == BOT_USER

    @property
    def fallback(self) -> str:
        """The text of a notification."""
        return readable(self.now.text)

    @property
    def text(self) -> str:
        """What people read: the blocks where there are any, the text otherwise."""
        return plain(self.now.blocks) if self.now.blocks else readable(self.now.text)

    @property
    def blocks(self) -> list[Json]:
        return self.now.blocks

    @property
    def buttons(self) -> list[Json]:
        return buttons_of(self.now.blocks)

    @property
    def labels(self) -> list[str]:
        return [button["text"]["text"] for button in self.buttons]

    @property
    def edited(self) -> bool:
        return bool(self.edits)


@dataclass(kw_only=True)
class Channel:
    """A channel, or the conversation between the bot and one person (``user``)."""

    id: str
    name: str
    user: str | None = None
    private: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    pinned: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The channel's type as events have it."""
        return "im" if self.user else "group" if self.private else "channel"


@dataclass(kw_only=True)
class View:
    """A home tab or a modal as published."""

    id: str
    user: str
    body: Json
    hash: str

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks

    @property
    def text(self) -> str:
        return plain(self.blocks)

    @property
    def buttons(self) -> list[Json]:
        return buttons_of(self.blocks)

    @property
    def labels(self) -> list[str]:
        return [button["text"]["text"] for button in self.buttons]


@dataclass(kw_only=True)
class Hook:
    """A response URL: whose it is, and how often it may still be used."""

    channel: str
    user: str
    ts: str | None
    ephemeral: bool
    until: float
    uses: int = 5


class Workspace:
    """Everything there is; see the module's text. ``told`` hears each message the bot posts or changes.

    Args:
        wall: Unix seconds.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.wall, self.monotonic = wall, monotonic
        self.lock = threading.RLock()
        self.people: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.homes: dict[str, View] = {}
        self.modals: list[View] = []
        self.triggers: dict[str, float] = {}
        self.hooks: dict[str, Hook] = {}
        self.complaints: list[str] = []
        self.messages_tab = True
        """Whether people and the app can write to each other, as the app's manifest has it."""
        self.told: Callable[[Json], None] = lambda _: None
        self._numbers = itertools.count(1)
        self._last_ts = 0

    def name(self, prefix: str = "") -> str:
        """A name nothing else has."""
        return f"{prefix}{hashlib.sha256(str(next(self._numbers)).encode()).hexdigest()[:8]}"

    def ts(self) -> str:
        """A timestamp no other message has."""
        with self.lock:
            self._last_ts = max(self._last_ts + 1, int(self.wall() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def person(self, user: str) -> Json:
        """Somebody of the workspace, who joins on first use."""
        profile = {"real_name": user.title(), "display_name": user.lower(), "team": TEAM}
        known: Json = {"id": user, "team_id": TEAM, "name": user.lower(), "deleted": False, "real_name": user.title()}
        return self.people.setdefault(user, {**known, "tz": "Etc/UTC", "is_bot": False, "profile": profile})

    def channel(self, channel: str, **more: Any) -> Channel:
        """A channel the bot is in, made on first use."""
        if channel not in self.channels:
            made = Channel(id=channel, name=more.pop("name", channel.lower()), members={BOT_USER}, **more)
            self.channels[channel] = made
        return self.channels[channel]

    def direct(self, user: str) -> Channel:
        """The conversation between the bot and a person."""
        self.person(user)
        return self.channel(f"D{user[1:]}", user=user, name="")

    def add(self, channel: Channel, user: str, version: Version, **more: Any) -> Message:
        """Put a new message into a channel."""
        with self.lock:
            now = replace(version, at=self.monotonic())
            message = Message(channel=channel.id, ts=self.ts(), user=user, now=now, **more)
            channel.messages[message.ts] = message
            return message

    def replace(self, message: Message, version: Version) -> None:
        """Edit a message."""
        message.edits.append(message.now)
        message.now, message.edited_ts = replace(version, at=self.monotonic()), self.ts()

    def trigger(self) -> str:
        """A ticket with which a modal can be opened, soon."""
        made = f"{next(self._numbers)}.{int(self.wall() * 1000)}.{self.name()}"
        self.triggers[made] = self.monotonic()
        return made

    def hook(self, channel: str, user: str, ts: str | None = None, *, ephemeral: bool = False) -> str:
        """The secret part of a new response URL, good for five uses within thirty minutes."""
        name = self.name("hook")
        until = self.monotonic() + 1800
        self.hooks[name] = Hook(channel=channel, user=user, ts=ts, ephemeral=ephemeral, until=until)
        return name

    def shown(self, message: Message) -> Json:
        """A message as the API gives it."""
        body: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.now.text, "team": TEAM}
        if message.is_bots:
            body |= {"bot_id": BOT, "app_id": APP, "bot_profile": BOT_PROFILE}
        if message.now.blocks:
            body["blocks"] = message.now.blocks
        if message.thread_ts:
            body |= {"thread_ts": message.thread_ts, "parent_user_id": self._root_of(message)}
        if message.broadcast:
            body["subtype"] = "thread_broadcast"
        if message.edited_ts:
            body["edited"] = {"user": message.user, "ts": message.edited_ts}
        return body

    def _root_of(self, message: Message) -> str:
        return self.channels[message.channel].messages[message.thread_ts or message.ts].user


BOT_PROFILE: Json = {
    "id": BOT,
    "app_id": APP,
    "name": "greenlight",
    "icons": {f"image_{size}": f"https://example.com/{size}.png" for size in (36, 48, 72)},
    "deleted": False,
    "updated": 1_700_000_000,
    "team_id": TEAM,
}
