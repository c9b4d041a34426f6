"""What Slack sends, in our own words: what a person did, and where the answer belongs. Pure.

https://docs.slack.dev/apis/events-api, /interactivity/implementing-slash-commands and
/reference/interaction-payloads/block_actions-payload. Bodies with other shapes raise ``KeyError`` and its like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.domain.messages import Incoming, Pressed, Ref, Typed
from handlers.slack.speech import Speech

PLATFORM = "slack"

Body = Mapping[str, Any]

_MENTION = re.compile(r"\s*<@(\w+)(?:\|[^>]*)?>\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """Who the bot is there: its workspace, and itself as a user of it."""

    team: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer belongs.

    Attributes:
        channel: A channel, a conversation, or a person's id for the conversation with them.
        thread: The message under which it goes; empty for none.
        response_url: Where it goes so that only the person sees it; empty for everybody in the channel.
        pressed: The message that was pressed, where everybody sees it; empty for none.
        person: Whom it names, where others may read it too; empty for nobody.
    """

    channel: str
    thread: str = ""
    response_url: str = ""
    pressed: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a person did, and where the answer belongs."""

    incoming: Incoming
    place: Place


def command(body: Body, us: Us, speech: Speech, sent_at: datetime | None) -> Heard:
    """A slash command: only the one who wrote it sees it, and the answer.

    Args:
        body: As Slack delivered it. It keeps its ``trigger_id`` when it is delivered again.
        us: Who the bot is there.
        speech: How commands are written there.
        sent_at: When Slack sent it, where it says so.
    """
    return Heard(
        incoming=Incoming(
            platform=PLATFORM,
            user=_user(us, body["user_id"], body["team_id"]),
            delivery_id=body["trigger_id"],
            sent_at=sent_at,
            address=body["channel_id"],
            action=Typed(text=speech.after_command(body.get("text", ""))),
            name=str(body.get("user_name") or ""),
            is_private=True,
        ),
        place=Place(channel=body["channel_id"], response_url=body["response_url"]),
    )


def press(body: Body, us: Us) -> Heard | None:
    """A button that was pressed on a message or in the App Home; ``None`` for one that carries nothing."""
    action = body["actions"][0]
    if not action.get("value"):
        return None
    user, shown = body["user"], body["container"]
    in_home = shown["type"] == "view"
    channel = user["id"] if in_home else body["channel"]["id"]
    is_private = bool(shown.get("is_ephemeral"))
    message = "" if in_home or is_private else shown["message_ts"]
    whisper = body.get("response_url", "") if is_private else ""
    return Heard(
        incoming=Incoming(
            platform=PLATFORM,
            user=_user(us, user["id"], user.get("team_id"), (body.get("team") or {}).get("id")),
            delivery_id=body["trigger_id"],
            sent_at=_moment(action["action_ts"]),
            address=channel,
            action=Pressed(data=action["value"]),
            ref=Ref(messages=(message,)) if message else None,
            name=str(user.get("username") or user.get("name") or ""),
            is_private=in_home or is_private,
        ),
        place=Place(
            channel=channel,
            thread=shown.get("thread_ts") or message,
            response_url=whisper,
            pressed=message,
            person="" if in_home or whisper else user["id"],
        ),
    )


def event(body: Body, us: Us, speech: Speech) -> Heard | None:
    """A message to the bot alone, or one that mentions it; ``None`` for everything else.

    Edits, files, joins, what bots write (this one too) and what is said in channels without a mention are nothing to
    us.
    """
    said = body["event"]
    is_direct = said["type"] == "message" and said.get("channel_type") == "im"
    if not is_direct and said["type"] != "app_mention":
        return None
    if any(said.get(mark) for mark in ("subtype", "bot_id", "edited")) or not said.get("user") or not said.get("text"):
        return None
    text = _MENTION.sub(" ", said["text"]) if _mentions(said["text"], us) else said["text"]
    return Heard(
        incoming=Incoming(
            platform=PLATFORM,
            user=_user(us, said["user"], body["team_id"], said.get("user_team"), said.get("team")),
            delivery_id=body["event_id"],
            sent_at=_moment(body["event_time"]),
            address=said["channel"],
            action=Typed(text=speech.typed(text)),
            is_private=is_direct,
        ),
        place=Place(channel=said["channel"], thread=said.get("thread_ts") or ("" if is_direct else said["ts"])),
    )


def home_opened(body: Body, us: Us) -> str | None:
    """Whose App Home was opened; ``None`` where it was not."""
    opened = body["event"]
    if opened["type"] != "app_home_opened" or opened.get("tab") != "home":
        return None
    return _user(us, opened["user"], body["team_id"])


def _user(us: Us, user: str, *teams: str | None) -> str:
    """A person's id; people of another workspace get one that nobody on the list can have."""
    foreign = [team for team in teams if team and team != us.team]
    return f"{foreign[0]}/{user}" if foreign else user


def _mentions(text: str, us: Us) -> bool:
    found = _MENTION.match(text)
    return found is not None and found[1] == us.user


def _moment(seconds: str | float) -> datetime:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (OverflowError, OSError) as error:  # a time that no calendar has
        raise ValueError(f"{seconds} is no time") from error
