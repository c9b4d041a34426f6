"""Who answers the question of a story, on which platform, and what must be true of their answers in the end.

In every life somebody who is on no list presses first; then what was cut off is delivered again, and where the card
still asks, its button is pressed anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from uuid import UUID

from bot.externals import Externals
from bot.wiring import Program
from engine.domain.messages import Incoming, Person, Pressed, Role
from handlers.web.caller import Caller
from tests.chaos.slack import Session, signed
from tests.chaos.telegram import Wire
from tests.fakes.kill_notes import PRESSES, STRANGERS, WALL, note, noted
from tests.fakes.kill_servers import CHANNEL, Around, Slack, Telegram
from tests.fakes.program import CHAT, Files, Json
from tests.fakes.slack_methods import BOT_TOKEN, SIGNING_SECRET
from tests.fakes.telegram_state import TOKEN

TRADER = Caller(platform="web", user="p1", person=Person(name="P1", role=Role.TRADER))
BUTTON = "approve:A1"
ON_TELEGRAM, ON_SLACK = 1001, "U0P1"
STRANGER, SLACK_STRANGER = 6666, "U0NOBODY"
MOST_SHOWN = 2
TRIES = 100
"""How often something is looked at that comes by itself."""


class Nobody:
    """Nobody is asked.

    Attributes:
        sections: What the settings say of the platform.
        secrets: Its secrets, as the environment has them.
    """

    sections: ClassVar[Json] = {}
    secrets: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def externals(self, externals: Externals) -> Externals:
        """The externals with the platform behind them."""
        return externals

    async def press(self, program: Program) -> None:
        """Everything that is done in a life."""

    def complaints(self, files: Files) -> list[str]:  # noqa: ARG002 - nothing was answered
        """What is wrong with the answers in the end: each delivery was answered once, the card shows how it ended."""
        return []


class OnTheWeb(Nobody):
    """A page repeats the request that was cut off."""

    async def press(self, program: Program) -> None:
        await self._stranger_presses(program)
        await self._trader_presses(program)

    def complaints(self, files: Files) -> list[str]:
        return _audit(files, len(noted(self._folder, PRESSES)), len(noted(self._folder, STRANGERS))) + _page(files)

    async def _stranger_presses(self, program: Program) -> None:
        note(self._folder, STRANGERS, f"stranger {len(noted(self._folder, STRANGERS))}")
        for delivery in noted(self._folder, STRANGERS):
            press = Incoming(
                platform="web",
                user="nobody",
                delivery_id=delivery,
                sent_at=None,
                address="room",
                action=Pressed(data=BUTTON),
            )
            assert await program.chat.reception.receive(press) is None

    async def _trader_presses(self, program: Program) -> None:
        web = program.chat.web
        assert web is not None
        for delivery in noted(self._folder, PRESSES):
            await web.chat.press(TRADER, BUTTON, UUID(delivery))
        await program.chat.outbox.flush()
        shown = [message.card for message in await web.chat.since(TRADER.person.name, 0)]
        if any(card and card.topic == "approval:A1" and card.buttons for card in shown):
            delivery = UUID(int=len(noted(self._folder, PRESSES)))
            note(self._folder, PRESSES, str(delivery))
            await web.chat.press(TRADER, BUTTON, delivery)


class OnTelegram(Nobody):
    """The server delivers again what was not confirmed."""

    sections: ClassVar[Json] = {"telegram": {"chat_id": CHAT, "messages_per_second": 30, "poll_timeout": 2}}
    secrets: ClassVar[dict[str, str]] = {"BOT_TELEGRAM__TOKEN": TOKEN}

    def externals(self, externals: Externals) -> Externals:
        around = Around(self._folder)
        self._at = around.telegram
        return replace(externals, telegram=lambda: Wire(around, Random(0)))  # noqa: S311 - how long answers take

    async def press(self, program: Program) -> None:
        await everything_shown(program)
        self._at.pressed_by(STRANGER, self._at.questions[-1].message_id, BUTTON)
        await self._handled(program)
        shown = self._at.questions[-1]
        if BUTTON in [button["callback_data"] for button in shown.buttons]:
            self._at.pressed_by(ON_TELEGRAM, shown.message_id, BUTTON)
            await self._handled(program)

    async def _handled(self, program: Program) -> None:
        for _ in range(TRIES):
            if not self._at.unconfirmed:
                return await everything_shown(program)
            await asyncio.sleep(0.1)
        raise AssertionError(f"updates that nobody has handled: {self._at.unconfirmed}")

    def complaints(self, files: Files) -> list[str]:
        at = Telegram(self._folder)
        found = [f"updates that nobody has handled: {at.unconfirmed}"] if at.unconfirmed else []
        found += _audit(files, at.pressed.count(ON_TELEGRAM), at.pressed.count(STRANGER)) + _page(files)
        return found + _cards(files, "telegram", [(str(each.message_id), each.labels) for each in at.questions])


class OnSlack(Nobody):
    """Slack delivers once more whatever it had delivered before, acknowledged or not; later than people press again."""

    sections: ClassVar[Json] = {"slack": {"mode": "http", "channel": CHANNEL, "messages_per_second": 20}}
    secrets: ClassVar[dict[str, str]] = {"BOT_SLACK__BOT_TOKEN": BOT_TOKEN, "BOT_SLACK__SIGNING_SECRET": SIGNING_SECRET}

    def externals(self, externals: Externals) -> Externals:
        around = Around(self._folder)
        self._at = around.slack
        made: Any = Session(around, Random(0))  # noqa: S311 - how long answers take
        return replace(externals, slack=lambda _: made)

    async def press(self, program: Program) -> None:
        before = list(self._at.presses)
        await everything_shown(program)
        await self._deliver(program, self._at.pressed_by(SLACK_STRANGER, self._at.questions[-1].ts, BUTTON))
        shown = self._at.questions[-1]
        if BUTTON in [button.get("value") for button in shown.buttons]:
            await self._deliver(program, self._at.pressed_by(ON_SLACK, shown.ts, BUTTON))
        for payload in before:
            await self._deliver(program, payload)

    async def _deliver(self, program: Program, payload: Json) -> None:
        (slack,) = program.chat.remote
        hook: Any = slack.hooks[0]
        answer = await hook.endpoint(signed("interactive", payload, WALL.timestamp()))
        assert answer.status_code == HTTPStatus.OK
        await asyncio.sleep(5)  # it is handled after it was acknowledged
        await everything_shown(program)

    def complaints(self, files: Files) -> list[str]:
        at = Slack(self._folder)
        by = Counter(payload["user"]["id"] for payload in at.presses)
        found = _audit(files, by[ON_SLACK], by[SLACK_STRANGER]) + _page(files)
        return found + _cards(files, "slack", [(each.ts, each.labels) for each in at.questions])


PEOPLE: dict[str, type[Nobody]] = {"": Nobody, "web": OnTheWeb, "telegram": OnTelegram, "slack": OnSlack}
"""By the platform on which they are asked."""


async def everything_shown(program: Program) -> None:
    """Wait until every card is as it should be; distant platforms let edits rest for a moment."""
    for _ in range(TRIES):
        if await program.chat.outbox.flush() == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("something is still to be shown")


def _audit(files: Files, trader: int, stranger: int) -> list[str]:
    """Each delivery was answered once, a stranger's never."""
    audited = Counter(row["person"] for row in files.rows("SELECT person FROM audit"))
    expected = Counter({"P1": trader, "": stranger})
    return [] if audited == expected else [f"audited {dict(audited)}, done {dict(expected)}"]


def _page(files: Files) -> list[str]:
    """One card on the page shows the question, and how it ended."""
    shown = files.rows('SELECT card FROM chat_messages WHERE card LIKE \'%"topic":"approval:A1"%\'')
    if len(shown) == 1 and BUTTON not in shown[0]["card"]:
        return []
    return [f"{len(shown)} cards show the question: {[row['card'] for row in shown]}"]


def _cards(files: Files, platform: str, shown: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The message that the bot knows as the question's asks no more.

    Where the power was cut before the answer to its sending was noted, it was sent once more, and another is left.
    """
    (row,) = files.rows("SELECT ref FROM outbox WHERE platform = ? AND topic = 'approval:A1'", platform)
    labels = dict(shown)
    asking = [name for name in json.loads(row["ref"])["messages"] if labels.get(name, ["?"])]
    found = [f"on {platform} the question's own message {asking} is {shown}"] if asking else []
    return found + ([f"{len(shown)} messages show the question on {platform}"] if len(shown) > MOST_SHOWN else [])
