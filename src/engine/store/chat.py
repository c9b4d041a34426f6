"""What the chat must remember: deliveries acted on, the audit, and the web chat's own messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from engine.domain.messages import Card
from engine.domain.reports import AuditEntry
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.tables import AuditRow, ChatMessageRow, DeliveryRow


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

    def __init__(self, session: Session, numbering: Numbering) -> None:
        self._session = session
        self._numbering = numbering

    def delivered(self, delivery_id: str, at: datetime) -> bool:
        """Whether a delivery is new; from then on it is not."""
        if self.has_seen(delivery_id):
            return False
        self._session.add(DeliveryRow(id=delivery_id, wall_at=at))
        self._session.flush()
        return True

    def has_seen(self, delivery_id: str) -> bool:
        """Whether a delivery was noted before."""
        return self._session.get(DeliveryRow, delivery_id) is not None

    def audit(
        self, *, at: datetime, wall_at: datetime, platform: str, user: str, person: str, action: str, outcome: str
    ) -> None:
        """Note what somebody did or tried."""
        number = self._numbering.next("U")
        self._session.add(
            AuditRow(
                id=f"U{number}",
                number=number,
                at=at,
                wall_at=wall_at,
                platform=platform,
                user=_storable(user),
                person=person,
                action=_storable(action),
                outcome=_storable(outcome),
            )
        )

    def newest_audit(self, limit: int) -> tuple[AuditEntry, ...]:
        """The newest first."""
        rows = self._session.exec(select(AuditRow).order_by(col(AuditRow.number).desc()).limit(limit))
        return tuple(AuditEntry(**row.model_dump(exclude={"number"})) for row in rows)

    def put_message(
        self, *, message_id: int | None, audience: str, author: str, at: datetime, card: Card | None, text: str
    ) -> int:
        """Keep a message of the web chat, in place of the one with that id where there is one; its id."""
        row = self._session.get(ChatMessageRow, message_id) if message_id is not None else None
        if row is None:
            row = ChatMessageRow(id=message_id, version=0, audience=audience, author=author, at=at, text="")
        row.version = (self._session.exec(select(func.max(ChatMessageRow.version))).one() or 0) + 1
        row.text, row.card = _storable(text), codec.dump(card) if card else ""
        self._session.add(row)
        self._session.flush()
        if row.id is None:
            raise AssertionError("a flushed row has its id")
        return row.id

    def messages(self, *, audience: str, after: int = 0, limit: int = 200) -> tuple[ChatMessage, ...]:
        """The newest messages that a person may see, changed since version ``after``, oldest first."""
        query = (
            select(ChatMessageRow)
            .where(col(ChatMessageRow.audience).in_(["", audience]), ChatMessageRow.version > after)
            .order_by(col(ChatMessageRow.id).desc())
            .limit(limit)
        )
        return tuple(_message(row) for row in reversed(self._session.exec(query).all()))


def _storable(text: str) -> str:
    """What people wrote, without the one character that PostgreSQL keeps in no text."""
    return text.replace("\0", "")


def _message(row: ChatMessageRow) -> ChatMessage:
    return ChatMessage(
        id=row.id or 0,
        version=row.version,
        audience=row.audience,
        author=row.author,
        at=row.at,
        card=codec.load(Card, row.card) if row.card else None,
        text=row.text,
    )
