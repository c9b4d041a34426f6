"""People in a fake Slack, and what they do: write, mention, command, press, look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_blocks import Json, buttons_of
from tests.fakes.slack_delivery import COMMANDS, EVENTS, INTERACTIVE, Act
from tests.fakes.slack_state import BOT_USER, Channel, Message, Version

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack

SCOPE_OF = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
}
"""The scope an app needs for an event it wants."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at their Slack. Everything they do returns at once; what became of it is in the :class:`Act`."""

    id: str
    fake: FakeSlack

    def say(self, text: str, channel: str | None = None, thread_ts: str | None = None) -> Act | None:
        """Write to the bot, or in a channel; nothing where the app does not listen to that."""
        where = self._where(channel)
        return self._tell("message", where, self._write(where, text, thread_ts))

    def mention(self, text: str, channel: str, thread_ts: str | None = None) -> Act | None:
        """Write to the bot in a channel, by its name."""
        where = self._where(channel)
        message = self._write(where, f"<@{BOT_USER}> {payloads.escaped(text)}", thread_ts, ready=True)
        self._tell("message", where, message)
        return self._tell("app_mention", where, message)

    def command(self, text: str, channel: str | None = None, name: str = "") -> Act:
        """Give a slash command, in a channel or in the conversation with the bot."""
        fake, where = self.fake, self._where(channel)
        hook = fake.hook_url(fake.at.hook(where.id, self.id))
        payload = payloads.command(fake.at, self.id, where, name or fake.command, text, hook)
        return fake.deliver(COMMANDS, payload, self.id)

    def press(self, message: Message, button: str, *, forged: bool = False) -> Act:
        """Press a button of a message, by its label, action id or value.

        A forged press is of a button the message no longer has, or never had.
        """
        fake, where = self.fake, self.fake.at.channels[message.channel]
        pressed = _found(message.buttons, button)
        if pressed is None and forged:
            earlier = [each for version in message.edits for each in buttons_of(version.blocks)]
            pressed = _found(earlier, button) or _forgery(button)
        assert pressed, f"no button {button!r} on {message}"
        ephemeral = message.only_for is not None
        hook = fake.hook_url(fake.at.hook(where.id, self.id, message.ts, ephemeral=ephemeral))
        place = payloads.on_message(fake.at, message, where, fake.at.shown(message), hook)
        return fake.deliver(INTERACTIVE, payloads.press(fake.at, self.id, pressed, **place), self.id)

    def press_at_home(self, button: str) -> Act:
        """Press a button of the home tab."""
        view = self.fake.home(self.id)
        assert view, "there is nothing at home"
        pressed = _found(view.buttons, button)
        assert pressed, f"no button {button!r} at home: {view.labels}"
        place = payloads.in_view(view, self.fake.methods.views.shown(view))
        return self.fake.deliver(INTERACTIVE, payloads.press(self.fake.at, self.id, pressed, **place), self.id)

    def open_home(self, tab: str = "home") -> Act | None:
        """Look at the bot's home tab, or at its messages."""
        at, view = self.fake.at, self.fake.home(self.id)
        if "app_home_opened" not in self.fake.subscriptions:
            return None
        shown = self.fake.methods.views.shown(view) if view and tab == "home" else None
        body = payloads.home_opened(self.id, at.direct(self.id), tab, at.ts(), shown)
        return self.fake.deliver(EVENTS, payloads.event(at, body), self.id)

    def messages(self) -> list[Message]:
        """What the bot wrote to this person alone."""
        return self.fake.messages(self.fake.at.direct(self.id).id)

    def _where(self, channel: str | None) -> Channel:
        at = self.fake.at
        where = at.direct(self.id) if channel is None else at.channel(channel)
        where.members.add(self.id)
        return where

    def _write(self, where: Channel, text: str, thread_ts: str | None, *, ready: bool = False) -> Message:
        version = Version(text=text if ready else payloads.escaped(text), blocks=[])
        return self.fake.at.add(where, self.id, version, thread_ts=thread_ts)

    def _tell(self, kind: str, where: Channel, message: Message) -> Act | None:
        wanted = kind if kind == "app_mention" else f"message.{where.kind}".replace("channel", "channels")
        if not self.fake.listens_to(wanted) or (kind == "app_mention" and where.user):
            return None
        body = payloads.typed(message, where, kind)
        return self.fake.deliver(EVENTS, payloads.event(self.fake.at, body), self.id)


def _found(buttons: list[Json], name: str) -> Json | None:
    for button in buttons:
        if name in {button["text"]["text"], button.get("action_id"), button.get("value")}:
            return button
    return None


def _forgery(data: str) -> Json:
    text = {"type": "plain_text", "text": "forged", "emoji": True}
    return {"action_id": data, "block_id": "forged", "text": text, "value": data, "type": "button"}
