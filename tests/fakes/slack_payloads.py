"""What Slack sends to an app when somebody does something: events, slash commands, presses."""

from __future__ import annotations

import html
from typing import Any

from tests.fakes.slack_state import APP, BOT_USER, DOMAIN, TEAM, Channel, Json, Message, View, Workspace

TOKEN = "Jhj5dZrVaK7ZwHHjRyZWjbDl"  # the deprecated verification token, which nobody should look at


def event(at: Workspace, body: Json) -> Json:
    """The envelope around an event."""
    authorization = {"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}
    return {
        "token": TOKEN,
        "team_id": TEAM,
        "api_app_id": APP,
        "event": body,
        "type": "event_callback",
        "event_id": at.name("Ev"),
        "event_time": int(at.wall()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": at.name("4-"),
    }


def typed(message: Message, channel: Channel, kind: str) -> Json:
    """The event of a message somebody wrote; ``kind`` is ``message`` or ``app_mention``."""
    body: Json = {
        "type": kind,
        "client_msg_id": f"c{message.ts}",
        "user": message.user,
        "text": message.now.text,
        "team": TEAM,
        "channel": channel.id,
        "ts": message.ts,
        "event_ts": message.ts,
    }
    if kind == "message":
        body["channel_type"] = channel.kind
    return body | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def home_opened(user: str, channel: Channel, tab: str, ts: str, view: Json | None) -> Json:
    """The event of somebody looking at the bot's home tab, or its messages."""
    body = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab, "event_ts": ts}
    return body | ({"view": view} if view else {})


def command(at: Workspace, user: str, channel: Channel, name: str, text: str, hook_url: str) -> Json:
    """A slash command."""
    return {
        "token": TOKEN,
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": user,
        "user_name": at.person(user)["name"],
        "command": name,
        "text": escaped(text),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": hook_url,
        "trigger_id": at.trigger(),
    }


def press(at: Workspace, user: str, button: Json, **place: Any) -> Json:
    """A press of a button; ``place`` says where it stands."""
    action = {key: button[key] for key in ("action_id", "block_id", "text", "value", "style", "url") if key in button}
    person = at.person(user)
    return {
        "type": "block_actions",
        "user": {"id": user, "username": person["name"], "name": person["name"], "team_id": TEAM},
        "api_app_id": APP,
        "token": TOKEN,
        "team": {"id": TEAM, "domain": DOMAIN},
        "is_enterprise_install": False,
        "trigger_id": at.trigger(),
        "actions": [{**action, "type": "button", "action_ts": at.ts()}],
        **place,
    }


def on_message(at: Workspace, message: Message, channel: Channel, shown: Json, hook_url: str) -> Json:
    """The place of a button on a message."""
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    return {
        "container": container | ({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        "channel": {"id": channel.id, "name": channel.name or "directmessage"},
        "message": shown,
        "state": {"values": {}},
        "response_url": hook_url,
    }


def in_view(view: View, shown: Json) -> Json:
    """The place of a button in a view."""
    return {"container": {"type": "view", "view_id": view.id}, "view": shown}


def escaped(text: str) -> str:
    """What somebody typed, as Slack passes it on."""
    return html.escape(text, quote=False)
