"""What the server behind the Bot API knows and what it refuses, without the HTTP around it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.telegram_chats import ApiError, Buttons, Chat, Flood, Json, Shown, Version, bad_request
from tests.fakes.telegram_entities import CannotParse, Entity, parse_html, trimmed, utf16_units
from tests.fakes.telegram_webhook import Hook, checked

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
TEXT_UNITS = 4096
CAPTION_UNITS = 1024
PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20
PNG, JPEG = b"\x89PNG\r\n", b"\xff\xd8\xff"
DATA_BYTES = 64
DEFAULT_UPDATES = {"message", "edited_message", "channel_post", "edited_channel_post", "callback_query"}


class BotApi:
    """One bot's side of the server: chats, the queue of updates, and every method but ``getUpdates``'s waiting.

    Args:
        answer_within: Seconds for which a press can be acknowledged.
        wall: Unix seconds.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        *,
        username: str,
        bot_id: int,
        answer_within: float,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self.me: Json = {"id": bot_id, "is_bot": True, "first_name": "Greenlight", "username": username}
        self.answer_within = answer_within
        self.chats: dict[int, Chat] = {}
        self.flood = Flood(monotonic=monotonic)
        self.commands: list[Json] = []
        self.hook = Hook()
        self.queries: dict[str, float] = {}
        self.answered: dict[str, float] = {}
        self.told: dict[str, str] = {}
        """What acknowledgements said, by query."""
        self.poll = 0
        self.markup_works = True
        self._lock = threading.RLock()
        self._updates: list[Json] = []
        self._again: list[Json] = []
        self._past: dict[int, Json] = {}
        self._allowed = set(DEFAULT_UPDATES)
        self._last_update = 700_000_000
        self._methods: dict[str, Callable[[Json], Any]] = {
            "getme": lambda _: {**self.me, "can_join_groups": True, "can_read_all_group_messages": False},
            "sendmessage": self._send,
            "sendphoto": self._send_photo,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete,
            "answercallbackquery": self._answer,
            "setmycommands": self._set_commands,
            "getmycommands": lambda _: self.commands,
            "pinchatmessage": self._pin,
            "unpinchatmessage": self._unpin,
            "deletewebhook": self._delete_webhook,
            "setwebhook": self._set_webhook,
            "getwebhookinfo": lambda _: self.hook.info(len(self._updates)),
            "sendchataction": self._chat_action,
            "getchat": lambda params: {**self._chat(params).payload, "accent_color_id": 0, "max_reaction_count": 11},
        }

    def call(self, method: str, params: Json) -> Any:
        """Do what a method does and return its result.

        Raises:
            ApiError: As the real server would.
        """
        handler = self._methods.get(method.lower())
        if handler is None:
            raise ApiError(404, "Not Found: method not found")
        with self._lock:
            return handler(params)

    # Updates

    def enqueue(self, kind: str, payload: Json) -> int:
        """Put something that happened into the queue, if the bot asked for that kind."""
        with self._lock:
            self._last_update += 1
            update = {"update_id": self._last_update, kind: payload}
            self._past[self._last_update] = update
            if kind in self._allowed:
                self._updates.append(update)
            return self._last_update

    def redeliver(self, update_id: int) -> None:
        """Deliver an update once more, confirmed or not."""
        self._again.append(self._past[update_id])

    def start_poll(self, params: Json) -> int:
        """Begin a ``getUpdates``: confirm what its offset says, and become the only poll."""
        if self.webhook:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        allowed = _decoded(params.get("allowed_updates"))
        offset = _integer(params.get("offset"))
        with self._lock:
            if allowed is not None:
                self._allowed = set(allowed) or set(DEFAULT_UPDATES)
            kept = self._updates[offset:] if offset < 0 else self._updates
            self._updates = [update for update in kept if update["update_id"] >= offset]
            self.poll += 1
            return self.poll

    def ready(self, poll: int, limit: int) -> list[Json]:
        """What a poll can return now; nothing is forgotten by that."""
        if poll != self.poll:
            raise ApiError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        with self._lock:
            again, self._again = self._again, []
            return [*again, *self._updates][:limit]

    @property
    def unconfirmed(self) -> list[int]:
        return [update["update_id"] for update in self._updates]

    # People

    def type(self, chat: int, user: int, text: str, date: float | None = None, *, topic: int | None = None) -> int:
        """Let a person write; returns the update's id. ``date`` is in Unix seconds."""
        command = re.match(r"/\w+(@\w+)?", text)
        entities = [{"offset": 0, "length": utf16_units(command[0]), "type": "bot_command"}] if command else []
        version = Version(text=text, entities=entities, buttons=[])
        written = self.add(self.chat(chat), self.person(user), version, date=date or self._wall(), topic=topic)
        return self.enqueue("message", self.show(written))

    def press(self, chat: int, message_id: int, user: int, button: str, *, forged: bool = False) -> int:
        """Let a person press a button, by its label or data; returns the update's id. A forged one need not exist."""
        message = self.chat(chat).messages[message_id]
        data = {b["text"]: b["callback_data"] for b in message.buttons}.get(button, button)
        if not forged:
            assert data in [b["callback_data"] for b in message.buttons], f"no button {button!r} on {message}"
        query = {
            "id": str(666_728_699_048_000_000 + len(self.queries)),
            "from": self.person(user),
            "message": self.show(message),
            "chat_instance": str(1_628_661_761_791_766_620 + chat),
            "data": data,
        }
        self.queries[query["id"]] = self._monotonic()
        return self.enqueue("callback_query", query)

    # Chats and messages

    def person(self, user: int) -> Json:
        return {"id": user, "is_bot": False, "first_name": f"User {user}", "username": f"user{user}"}

    def chat(self, chat: int) -> Chat:
        """The chat with this id, made on first use: a private one, or a group where the id is negative."""
        if chat not in self.chats:
            private = {"id": chat, "first_name": f"User {chat}", "username": f"user{chat}", "type": "private"}
            group = {"id": chat, "title": f"Group {chat}", "type": "supergroup"}
            self.chats[chat] = Chat(id=chat, payload=private if chat > 0 else group)
        return self.chats[chat]

    def show(self, message: Shown) -> Json:
        """A message as the API gives it."""
        chat = self.chats[message.chat]
        body: Json = {
            "message_id": message.message_id,
            "from": message.sender,
            "chat": chat.payload,
            "date": message.date,
        }
        if message.edit_date is not None:
            body["edit_date"] = message.edit_date
        if message.topic is not None:
            body |= {"message_thread_id": message.topic, "is_topic_message": True}
        if message.reply_to is not None:
            body["reply_to_message"] = self.show(chat.messages[message.reply_to])
        words = "caption" if message.photo else "text"
        body[words] = message.text
        if message.photo:
            body["photo"] = [{"file_id": "AgAC", "file_unique_id": "AQAD", "width": 1, "height": 1}]
        if message.entities:
            body["caption_entities" if message.photo else "entities"] = message.entities
        if message.now.buttons:
            body["reply_markup"] = {"inline_keyboard": message.now.buttons}
        return body

    def add(self, chat: Chat, sender: Json, version: Version, **more: Any) -> Shown:
        """Put a new message into a chat."""
        date = int(more.pop("date", self._wall()))
        with self._lock:
            message = Shown(message_id=chat.next_id(), chat=chat.id, sender=sender, date=date, now=version, **more)
            chat.messages[message.message_id] = message
            return message

    def _send(self, params: Json) -> Json:
        chat = self._chat(params)
        version = self._version(params, too_long="message is too long")
        reply_to = self._reply_to(params, chat)
        topic = self._topic(params, chat)
        self.flood.check(chat.id)
        silent = params.get("disable_notification") == "true"
        return self.show(self.add(chat, self.me, version, reply_to=reply_to, silent=silent, topic=topic))

    def _send_photo(self, params: Json) -> Json:
        chat = self._chat(params)
        given = params.get("photo", "")
        photo = given if isinstance(given, bytes) else params.get(str(given).removeprefix("attach://"))
        if not isinstance(photo, bytes) or not photo:
            raise bad_request("there is no photo in the request")
        if chat.no_photos:
            raise bad_request("not enough rights to send photos to the chat")
        checked_photo(photo)
        captioned = params | {"text": params.get("caption", "")}
        version = self._version(
            captioned, too_long="message caption is too long", units=CAPTION_UNITS, may_be_empty=True
        )
        reply_to, topic = self._reply_to(params, chat), self._topic(params, chat)
        self.flood.check(chat.id)
        silent = params.get("disable_notification") == "true"
        return self.show(self.add(chat, self.me, version, photo=photo, reply_to=reply_to, silent=silent, topic=topic))

    def _edit_text(self, params: Json) -> Json:
        chat = self._chat(params)
        message = self._mine(params, chat, missing="message to edit not found", foreign="message can't be edited")
        if message.photo:
            raise bad_request("there is no text in the message to edit")
        return self._replace(message, self._version(params, too_long="MESSAGE_TOO_LONG"))

    def _edit_markup(self, params: Json) -> Json:
        chat = self._chat(params)
        message = self._mine(params, chat, missing="message to edit not found", foreign="message can't be edited")
        buttons = _buttons(params)
        return self._replace(message, Version(text=message.text, entities=message.entities, buttons=buttons))

    def _replace(self, message: Shown, version: Version) -> Json:
        if version == message.now:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same "
                "as a current content and reply markup of the message"
            )
        self.flood.check(message.chat)
        message.edits.append(message.now)
        message.now, message.edit_date = version, int(self._wall())
        return self.show(message)

    def _delete(self, params: Json) -> bool:
        chat = self._chat(params)
        missing = "message to delete not found"
        self._mine(params, chat, missing=missing, foreign="message can't be deleted").deleted = True
        return True

    def _pin(self, params: Json) -> bool:
        chat = self._chat(params)
        message = self._mine(params, chat, missing="message to pin not found", foreign=None)
        chat.pinned.append(message.message_id)
        notice = {
            "message_id": chat.next_id(),
            "from": self.me,
            "chat": chat.payload,
            "date": int(self._wall()),
            "pinned_message": self.show(message),
        }
        self.enqueue("message", notice)
        return True

    def _unpin(self, params: Json) -> bool:
        chat = self._chat(params)
        wanted = _integer(params.get("message_id")) or (chat.pinned[-1] if chat.pinned else 0)
        if wanted not in chat.pinned:
            raise bad_request("message to unpin not found")
        chat.pinned.remove(wanted)
        return True

    def _chat_action(self, params: Json) -> bool:
        self._chat(params)
        if not params.get("action"):
            raise bad_request("wrong parameter action in request")
        return True

    def _answer(self, params: Json) -> bool:
        query = params.get("callback_query_id", "")
        asked = self.queries.get(query)
        if asked is None or self._monotonic() - asked > self.answer_within:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        if query not in self.answered:
            self.answered[query] = self._monotonic()
            self.told[query] = params.get("text", "")
        return True

    # The bot itself

    def _set_commands(self, params: Json) -> bool:
        commands = _decoded(params.get("commands"))
        if not isinstance(commands, list):
            raise bad_request("can't parse commands JSON object")
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= utf16_units(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = commands
        return True

    def _set_webhook(self, params: Json) -> bool:
        allowed = _decoded(params.get("allowed_updates"))
        hook = checked(params, allowed or [])
        if allowed is not None:
            self._allowed = set(allowed) or set(DEFAULT_UPDATES)
        if hook.url:
            self.poll += 1  # ends an open poll
        self._drop_where_asked(params)
        self.hook = hook
        return True

    def _delete_webhook(self, params: Json) -> bool:
        self.hook = Hook()
        self._drop_where_asked(params)
        return True

    def _drop_where_asked(self, params: Json) -> None:
        if params.get("drop_pending_updates") == "true":
            self._updates = []

    @property
    def webhook(self) -> str:
        """The address of the webhook; empty where there is none."""
        return self.hook.url

    @webhook.setter
    def webhook(self, url: str) -> None:
        self.hook = Hook(url=url)

    def to_deliver(self) -> list[Json]:
        """What waits for the webhook, what is to be delivered again first; nothing without one."""
        with self._lock:
            return [*self._again, *self._updates] if self.hook.url else []

    def confirm(self, update: Json) -> None:
        """The webhook has taken an update: forget it."""
        with self._lock:
            for queue in (self._again, self._updates):
                if update in queue:
                    queue.remove(update)
                    return

    # Reading parameters

    def _chat(self, params: Json) -> Chat:
        given = str(params.get("chat_id", ""))
        if not given:
            raise bad_request("chat_id is empty")
        chat = self.chats.get(_integer(given))
        if chat is None:
            raise bad_request("chat not found")
        if chat.moved_to:
            upgraded = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, upgraded, migrate_to_chat_id=chat.moved_to)
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _topic(self, params: Json, chat: Chat) -> int | None:
        """The topic to write to; a message without one goes into the general one, which has no number here."""
        if not params.get("message_thread_id"):
            return None
        topic = chat.topics.get(_integer(params["message_thread_id"]))
        if topic is None:
            raise bad_request("message thread not found")
        if topic.closed:
            raise bad_request("TOPIC_CLOSED")
        return topic.id

    def _mine(self, params: Json, chat: Chat, *, missing: str, foreign: str | None) -> Shown:
        message = chat.messages.get(_integer(params.get("message_id")))
        if message is None or message.deleted:
            raise bad_request(missing)
        if foreign and message.sender != self.me:
            raise bad_request(foreign)
        return message

    def _reply_to(self, params: Json, chat: Chat) -> int | None:
        reply = _decoded(params.get("reply_parameters")) or {}
        wanted = _integer(reply.get("message_id"))
        if not wanted:
            return None
        if wanted in chat.messages and not chat.messages[wanted].deleted:
            return wanted
        if reply.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")

    def _version(self, params: Json, *, too_long: str, units: int = TEXT_UNITS, may_be_empty: bool = False) -> Version:
        text, entities = str(params.get("text", "")), _decoded(params.get("entities")) or []
        mode = params.get("parse_mode", "")
        if mode.lower() == "html":
            try:
                text, entities = self._parsed(text)
            except CannotParse as error:
                raise bad_request(f"can't parse entities: {error}") from error
        elif mode:
            raise bad_request("unsupported parse_mode")
        text, entities = trimmed(text, entities)
        if not text and not may_be_empty:
            raise bad_request("message text is empty")
        if utf16_units(text) > units:
            raise bad_request(too_long)
        return Version(text=text, entities=entities, buttons=_buttons(params))

    def _parsed(self, text: str) -> tuple[str, list[Entity]]:
        if not self.markup_works:
            raise CannotParse('Unsupported start tag "b" at byte offset 0')
        return parse_html(text)


def checked_photo(photo: bytes) -> None:
    """See that a file is a picture within the limits: 10 MB, 10,000 pixels of both sides, a ratio of 20.

    Raises:
        ApiError: It is not.
    """
    if not photo.startswith((PNG, JPEG)) or len(photo) > PHOTO_BYTES:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if photo.startswith(PNG):
        width, height = (int.from_bytes(photo[at : at + 4], "big") for at in (16, 20))
        if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _buttons(params: Json) -> Buttons:
    markup = _decoded(params.get("reply_markup")) or {}
    rows: Buttons = markup.get("inline_keyboard", [])
    for button in _flat(rows):
        if not button.get("text"):
            raise bad_request('can\'t parse inline keyboard button: Field "text" must be of type String')
        if not set(button) & {"callback_data", "url"}:
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    return [row for row in rows if row]


def _flat(rows: Iterable[Iterable[Json]]) -> list[Json]:
    return [button for row in rows for button in row]


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
