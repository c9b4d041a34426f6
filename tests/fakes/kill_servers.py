"""Chat servers that outlive every life: what happens at them is noted, and whoever comes next finds them as they were.

They are the strict servers of the other tests, within the process; after a kill the notes are gone through again.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos.faults import Faults
from tests.fakes import slack_payloads as payloads
from tests.fakes.kill_notes import SLACK, TELEGRAM, WALL, note, noted
from tests.fakes.program import CHAT, Json
from tests.fakes.slack_blocks import buttons_of
from tests.fakes.slack_methods import BOT_TOKEN, Methods
from tests.fakes.slack_state import Message, SlackError, Workspace
from tests.fakes.telegram_chats import ApiError, Shown
from tests.fakes.telegram_state import TOKEN, BotApi

CHANNEL = "C0GREEN01"
HOOK = "https://slack.example/hook/"
CHANGING = ("sendmessage", "editmessagetext", "deletemessage", "pinchatmessage", "answercallbackquery")


def _still() -> float:
    """No time passes at the servers."""
    return 0.0


class Telegram(BotApi):
    """The Bot API's server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            username="greenlight_bot",
            bot_id=int(TOKEN.partition(":")[0]),
            answer_within=math.inf,
            wall=WALL.timestamp,
            monotonic=_still,
        )
        self.chat(CHAT)
        self._folder, self._going_through = folder, True
        self.pressed: list[int] = []
        """Who has pressed, in order."""
        for line in noted(folder, TELEGRAM):
            what, given = json.loads(line)
            self._once_more(what, given)
        self._going_through = False

    @property
    def questions(self) -> list[Shown]:
        """The messages that show the question, the newest last; replies to people are none."""
        shown = [each for each in self.chat(CHAT).messages.values() if each.reply_to is None and not each.deleted]
        return [each for each in shown if "(A1)" in each.text.partition("\n")[0]]

    def call(self, method: str, params: Json) -> Any:
        """As ever; what changes anything is noted."""
        if method.lower() in CHANGING:
            self._note(method, params)
        return super().call(method, params)

    def start_poll(self, params: Json) -> int:
        """As ever; what it confirms is noted."""
        offset = int(params.get("offset", 0))
        if any(update < offset for update in self.unconfirmed):
            self._note("getupdates", {"offset": str(offset)})
        return super().start_poll(params)

    def pressed_by(self, user: int, message: int, button: str) -> None:
        """Let somebody press; a button that is no longer there may still be shown to them."""
        self._note("pressed", {"user": user, "message": message, "button": button})
        self.pressed.append(user)
        self.press(CHAT, message, user, button, forged=True)

    def _note(self, what: str, given: Json) -> None:
        if not self._going_through:
            note(self._folder, TELEGRAM, json.dumps([what, given]))

    def _once_more(self, what: str, given: Json) -> None:
        match what:
            case "pressed":
                self.pressed_by(given["user"], given["message"], given["button"])
            case "getupdates":
                self.start_poll(given)
            case _:
                with suppress(ApiError):  # as it was refused then
                    self.call(what, given)


class Slack(Methods):
    """Slack's servers: the Web API, and what people have done at them."""

    def __init__(self, folder: Path) -> None:
        self.at = Workspace(wall=WALL.timestamp, monotonic=_still)
        super().__init__(self.at, ticket=str, trigger_lives=math.inf)
        self.at.channel(CHANNEL)
        self._folder, self._going_through = folder, True
        self.presses: list[Json] = []
        """What everybody who has pressed has made Slack send, in order."""
        for line in noted(folder, SLACK):
            what, given = json.loads(line)
            self._once_more(what, given)
        self._going_through = False

    @property
    def methods(self) -> Methods:
        """The calls by name."""
        return self

    @property
    def questions(self) -> list[Message]:
        """The messages that show the question, the newest last; what is in threads is about it."""
        shown = [each for each in self.at.channel(CHANNEL).messages.values() if not each.thread_ts and not each.deleted]
        return [each for each in shown if "(A1)" in each.text.partition("\n")[0]]

    def call(self, method: str, token: str, params: Json) -> Json:
        """As ever, and noted."""
        self._note(method, params)
        return super().call(method, token, params)

    def pressed_by(self, user: str, ts: str, value: str) -> Json:
        """Let somebody press a button that a message shows or has shown; what Slack sends then."""
        self._note("pressed", {"user": user, "ts": ts, "value": value})
        where = self.at.channel(CHANNEL)
        message = where.messages[ts]
        ever = [button for version in (*message.edits, message.now) for button in buttons_of(version.blocks)]
        button = next(button for button in ever if button.get("value") == value)
        hook = HOOK + self.at.hook(where.id, user, ts)
        place = payloads.on_message(self.at, message, where, self.at.shown(message), hook)
        self.presses.append(payloads.press(self.at, user, button, **place))
        return self.presses[-1]

    def _note(self, what: str, given: Json) -> None:
        if not self._going_through:
            note(self._folder, SLACK, json.dumps([what, given]))

    def _once_more(self, what: str, given: Json) -> None:
        if what == "pressed":
            self.pressed_by(given["user"], given["ts"], given["value"])
            return
        with suppress(SlackError):  # as it was refused then
            self.call(what, BOT_TOKEN, given)


class Around:
    """What lies around the wires of these servers: nothing goes wrong, and they note themselves what happens."""

    closed = False

    def __init__(self, folder: Path) -> None:
        self.telegram, self.slack = Telegram(folder), Slack(folder)
        self.faults = Faults(0, {}, _still, length=0)
        self.faults.over = True

    def note(self, *what: object) -> None:
        """It is written down elsewhere."""
