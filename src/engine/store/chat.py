"""What the chat must remember: deliveries acted on, the audit, and the web chat's own messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, insert, select, update
from sqlalchemy import text as sql

from engine.domain.messages import Card
from engine.domain.people import AuditEntry
from engine.store import codec
from engine.store.columns import UtcTime
from engine.store.numbering import Numbering
from engine.store.tables import AuditRow, ChatMessageRow, DeliveryRow, key_of, newest_first, table_of

_DELIVERIES = table_of(DeliveryRow)
_SEEN = select(_DELIVERIES.c.id).where(*key_of(_DELIVERIES))
_DELIVERED = sql("INSERT INTO deliveries (id, wall_at) VALUES (:id, :wall_at) ON CONFLICT (id) DO NOTHING").bindparams(
    bindparam("wall_at", type_=UtcTime)
)
_AUDIT = table_of(AuditRow)
_ADD_AUDIT = insert(_AUDIT)
_ALL_AUDIT = select(*(column for column in _AUDIT.c if column is not _AUDIT.c.number))
_LAST_ACT_AT = (
    select(_AUDIT.c.at)
    .where(_AUDIT.c.person != "", _AUDIT.c.platform != "api")
    .order_by(_AUDIT.c.number.desc())
    .limit(1)
)
_MESSAGES = table_of(ChatMessageRow)
_LAST_VERSION = select(func.max(_MESSAGES.c.version))
_ADD_MESSAGE = insert(_MESSAGES).returning(_MESSAGES.c.id)
_CHANGE_MESSAGE = update(_MESSAGES).where(*key_of(_MESSAGES))
_NEWEST_MESSAGES = (
    select(_MESSAGES)
    .where(_MESSAGES.c.audience.in_(("", bindparam("audience"))), _MESSAGES.c.version > bindparam("after"))
    .order_by(_MESSAGES.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of the web chat. ``version`` grows with every change to any message."""

    id: int
    version: int
    audience: str
    author: str
    at: datetime
    card: Card | None
    text: str


class ChatMemory:
    """The ``deliveries``, ``audit`` and ``chat_messages`` tables."""

    def __init__(self, connection: Connection, numbering: Numbering) -> None:
        self._connection = connection
        self._numbering = numbering

    def delivered(self, delivery_id: str, at: datetime) -> bool:
        """Whether a delivery is new; from then on it is not."""
        return self._connection.execute(_DELIVERED, {"id": delivery_id, "wall_at": at}).rowcount == 1

    def has_seen(self, delivery_id: str) -> bool:
        """Whether a delivery was noted before."""
        return self._connection.execute(_SEEN, {"its_id": delivery_id}).first() is not None

    def audit(
        self, *, at: datetime, wall_at: datetime, platform: str, user: str, person: str, action: str, outcome: str
    ) -> None:
        """Note what somebody did or tried."""
        number = self._numbering.next("U")
        entry = {
            "id": f"U{number}",
            "number": number,
            "at": at,
            "wall_at": wall_at,
            "platform": platform,
            "user": _storable(user),
            "person": person,
            "action": _storable(action),
            "outcome": _storable(outcome),
        }
        self._connection.execute(_ADD_AUDIT, entry)

    def newest_audit(self, limit: int, before: str = "") -> tuple[AuditEntry, ...]:
        """The newest first."""
        query = newest_first(_ALL_AUDIT, _AUDIT.c.number, limit, before)
        return tuple(AuditEntry(**row) for row in self._connection.execute(query).mappings())

    def last_act_at(self) -> datetime | None:
        """When one of the people who are listed did or tried something last, but for programs with the API's token."""
        at: datetime | None = self._connection.execute(_LAST_ACT_AT).scalar()
        return at

    def put_message(
        self, *, message_id: int | None, audience: str, author: str, at: datetime, card: Card | None, text: str
    ) -> int:
        """Keep a message of the web chat, in place of the one with that id where there is one; its id."""
        version = (self._connection.execute(_LAST_VERSION).scalar() or 0) + 1
        shown = {"version": version, "text": _storable(text), "card": codec.dump(card) if card else ""}
        if message_id is not None and self._change(message_id, shown):
            return message_id
        named = {} if message_id is None else {"id": message_id}
        new = {**named, "audience": audience, "author": author, "at": at, **shown}
        return int(self._connection.execute(_ADD_MESSAGE, new).scalar_one())

    def messages(self, *, audience: str, after: int = 0, limit: int = 200) -> tuple[ChatMessage, ...]:
        """The newest messages that a person may see, changed since version ``after``, oldest first."""
        asked = {"audience": audience, "after": after, "limit": limit}
        return tuple(_message(row) for row in reversed(self._connection.execute(_NEWEST_MESSAGES, asked).all()))

    def _change(self, message_id: int, shown: dict[str, object]) -> bool:
        return bool(self._connection.execute(_CHANGE_MESSAGE, {"its_id": message_id, **shown}).rowcount)


def _storable(text: str) -> str:
    """What people wrote, without the one character that PostgreSQL keeps in no text."""
    return text.replace("\0", "")


def _message(row: Row[Any]) -> ChatMessage:
    return ChatMessage(
        id=row.id,
        version=row.version,
        audience=row.audience,
        author=row.author,
        at=row.at,
        card=codec.load(Card, row.card) if row.card else None,
        text=row.text,
    )
