"""Where in Telegram: a chat, or a topic of a group, as one address. Pure.

``7`` is a private chat, ``-100123`` a group, ``-100123/45`` the topic 45 in it. Every topic keeps its own cards and its
own order, while Telegram counts what is written in all of them as the one chat it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chat, and the topic in it; ``None`` for a chat without topics, or its general one."""

    chat: str
    topic: int | None = None

    @property
    def address(self) -> str:
        """The place as text."""
        return self.chat if self.topic is None else f"{self.chat}/{self.topic}"


def place_at(address: str) -> Place:
    """The place with an address."""
    chat, _, topic = address.partition("/")
    return Place(chat=chat, topic=int(topic) if topic else None)


def place_of(message: Message) -> Place:
    """Where a message is. A thread of replies in a group without topics is no topic, though it has a number too."""
    topic = message.message_thread_id if message.is_topic_message else None
    return Place(chat=str(message.chat.id), topic=topic)
