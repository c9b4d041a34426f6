"""The Web API's methods on a workspace: what each needs, does and refuses, without the HTTP around it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.fakes.slack_blocks import MESSAGE_BLOCKS, BlocksTooLong, InvalidBlocks, checked, texts_of, unescaped
from tests.fakes.slack_state import (
    BOT,
    BOT_USER,
    DOMAIN,
    TEAM,
    Channel,
    Json,
    Message,
    SlackError,
    Version,
    Workspace,
)

TEXT, UPDATED_TEXT = 40_000, 4_000
"""Characters: a longer text of a post is cut off, a longer one of an update refused."""
SCOPES = {
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "pins:write",
    "reactions:write",
    "users:read",
}
"""What the app was installed with, unless a test says otherwise."""


class Messages:
    """The methods about messages."""

    def __init__(self, workspace: Workspace) -> None:
        self._at = workspace
        self.refuse_blocks = False
        self.methods: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "chat.postMessage": ("chat:write", self.post),
            "chat.update": ("chat:write", self.update),
            "chat.delete": ("chat:write", self.delete),
            "chat.postEphemeral": ("chat:write", self.whisper),
            "chat.getPermalink": ("", self.permalink),
            "pins.add": ("pins:write", self.pin),
            "reactions.add": ("reactions:write", self.react),
        }

    def post(self, params: Json) -> Json:
        """A new message, in a channel, to a person, or in a thread."""
        where = self.open_channel(params)
        thread = self.thread(where, params.get("thread_ts"))
        version, more = self._version(params, longest=None)
        broadcast = thread is not None and params.get("reply_broadcast") in {True, "true", "1"}
        message = self._at.add(where, BOT_USER, version, thread_ts=thread, broadcast=broadcast)
        shown = self._at.shown(message)
        self._at.told(self._event(where, message, shown))
        return {"channel": where.id, "ts": message.ts, "message": shown, **more}

    def update(self, params: Json) -> Json:
        """A message shows something else; blocks that are not given stay."""
        where = self._channel(params)
        message = self._mine(where, params.get("ts"), "cant_update_message")
        version, more = self._version(params, longest=UPDATED_TEXT, before=message.now)
        before = self._at.shown(message)
        self._at.replace(message, version)
        shown = self._at.shown(message)
        both = {"message": _within(shown, "app_id"), "previous_message": _within(before, "app_id")}
        changed = {"subtype": "message_changed", "hidden": True, **both}
        self._at.told({"type": "message", **changed, **self._place(where, self._at.ts())})
        return {"channel": where.id, "ts": message.ts, "text": version.text, "message": _within(shown, "ts"), **more}

    def delete(self, params: Json) -> Json:
        """A message is gone."""
        where = self._channel(params)
        message = self._mine(where, params.get("ts"), "cant_delete_message")
        message.deleted = True
        return {"channel": where.id, "ts": message.ts}

    def whisper(self, params: Json) -> Json:
        """A message that one person sees, until they reload."""
        where = self.open_channel(params)
        user = str(params.get("user", ""))
        if user not in self._at.people or (where.kind != "im" and user not in where.members):
            raise SlackError("user_not_in_channel")
        thread = self.thread(where, params.get("thread_ts"))
        version, more = self._version(params, longest=None)
        message = self._at.add(where, BOT_USER, version, thread_ts=thread, only_for=user)
        return {"message_ts": message.ts, **more}

    def permalink(self, params: Json) -> Json:
        """Where a message can be looked at."""
        where = self._channel(params)
        message = self._there(where, params.get("message_ts"))
        link = f"https://{DOMAIN}.slack.com/archives/{where.id}/p{message.ts.replace('.', '')}"
        return {"channel": where.id, "permalink": link}

    def pin(self, params: Json) -> Json:
        """A message is pinned to its channel."""
        where = self.open_channel(params)
        message = self._there(where, params.get("timestamp"))
        if message.ts in where.pinned:
            raise SlackError("already_pinned")
        where.pinned.append(message.ts)
        return {}

    def react(self, params: Json) -> Json:
        """An emoji under a message."""
        where = self.open_channel(params)
        name = str(params.get("name", ""))
        if not re.fullmatch(r"[a-z0-9_+'-]+", name):
            raise SlackError("invalid_name")
        message = self._there(where, params.get("timestamp"))
        if name in message.reactions:
            raise SlackError("already_reacted")
        message.reactions.append(name)
        return {}

    def answer_hook(self, name: str, params: Json) -> None:
        """What is sent to a response URL: a message beside, instead of, or none for the one it belongs to."""
        hook = self._at.hooks.get(name)
        if hook is None or hook.until < self._at.monotonic():
            raise SlackError("expired_url")
        if hook.uses == 0:
            raise SlackError("used_url")
        where = self._at.channels[hook.channel]
        original = where.messages.get(hook.ts or "")
        if params.get("delete_original") and original:
            original.deleted = True
        elif params.get("replace_original") and original:
            self._at.replace(original, self._version(params, longest=None, before=original.now)[0])
        else:
            only_for = None if params.get("response_type") == "in_channel" else hook.user
            version, _ = self._version(params, longest=None)
            thread = self.thread(where, params.get("thread_ts"))
            self._at.add(where, BOT_USER, version, only_for=only_for, thread_ts=thread)
        hook.uses -= 1

    # Reading parameters

    def _channel(self, params: Json) -> Channel:
        """The channel by its id; a private one the bot is not in cannot be seen."""
        given = params.get("channel")
        if not given:
            raise missing("channel")
        found = self._at.channels.get(str(given))
        if found is None or (found.private and BOT_USER not in found.members):
            raise SlackError("channel_not_found")
        return found

    def open_channel(self, params: Json) -> Channel:
        """A channel the bot may write to; a person's id stands for the conversation with them, ``#name`` for a name."""
        given = str(params.get("channel") or "")
        if not self._at.messages_tab and (given in self._at.people or given.startswith("D")):
            raise SlackError("messages_tab_disabled")
        if given in self._at.people:
            return self._at.direct(given)
        named = {f"#{each.name}": each.id for each in self._at.channels.values() if each.name}
        found = self._channel({"channel": named.get(given, given)})
        if BOT_USER not in found.members:
            raise SlackError("not_in_channel")
        if found.archived:
            raise SlackError("is_archived")
        return found

    def _there(self, where: Channel, ts: object) -> Message:
        message = where.messages.get(str(ts or ""))
        if message is None or message.deleted or message.only_for:
            raise SlackError("message_not_found")
        return message

    def _mine(self, where: Channel, ts: object, foreign: str) -> Message:
        message = self._there(where, ts)
        if not message.is_bots:
            raise SlackError(foreign)
        return message

    def thread(self, where: Channel, ts: object) -> str | None:
        if not ts:
            return None
        if not re.fullmatch(r"\d+\.\d{6}", str(ts)):
            raise SlackError("invalid_thread_ts")
        root = where.messages.get(str(ts))
        if root is None or (root.deleted and not any(each.thread_ts == root.ts for each in where.messages.values())):
            raise SlackError("thread_not_found")
        if root.thread_ts or root.only_for:
            raise SlackError("cannot_reply_to_message")
        return root.ts

    def _version(self, params: Json, *, longest: int | None, before: Version | None = None) -> tuple[Version, Json]:
        text, given = str(params.get("text") or ""), decoded(params.get("blocks"))
        blocks = self._blocks(given) if given is not None else before.blocks if before else []
        if not text.strip() and not (given or (before and blocks and given is None and "text" not in params)):
            raise SlackError("no_text")
        if longest and len(text) > longest:
            raise SlackError("msg_too_long")
        self._look_at(text, blocks)
        if len(text) <= TEXT:
            return Version(text=text, blocks=blocks), {}
        words = "[WARN] Your message was truncated but still posted. The `text` field accepts up to 40,000 characters."
        warning = {"response_metadata": {"warnings": ["message_truncated"], "messages": [words]}}
        return Version(text=text[:TEXT], blocks=blocks), warning

    def _blocks(self, given: object) -> list[Json]:
        if given and self.refuse_blocks:  # as after a change of Slack's that nobody here knows of
            raise SlackError("invalid_blocks")
        try:
            return checked(given, most=MESSAGE_BLOCKS, name=self._at.name)
        except InvalidBlocks as error:
            raise invalid_blocks(error) from error
        except BlocksTooLong as error:
            raise SlackError("msg_blocks_too_long") from error

    def _look_at(self, text: str, blocks: list[Json]) -> None:
        """Write down what Slack takes and people suffer from: unescaped markup, and a notification without a text."""
        marked = [text, *(each["text"] for each in texts_of(blocks) if each["type"] == "mrkdwn")]
        self._at.complaints += [f"unescaped: {each}" for each in marked if unescaped(each)]
        if blocks and not text.strip():
            self._at.complaints.append("no text beside blocks: a notification would be empty")

    def _event(self, where: Channel, message: Message, shown: Json) -> Json:
        return {**_within(shown, "app_id"), **self._place(where, message.ts)}

    def _place(self, where: Channel, ts: str) -> Json:
        return {"channel": where.id, "channel_type": where.kind, "ts": ts, "event_ts": ts}


def _within(shown: Json, unsaid: str) -> Json:
    """A message within something else, where one thing of it is not said."""
    return {key: value for key, value in shown.items() if key != unsaid}


def decoded(value: Any) -> Any:
    """A value that may have come as JSON in a form."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError as error:
        raise SlackError("invalid_blocks_format") from error


def missing(key: str) -> SlackError:
    """The refusal of a call without something it needs."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {key}"]})


def invalid_blocks(error: InvalidBlocks) -> SlackError:
    """The refusal of blocks, with every reason, told twice as Slack does."""
    errors = [message.removeprefix("[ERROR] ") for message in error.messages]
    return SlackError("invalid_blocks", errors=errors, response_metadata={"messages": error.messages})


ME: Json = {
    "url": f"https://{DOMAIN}.slack.com/",
    "team": "Greenlight",
    "user": "greenlight",
    "team_id": TEAM,
    "user_id": BOT_USER,
    "bot_id": BOT,
    "is_enterprise_install": False,
}
