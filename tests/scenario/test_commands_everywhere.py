"""Every command on every platform: as it should be written, without what it needs, wrongly, and with bad intent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from engine.domain.reports import LogLine
from tests.fakes.program import ASKED, Json, browser, running
from tests.fakes.telegram import Call
from tests.fakes.three_platforms import CHANNEL, Everywhere, everywhere

ADA, VIC, GROUP = 1001, 1004, -100
TEAM: list[Json] = [
    {"name": "Ada", "role": "admin", "telegram": ADA, "slack": "U0ADA", "web": "ada"},
    {"name": "Vic", "role": "viewer", "telegram": VIC, "slack": "U0VIC", "web": "vic"},
]
BAD = "'; DROP TABLE positions; -- <b>&amp;</b> <@U0ADA> `x` ../../etc 🙂\u202e"
NOTHING = "Nothing comes after this command."
LOG = LogLine(at=ASKED, level="warning", logger="handlers.strangers", text="a stranger wrote name=/emergency now <b>")

ANSWERED_WITHIN = 20.0
"""Wall seconds."""

NO_WORDS = {"now": NOTHING, BAD: NOTHING}
"""What a command that takes no words is told of some, plain and bad."""
SAID: dict[str, dict[str, str]] = {
    "start": {"": "Hello Ada", **NO_WORDS},
    "help": {"": "Commands", "me": NOTHING, BAD: NOTHING},
    "whoami": {"": "Signed in as Ada", **NO_WORDS},
    "status": {
        "": "Trading",
        "table": "No open positions",
        "tables": "'tables' is not understood after this command",
        BAD: "is not understood after this command",
    },
    "positions": {"": "No open positions", "BTC": NOTHING, BAD: NOTHING},
    "balance": {"": "Balance: 10,000.00 USDT", **NO_WORDS},
    "count": {"": "0 of 1 position open", **NO_WORDS},
    "profit": {
        "": "0.00 USDT (0.00%) in 1 day",
        "3": "0.00 USDT (0.00%) in 1 day",
        "0": "a whole number from 1 to 365",
        BAD: "a whole number",
    },
    "daily": {"": "0.00 USDT (0.00%) in 1 day", "-1": "The number of days is", BAD: "a whole number from 1 to 365"},
    "weekly": {
        "": "0.00 USDT (0.00%) in 1 week",
        "2": "0.00 USDT (0.00%) in 1 week",
        "1e3": "The number of weeks is",
        BAD: "from 1 to 104",
    },
    "monthly": {
        "": "0.00 USDT (0.00%) in 1 month",
        "٣": "The number of months is",
        "9" * 900: "from 1 to 60",
        BAD: "from 1 to 60",
    },
    "performance": {"": "No closed trades yet", **NO_WORDS},
    "stats": {"": "No closed trades yet", **NO_WORDS},
    "strategies": {"": "1 strategy at work", **NO_WORDS},
    "trades": {
        "": "No trades yet",
        "5": "No trades yet",
        "51": "a whole number from 1 to 50",
        BAD: "The number of trades is",
    },
    "chart": {
        "": "Equity in USDT, 30 days",
        "7": "Equity in USDT, 7 days",
        "t9": "There is no trade T9",
        "0": "from 1 to",
        BAD: "A trade is named by its id",
    },
    "pending": {"": "1 open question", **NO_WORDS},
    "why": {
        "a1": "Why D1",
        "": "One id belongs here",
        "A9": "There is no",
        "A1 A1": "One id belongs here",
        "<b>A1</b>": "is not an id",
        BAD: "One id belongs here",
    },
    "approve": {
        "": "Which question?",
        "A9": "There is no",
        "A1 whole": "is not understood after the id",
        f"A1 {BAD}": "is not understood after the id",
        BAD: "is not the id",
    },
    "pause": {
        "2h": "No new entries: pause by Ada",
        "": "No new entries: pause by Ada",
        "soon": "A duration looks like",
        "-2h": "A duration looks like",
        BAD: "A duration looks like",
    },
    "resume": {"": "Ended: pause", BAD: "is not a market", "DOGE/USDT": "DOGE/USDT"},
    "close": {
        "": "Nothing is held",
        "all": "Nothing is held",
        "T9": "There is no trade T9",
        "all 150%": "150%",
        BAD: "is neither a trade nor a market",
    },
    "strangers": {"": "No strangers", **NO_WORDS},
    "logs": {"": "The last 1 warning or error", "51": "a whole number from 1 to 50", BAD: "The number of lines is"},
    "digest": {"": "2024-01-06", **NO_WORDS},
    "health": {"": "well", **NO_WORDS},
    "version": {"": "Greenlight", **NO_WORDS},
    "reject": {"": "Which question?", "A0": "is not the id", BAD: "is not the id", f"A1 {BAD}": "You rejected A1"},
    "emergency": {
        "": "The emergency stop sells everything",
        "yes": "is not understood after this command",
        BAD: "is not understood after this command",
        "now": "The emergency stop is called",
    },
}
"""What follows each command, and what the answer says; ``reject`` ends the question, and an emergency ends it all."""

Say = Callable[[str, str], Awaitable[None]]
Heard = Callable[[str], list[str]]


class Talk:
    """Somebody on a platform: what they write, and what they are answered."""

    def __init__(self, say: Say, heard: Heard) -> None:
        self._say = say
        self._heard = heard
        self._seen: dict[str, int] = {}

    async def ask(self, text: str, words: str, who: str = "Ada") -> str:
        """Write, and return the answer that says what it should."""
        before = self._seen.get(who, 0)
        await self._say(who, text)

        def answers() -> list[tuple[int, str]]:
            return [(number, said) for number, said in enumerate(self._heard(who)) if number >= before]

        def found() -> list[tuple[int, str]]:
            return [(number, said) for number, said in answers() if words in said]

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN):
                while not found():  # noqa: ASYNC110 - the platforms tell nobody
                    await asyncio.sleep(0.01)
        assert found(), f"{text!r} was answered {answers()}, not {words!r}"
        number, said = found()[0]
        self._seen[who] = number + 1
        return said


async def on_telegram(at: Everywhere, stack: AsyncExitStack) -> Talk:
    del stack
    chats = {"Ada": ADA, "Vic": VIC}

    async def say(who: str, text: str) -> None:
        at.telegram.type(chats[who], chats[who], text)

    return Talk(say, lambda who: at.telegram.texts(chats[who]))


async def on_slack(at: Everywhere, stack: AsyncExitStack) -> Talk:
    del stack
    people = {"Ada": at.slack.user("U0ADA"), "Vic": at.slack.user("U0VIC")}

    async def say(who: str, text: str) -> None:
        if text.startswith("/"):
            people[who].command(text.removeprefix("/"))
        else:
            people[who].say(text)

    return Talk(say, lambda who: [message.text for message in people[who].messages()])


async def on_the_web(at: Everywhere, stack: AsyncExitStack) -> Talk:
    assert at.app
    clients = {who: await stack.enter_async_context(browser(at.app, who.lower())) for who in ("Ada", "Vic")}

    async def say(who: str, text: str) -> None:
        answer = await clients[who].post("/chat/say", json={"text": text, "delivery_id": str(uuid4())})
        assert answer.status_code == 204, answer.text

    def heard(who: str) -> list[str]:
        rows = at.files.rows("SELECT card FROM chat_messages WHERE audience = ? AND author = '' ORDER BY id", who)
        return [plain(json.loads(row["card"])) for row in rows]

    return Talk(say, heard)


def plain(card: Json) -> str:
    table = card.get("table") or {"rows": []}
    items = [f"{item['title']}\n{item['text']}" for item in card.get("items", ())]
    return "\n".join([card["title"], card["text"], *items, *("  ".join(row) for row in table["rows"])])


def test_every_command_is_tried_without_words_with_wrong_ones_and_with_bad_ones() -> None:
    def is_bad(rest: str) -> bool:
        return BAD in rest

    lacking = {
        name: (without, wrong, bad)
        for name, asked in SAID.items()
        if not (without := "" in asked)
        or not (wrong := any(rest and not is_bad(rest) for rest in asked))
        or not (bad := any(map(is_bad, asked)))
    }
    assert lacking == {}


@pytest.mark.parametrize("platform", [on_telegram, on_slack, on_the_web])
async def test_every_command_is_answered_however_it_is_written(
    tmp_path: Path, platform: Callable[[Everywhere, AsyncExitStack], Awaitable[Talk]]
) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, AsyncExitStack() as stack:
        at.app = await stack.enter_async_context(running(at.settings, logs=lambda _: (LOG,)))
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        talk = await platform(at, stack)
        chat = at.app.program.chat
        assert {command.name for command in chat.commands.commands} == SAID.keys()
        for name, asked in SAID.items():
            for rest, words in asked.items():
                await talk.ask(f"/{name} {rest}".rstrip(" "), words)
        # A word without its slash, where nobody else reads; a viewer sees figures, and not the log.
        await talk.ask("weekly 3", "in 1 week")
        await talk.ask("hello there", "I understand commands")
        await talk.ask("stats", "No closed trades yet", "Vic")
        await talk.ask("/logs", "/logs needs the role admin" if platform is not on_slack else "logs needs", "Vic")
        shows_the_log_as_data(await talk.ask("/logs 1", "/emergency now"), at, platform)
        assert at.files.approval()["status"] == "rejected"
        assert at.files.approval()["state"]["reason"].startswith("'; DROP TABLE positions; -- <b>&amp;</b>")
        assert at.files.complaints() == []
        done = [shown(call) for call in at.telegram.calls if call.code == 200]  # a card may be edited to what it says
        assert [call for call in at.telegram.calls if call.code == 400 and shown(call) not in done] == []
        assert [call for call in at.slack.calls if call.outcome.startswith("invalid")] == []


def shown(call: Call) -> tuple[object, object, object]:
    """What a call to Telegram shows and where, sent or edited."""
    return call.params.get("chat_id"), call.params.get("text"), call.params.get("reply_markup")


def shows_the_log_as_data(said: str, at: Everywhere, platform: object) -> None:
    """What a stranger calls themselves is nothing to press, and no markup."""
    assert "<b>" in said
    if platform is on_telegram:
        shown = at.telegram.messages(ADA)[-1]
        kinds = {entity["type"] for entity in shown.entities}
        assert "pre" in kinds
        assert kinds <= {"pre", "bold"}


async def test_in_a_group_a_command_needs_its_slash(tmp_path: Path) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        at.telegram.type(GROUP, ADA, "pause")
        await at.until(lambda: at.telegram.texts(GROUP))
        assert at.telegram.texts(GROUP)[0].startswith("I understand commands")
        at.telegram.type(ADA, ADA, "pause")
        await at.until(lambda: at.telegram.texts(ADA))
        assert at.telegram.texts(ADA)[0].startswith("No new entries: pause by Ada")
        assert len(at.files.rows("SELECT * FROM halts")) == 1


async def test_what_only_an_admin_may_read_is_read_by_nobody_else_of_a_group(tmp_path: Path) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, AsyncExitStack() as stack:
        at.app = await stack.enter_async_context(running(at.settings, logs=lambda _: (LOG,)))
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        at.slack.channel(CHANNEL, "U0ADA", "U0VIC")
        at.telegram.type(ADA, ADA, "/logs")
        at.telegram.type(GROUP, ADA, "/logs")
        at.telegram.type(GROUP, ADA, "/strangers")
        at.slack.user("U0ADA").mention("logs", CHANNEL)
        at.slack.user("U0ADA").mention("strangers", CHANNEL)
        on_web = await on_the_web(at, stack)
        await on_web.ask("/logs", "a stranger wrote")
        ada = at.slack.user("U0ADA")
        await at.until(lambda: len(at.telegram.texts(GROUP)) == 2 and len(ada.messages()) == 2)
        await at.until(lambda: sum("direct messages" in text for text in at.slack.texts(CHANNEL)) == 2)
    told = "The answer is in your direct messages with me"
    assert at.telegram.texts(GROUP) == [told, told]
    public = "\n".join([*at.telegram.texts(GROUP), *at.slack.texts(CHANNEL)])
    assert "a stranger wrote" not in public
    assert "No strangers" not in public
    alone = [at.telegram.texts(ADA)[1:], [message.text for message in ada.messages()]]
    assert [("a stranger wrote" in logs, "No strangers" in strangers) for logs, strangers in alone] == [
        (True, True)
    ] * 2
    rows = at.files.rows("SELECT audience FROM chat_messages WHERE card LIKE '%a stranger wrote%'")
    assert [row["audience"] for row in rows] == ["Ada"]
