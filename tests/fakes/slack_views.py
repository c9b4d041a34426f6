"""The Web API's methods that are not about messages: home tabs and modals, people and channels."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.fakes.slack_api import invalid_blocks, missing
from tests.fakes.slack_blocks import VIEW_BLOCKS, InvalidBlocks, checked, texts_of, unescaped
from tests.fakes.slack_state import APP, BOT, BOT_USER, TEAM, Channel, Json, SlackError, View, Workspace

MOST_BYTES = 250_000
MODAL_TITLE = 24


class Views:
    """The methods about views, people and channels; ``trigger_lives`` is how long a trigger is good, in seconds."""

    def __init__(self, workspace: Workspace, trigger_lives: float) -> None:
        self._at = workspace
        self.trigger_lives = trigger_lives
        self.home_enabled = True
        self.methods: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "views.publish": ("", self.publish),
            "views.open": ("", self.open),
            "users.info": ("users:read", self.person),
            "conversations.open": ("im:write", self.converse),
            "conversations.info": ("channels:read", self.describe),
        }

    def publish(self, params: Json) -> Json:
        """Somebody's home tab."""
        user = params.get("user_id")
        if not user:
            raise missing("user_id")
        if user not in self._at.people:
            raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid `user_id`"]})
        if not self.home_enabled:
            raise SlackError("not_enabled")
        body, before = self._body(params, "home"), self._at.homes.get(user)
        if params.get("hash") and (before is None or before.hash != params["hash"]):
            raise SlackError("hash_conflict")
        name = before.id if before else self._at.name("V")
        self._at.homes[user] = View(id=name, user=user, body=body, hash=self._hash())
        return {"view": self.shown(self._at.homes[user])}

    def open(self, params: Json) -> Json:
        """A modal, for whoever has just done something."""
        given = params.get("trigger_id")
        if not given:
            raise missing("trigger_id")
        begun = self._at.triggers.get(given)
        if begun is None:
            raise SlackError("invalid_trigger_id" if given.count(".") != 2 else "exchanged_trigger_id")
        if self._at.monotonic() - begun > self.trigger_lives:
            raise SlackError("expired_trigger_id")
        body = self._body(params, "modal")
        del self._at.triggers[given]
        self._at.modals.append(View(id=self._at.name("V"), user="", body=body, hash=self._hash()))
        return {"view": self.shown(self._at.modals[-1])}

    def person(self, params: Json) -> Json:
        """Who somebody is."""
        return {"user": self._person(params.get("user"))}

    def converse(self, params: Json) -> Json:
        """The conversation between the bot and a person."""
        user = str(params.get("users") or "")
        if not user:
            raise SlackError("users_list_not_supplied")
        if user not in self._at.people:
            raise SlackError("user_not_found")
        known = {"no_op": True, "already_open": True} if f"D{user[1:]}" in self._at.channels else {}
        return {**known, "channel": {"id": self._at.direct(user).id}}

    def describe(self, params: Json) -> Json:
        """What a channel is."""
        given = params.get("channel")
        if not given:
            raise missing("channel")
        found = self._at.channels.get(str(given))
        if found is None or (found.private and BOT_USER not in found.members):
            raise SlackError("channel_not_found")
        return {"channel": _channel(found)}

    def shown(self, view: View) -> Json:
        """A view as the API gives it."""
        return {
            "id": view.id,
            "team_id": TEAM,
            "type": view.body["type"],
            "blocks": view.blocks,
            "private_metadata": view.body.get("private_metadata", ""),
            "callback_id": view.body.get("callback_id", ""),
            "external_id": view.body.get("external_id", ""),
            "state": {"values": {}},
            "hash": view.hash,
            "clear_on_close": False,
            "notify_on_close": False,
            "root_view_id": view.id,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        } | {key: view.body[key] for key in ("title", "submit", "close") if view.body.get(key)}

    def _person(self, user: object) -> Json:
        if user not in self._at.people:
            raise SlackError("user_not_found")
        return self._at.people[str(user)]

    def _body(self, params: Json, kind: str) -> Json:
        given = params.get("view")
        if not given:
            raise missing("view")
        body: Json = json.loads(given) if isinstance(given, str) else given
        faults = _faults(body, kind)
        if faults:
            raise SlackError("invalid_arguments", response_metadata={"messages": faults})
        if len(json.dumps(body)) > MOST_BYTES:
            raise SlackError("view_too_large")
        try:
            blocks = checked(body["blocks"], most=VIEW_BLOCKS, name=self._at.name)
        except InvalidBlocks as error:
            refusal = invalid_blocks(error)
            raise SlackError("invalid_arguments", **refusal.more) from error
        marked = [each["text"] for each in texts_of(blocks) if each["type"] == "mrkdwn"]
        self._at.complaints += [f"unescaped: {each}" for each in marked if unescaped(each)]
        return {**body, "blocks": blocks}

    def _hash(self) -> str:
        return f"{int(self._at.wall())}.{self._at.name()}"


def _faults(body: object, kind: str) -> list[str]:
    if not isinstance(body, dict) or body.get("type") != kind or not isinstance(body.get("blocks"), list):
        return [f"[ERROR] must be a view of type {kind} with blocks [json-pointer:/view]"]
    known = {"type", "blocks", "private_metadata", "callback_id", "external_id", "title", "submit", "close"}
    found = [f"[ERROR] invalid additional property: {key} [json-pointer:/view]" for key in sorted(body.keys() - known)]
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if len(body.get(key, "")) > most:
            found.append(f"[ERROR] must be less than {most + 1} characters [json-pointer:/view/{key}]")
    title = body.get("title") or {}
    if kind == "modal" and not 1 <= len(title.get("text", "")) <= MODAL_TITLE:
        found.append(f"[ERROR] must be less than {MODAL_TITLE + 1} characters [json-pointer:/view/title/text]")
    return found


def _channel(channel: Channel) -> Json:
    shared = {"id": channel.id, "created": 1_700_000_000, "is_archived": channel.archived, "is_im": bool(channel.user)}
    if channel.user:
        return {**shared, "is_org_shared": False, "context_team_id": TEAM, "updated": 1_700_000_000}
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_general": False,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_member": BOT_USER in channel.members,
        "unlinked": 0,
        "context_team_id": TEAM,
        "updated": 1_700_000_000,
    }
