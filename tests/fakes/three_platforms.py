"""The program with its questions on three platforms, and people at their telephones, their Slack and their pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from bot.app import App
from config.loader import load
from config.settings import Settings
from handlers.commands import RecentLogs
from tests.fakes.database import new_file, url_of
from tests.fakes.program import CHAT, Files, Json, browser, environ, running, write_config
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_delivery import Act
from tests.fakes.slack_people import Person
from tests.fakes.slack_state import Message
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import Shown

CHANNEL = "C0TRADES1"
PATIENCE = 60.0
STRANGER = "U0NOBODY"
TEAM: tuple[Json, ...] = (
    {"name": "Ann", "role": "admin", "web": "ann"},
    {"name": "Tom", "role": "trader", "telegram": 1001, "slack": "U0TOM"},
    {"name": "Sue", "role": "trader", "slack": "U0SUE"},
    {"name": "Vic", "role": "viewer", "slack": "U0VIC", "telegram": 1004},
)
"""Ann sits at her page, Tom has two telephones' worth of chats, Sue is on Slack; Vic may look."""
BUTTON = re.compile(r"<button[^>]*>\s*([^<]+?)\s*</button>")
TRADE = re.compile(r"T\d+: ")
"""How the card of a trade begins, which stands under the question too."""
TAGS = re.compile(r"<[^>]+>")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A card as somebody sees it, and since when (monotonic)."""

    text: str
    labels: tuple[str, ...]
    at: float

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def words(self) -> str:
        """Its text wherever its lines are broken."""
        return " ".join(self.text.split())


class Page:
    """Somebody's page without a browser: it presses, and reads the stream as the page's script does."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._versions: dict[int, list[Seen]] = {}

    async def follow(self) -> None:
        """Read the stream until it ends."""
        kind = ""
        async with self._client.stream("GET", "/stream") as answer:
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "message":
                    self._take(json.loads(value))

    def _take(self, message: Json) -> None:
        html = message["html"]
        labels = tuple(BUTTON.findall(html))
        lines = unescape(TAGS.sub(" ", BUTTON.sub("", html))).splitlines()
        text = "\n".join(" ".join(line.split()) for line in lines if line.strip())
        self._versions.setdefault(message["id"], []).append(Seen(text=text, labels=labels, at=time.monotonic()))

    def versions(self, approval_id: str) -> list[Seen]:
        """A question's card in all its versions, oldest first."""
        for versions in self._versions.values():
            if f"({approval_id})" in versions[0].title:
                return versions
        return []

    def text(self, message_id: int) -> str:
        """What a message reads now; empty where the page has not got it yet."""
        versions = self._versions.get(message_id)
        return versions[-1].text if versions else ""

    @property
    def titles(self) -> list[str]:
        """The titles of everything on the page."""
        return [versions[-1].title for versions in self._versions.values()]

    def told(self, words: str) -> str:
        """The newest message with some words; empty where there is none yet."""
        found = [versions[-1].text for versions in self._versions.values() if words in versions[-1].text]
        return found[-1] if found else ""

    async def say(self, text: str) -> None:
        """Write a text."""
        body = {"text": text, "delivery_id": str(uuid4())}
        answer = await self._client.post("/chat/say", json=body)
        assert answer.status_code == 204, answer.text

    async def read(self, path: str) -> str:
        """What a page of the server says to whoever is signed in here."""
        return (await self._client.get(path)).text

    async def press(self, data: str, delivery: str = "") -> None:
        """Press a button by its data."""
        body = {"data": data, "delivery_id": delivery or str(uuid4())}
        answer = await self._client.post("/chat/press", json=body)
        assert answer.status_code == 204, answer.text


@dataclass(kw_only=True)
class Everywhere:
    """Both servers, the program's files, and whoever is at a page."""

    folder: Path
    telegram: FakeTelegram
    slack: FakeSlack
    settings: Settings
    pages: dict[str, Page] = field(default_factory=dict)
    app: App | None = None

    @property
    def files(self) -> Files:
        return Files(folder=self.folder)

    def slacker(self, name: str) -> Person:
        """Somebody at their Slack."""
        return self.slack.user(next(each["slack"] for each in TEAM if each["name"] == name))

    # What is shown

    def on_telegram(self, approval_id: str = "A1") -> Shown | None:
        """The card of a question in the chat."""
        shown = [message for message in self.telegram.messages(CHAT) if message.reply_to is None]
        titles = {each.message_id: " ".join(each.text.split("\n")[:3]) for each in shown}  # a long one has three lines
        return next((each for each in shown if f"({approval_id})" in titles[each.message_id]), None)

    def on_slack(self, approval_id: str = "A1") -> Message | None:
        """The card of a question in the channel, or of a wish where its person is asked."""
        places = (CHANNEL, *(f"D{person['slack'][1:]}" for person in TEAM if person.get("slack")))
        shown = [message for place in places for message in self.slack.messages(place) if message.thread_ts is None]
        return next((each for each in shown if f"({approval_id})" in each.text.partition("\n")[0]), None)

    def cards(self, approval_id: str = "A1") -> dict[str, Seen]:
        """A question's card wherever it is, by platform."""
        found: dict[str, Seen] = {}
        if at_telegram := self.on_telegram(approval_id):
            found["telegram"] = Seen(text=at_telegram.text, labels=tuple(at_telegram.labels), at=0.0)
        if at_slack := self.on_slack(approval_id):
            found["slack"] = Seen(text=at_slack.text, labels=tuple(at_slack.labels), at=at_slack.now.at)
        for page in self.pages.values():
            if versions := page.versions(approval_id):
                found["web"] = versions[-1]
        return found

    def say(self, words: str, approval_id: str = "A1") -> bool:
        """Whether the card says this on every platform."""
        cards = self.cards(approval_id)
        return len(cards) == 3 and all(words in seen.text for seen in cards.values())

    def settled(self, approval_id: str = "A1") -> bool:
        """Whether the card asks nowhere any more."""
        cards = self.cards(approval_id)
        return len(cards) == 3 and not any(seen.labels for seen in cards.values())

    def edited_at(self, approval_id: str = "A1") -> dict[str, float]:
        """When the card ceased to ask, by platform (monotonic)."""
        telegram, slack = self.on_telegram(approval_id), self.on_slack(approval_id)
        assert telegram
        assert slack
        edits = [
            call.at
            for call in self.telegram.called("editMessageText")
            if call.code == 200
            and int(call.params["message_id"]) == telegram.message_id
            and "callback_data" not in call.params.get("reply_markup", "")
        ]
        (page,) = self.pages.values()
        return {
            "telegram": edits[0],
            "slack": next(version.at for version in (*slack.edits, slack.now) if not _asks(version.blocks)),
            "web": next(seen.at for seen in page.versions(approval_id) if not seen.labels),
        }

    def answers(self, approval_id: str = "A1") -> dict[str, list[str]]:
        """What people were told who pressed, by platform."""
        telegram, slack = self.on_telegram(approval_id), self.on_slack(approval_id)
        told: dict[str, list[str]] = {"telegram": [], "slack": [], "web": []}
        if telegram:
            under = [each.text for each in self.telegram.messages(CHAT) if each.reply_to == telegram.message_id]
            told["telegram"] = [text for text in under if not TRADE.match(text)]
        if slack:
            under = [each.text for each in self.slack.messages(CHANNEL) if each.thread_ts == slack.ts]
            told["slack"] = [text for text in under if not TRADE.match(text)]
        rows = self.files.rows("SELECT card FROM chat_messages WHERE audience <> '' AND author = ''")
        titles = [json.loads(row["card"])["title"] for row in rows]
        told["web"] = [title for title in titles if re.search(rf"\b{approval_id}\b", title)]
        return told

    def orders(self) -> list[Json]:
        """The entries there are."""
        return self.files.rows("SELECT * FROM orders WHERE purpose = 'entry'")

    async def until(self, predicate: Any, seconds: float = PATIENCE) -> None:
        """Return once something holds; on failure say what is shown where."""
        deadline = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > deadline:
                calls = [(call.method, call.outcome) for call in self.slack.calls[-8:]]
                raise AssertionError(f"not within {seconds} s: {self.cards()}, {self.answers()}, Slack {calls}")
            await asyncio.sleep(0.01)

    # What people do

    def press_on_telegram(self, name: str, data: str) -> None:
        """Press a button by its data, also from a screen that shows the card as it was."""
        user = next(each["telegram"] for each in TEAM if each["name"] == name)
        card = self.on_telegram(data.partition(":")[2])
        assert card
        self.telegram.press(CHAT, card.message_id, user, data, forged=True)

    def press_on_slack(self, name: str, data: str) -> Act:
        """Press a button by its data, also from a screen that shows the card as it was."""
        card = self.on_slack(data.partition(":")[2])
        assert card
        return self.slacker(name).press(card, data, forged=True)

    async def write(self, platform: str, name: str, text: str) -> None:
        """Write a command on a platform, where others are too."""
        match platform:
            case "telegram":
                self.telegram.type(CHAT, next(each["telegram"] for each in TEAM if each["name"] == name), text)
            case "slack":
                self.slacker(name).command(text.removeprefix("/"), CHANNEL)
            case _:
                await self.pages[name].say(text)

    async def press(self, platform: str, name: str, data: str) -> None:
        """Press a button on a platform."""
        match platform:
            case "telegram":
                self.press_on_telegram(name, data)
            case "slack":
                self.press_on_slack(name, data)
            case _:
                await self.pages[name].press(data)

    @asynccontextmanager
    async def running(self, logs: RecentLogs = lambda _: ()) -> AsyncIterator[None]:
        """The program, and a page for everybody who has one."""
        async with AsyncExitStack() as stack:
            self.app = await stack.enter_async_context(running(self.settings, logs=logs))
            for person in self.settings.people:
                if person.web:
                    client = await stack.enter_async_context(browser(self.app, person.web))
                    self.pages[person.name] = Page(client)
                    await stack.enter_async_context(following(self.pages[person.name]))
            yield


@asynccontextmanager
async def following(page: Page) -> AsyncIterator[None]:
    reading = asyncio.create_task(page.follow())
    try:
        yield
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError, httpx.TransportError):
            await reading


def _asks(blocks: Sequence[Json]) -> bool:
    return any(block["type"] == "actions" for block in blocks)


def settings_for(folder: Path, telegram: FakeTelegram, slack: FakeSlack, /, **changes: Any) -> Settings:
    """The settings of a program on both servers and its own web."""
    quick = {"api_url": slack.api_url, "channel": CHANNEL, "messages_per_second": 20}
    tokens = {"BOT_SLACK__BOT_TOKEN": slack.bot_token, "BOT_SLACK__APP_TOKEN": slack.app_token}
    told = quick | changes.get("slack", {})
    if told.get("mode") == "http":
        tokens = {"BOT_SLACK__BOT_TOKEN": slack.bot_token, "BOT_SLACK__SIGNING_SECRET": slack.signing_secret}
    config = write_config(folder, telegram.url, **{"people": TEAM, **changes, "slack": told})
    return load(None, config, {}, environ(telegram) | tokens, folder).settings


@asynccontextmanager
async def everywhere(folder: Path, **changes: Any) -> AsyncIterator[Everywhere]:
    """Both servers, before the program starts."""
    async with FakeTelegram(answer_within=PATIENCE) as telegram, FakeSlack(retry_after=(0.0, 0.2, 1.0)) as slack:
        if url_of(folder).startswith("sqlite"):
            new_file(folder)
        telegram.chat(CHAT)
        slack.channel(CHANNEL, *(each["slack"] for each in TEAM if "slack" in each), STRANGER)
        settings = settings_for(folder, telegram, slack, **changes)
        yield Everywhere(folder=folder, telegram=telegram, slack=slack, settings=settings)


@asynccontextmanager
async def asked(folder: Path, **changes: Any) -> AsyncIterator[Everywhere]:
    """The program with its question on all three platforms."""
    async with everywhere(folder, **changes) as at, at.running():
        await at.until(lambda: at.say("(A1)") and at.files.is_quiet())
        yield at
