"""The ids that people and places have on each platform: their forms, and where each is found.

An id of another form matches nobody: whoever it stands for would wait for an answer in vain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from config.kinds import problem

LONGEST_WEB_NAME = 64

TELEGRAM_USER_IS = "who writes to this bot stands with their id in its log and in /strangers"
TELEGRAM_CHAT_IS = "of a group -100 and the number in a link to a message there, -100123 for t.me/c/123/6"
SLACK_MEMBER_IS = "Copy member ID, under ⋮ in their profile"
SLACK_CHANNEL_IS = "it stands at the end of what the channel's details show"
"""Where each is found."""

_TELEGRAM_USER = re.compile(r"[1-9][0-9]{0,15}")
_TELEGRAM_CHAT = re.compile(r"-?[1-9][0-9]{0,15}(/[1-9][0-9]{0,9})?")
_SLACK_MEMBER = re.compile(r"[UW][A-Z0-9]{1,20}")
_SLACK_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,20}")


def _as_text(value: object) -> object:
    """Numbers are taken as text, as they are written in a file."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _telegram_user(user: str) -> str:
    if user.startswith("-"):
        raise problem(f"is the id of a group, and must be a person's, which has no minus: {TELEGRAM_USER_IS}")
    if not _TELEGRAM_USER.fullmatch(user):
        raise problem(f"must be a Telegram user id, a number such as 123456789, and no @name: {TELEGRAM_USER_IS}")
    return user


def _telegram_chat(chat: str) -> str:
    if not _TELEGRAM_CHAT.fullmatch(chat):
        raise problem(
            "must be a chat's id such as 123456789 or -100123, or -100123/45 for a topic of a group, and no @name: "
            f"{TELEGRAM_CHAT_IS}"
        )
    if chat.endswith("/1"):
        raise problem("must be the group alone, without /1, for its general topic")
    return chat


def _slack_member(member: str) -> str:
    if not _SLACK_MEMBER.fullmatch(member):
        raise problem(f"must be a Slack member id such as U0123456789, and no name: {SLACK_MEMBER_IS}")
    return member


def _slack_channel(channel: str) -> str:
    if not _SLACK_CHANNEL.fullmatch(channel):
        raise problem(
            f"must be a channel's id such as C0123456789, and not its name, which can change: {SLACK_CHANNEL_IS}"
        )
    return channel


def _web_name(name: str) -> str:
    if not name.isprintable() or len(name) > LONGEST_WEB_NAME:
        raise problem(f"must be a name of up to {LONGEST_WEB_NAME} printable characters; choose any")
    return name


def _id(check: Callable[[str], str]) -> tuple[BeforeValidator, AfterValidator]:
    return BeforeValidator(_as_text), AfterValidator(check)


TelegramUser = Annotated[str, *_id(_telegram_user)]
"""A person on Telegram."""

TelegramChat = Annotated[str, *_id(_telegram_chat)]
"""A chat on Telegram, or a topic of a group."""

SlackMember = Annotated[str, *_id(_slack_member)]
"""A person on Slack."""

SlackChannel = Annotated[str, *_id(_slack_channel)]
"""A channel, or a conversation, on Slack."""

WebName = Annotated[str, *_id(_web_name)]
"""A person in the web chat: it is on the cookie that their link gives them."""
