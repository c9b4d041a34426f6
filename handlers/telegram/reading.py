"""What a Telegram update says in our own words. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from telegram import CallbackQuery, MaybeInaccessibleMessage, Message, Update, User
from telegram.constants import ChatType

from engine.domain.messages import Incoming, Pressed, Ref, Typed
from handlers.telegram.places import place_of

PLATFORM = "telegram"
WANTED = ("message", "callback_query")
"""The kinds of updates the bot asks for."""

ROUNDING = timedelta(seconds=1)
"""Telegram's dates are whole seconds."""

_ADDRESSED = re.compile(r"(/\w+)@(\w+)")


def incoming(update: Update, bot_name: str, *, waited: bool = False) -> Incoming | None:
    """What a person did, or ``None`` where the update is nothing to us.

    Edited messages, channel posts, pictures, what other bots and anonymous group admins write (they share one id), and
    commands addressed to another bot are nothing to us.

    Args:
        update: As Telegram delivered it.
        bot_name: The bot's own name, without ``@``.
        waited: Whether it may have waited since before the bot was started.
    """
    if update.callback_query:
        return _pressed(update.update_id, update.callback_query, waited=waited)
    return _typed(update.update_id, update.message, bot_name) if update.message else None


def _typed(update_id: int, message: Message, bot_name: str) -> Incoming | None:
    author = message.from_user
    text = _for_us(message.text, bot_name) if message.text else None
    if text is None or author is None or author.is_bot:
        return None
    return Incoming(
        platform=PLATFORM,
        user=str(author.id),
        delivery_id=str(update_id),
        sent_at=message.date,
        address=place_of(message).address,
        action=Typed(text=text),
        name=_name(author),
        is_private=message.chat.type == ChatType.PRIVATE,
    )


def _pressed(update_id: int, query: CallbackQuery, *, waited: bool) -> Incoming | None:
    # A press carries no time of its own. One that waited is taken to be a little older than the message that was
    # pressed, whose date is rounded down: so it may be too old wrongly, but never new wrongly.
    if query.message is None or not query.data:
        return None
    return Incoming(
        platform=PLATFORM,
        user=str(query.from_user.id),
        delivery_id=str(update_id),
        sent_at=query.message.date - ROUNDING if waited else None,
        address=_pressed_at(query),
        action=Pressed(data=query.data),
        ref=Ref(messages=(str(query.message.message_id),)),
        is_carried=_carries(query.message, query.data),
        name=_name(query.from_user),
    )


def _carries(message: MaybeInaccessibleMessage, data: str) -> bool:
    """Whether a message has the button that was pressed: what a press carries is up to the client it comes from."""
    markup = message.reply_markup if isinstance(message, Message) else None
    return markup is not None and any(button.callback_data == data for row in markup.inline_keyboard for button in row)


def _name(user: User) -> str:
    return f"{user.full_name} (@{user.username})" if user.username else user.full_name


def _pressed_at(query: CallbackQuery) -> str:
    """Where the message that was pressed is; of one too old to be seen only the chat is known."""
    if isinstance(query.message, Message):
        return place_of(query.message).address
    return str(query.message.chat.id) if query.message else ""


def _for_us(text: str, bot_name: str) -> str | None:
    """The text without our name after the command, or ``None`` where it bears another bot's."""
    addressed = _ADDRESSED.match(text)
    if not addressed:
        return text
    command, name = addressed.groups()
    return command + text[addressed.end() :] if name.casefold() == bot_name.casefold() else None
