"""What each destination should show, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from engine.domain.messages import Destination, Ref
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.tables import OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """One topic at one destination. It is due while the wanted version is ahead of the sent one."""

    topic: str
    destination: Destination
    wanted_version: int
    sent_version: int
    ref: Ref | None


class Outbox:
    """The ``outbox`` table."""

    def __init__(self, session: Session, numbering: Numbering) -> None:
        self._session = session
        self._numbering = numbering

    def want(self, topic: str, destination: Destination) -> None:
        """A destination should show a topic as it now is."""
        row = self._row(topic, destination)
        if row is None:
            row = OutboxRow(
                topic=topic,
                platform=destination.platform,
                address=destination.address,
                number=self._numbering.next("outbox"),
                wanted_version=0,
            )
        row.wanted_version += 1
        self._session.add(row)
        self._session.flush()

    def due(self) -> tuple[Showing, ...]:
        """What is not shown as it should be, in the order in which the topics came up."""
        query = (
            select(OutboxRow)
            .where(col(OutboxRow.wanted_version) > col(OutboxRow.sent_version))
            .order_by(col(OutboxRow.number))
        )
        return tuple(_showing(row) for row in self._session.exec(query))

    def ref(self, topic: str, destination: Destination) -> Ref | None:
        """The messages that show a topic at a destination; ``None`` where none does."""
        row = self._row(topic, destination)
        return codec.load(Ref, row.ref) if row and row.ref else None

    def sent(self, showing: Showing, ref: Ref | None) -> None:
        """A destination shows the version that was wanted when ``showing`` was read."""
        row = self._row(showing.topic, showing.destination)
        if row is None:
            return
        row.sent_version = max(row.sent_version, showing.wanted_version)
        row.ref = codec.dump(ref) if ref else ""
        self._session.add(row)

    def register(self, topic: str, destination: Destination, ref: Ref) -> bool:
        """Note a message that shows a topic, where a crash lost it; whether it had been lost."""
        row = self._row(topic, destination)
        if row is None or row.ref:
            return False
        row.ref = codec.dump(ref)
        row.wanted_version += 1
        self._session.add(row)
        return True

    def _row(self, topic: str, destination: Destination) -> OutboxRow | None:
        return self._session.get(OutboxRow, (topic, destination.platform, destination.address))


def _showing(row: OutboxRow) -> Showing:
    return Showing(
        topic=row.topic,
        destination=Destination(platform=row.platform, address=row.address),
        wanted_version=row.wanted_version,
        sent_version=row.sent_version,
        ref=codec.load(Ref, row.ref) if row.ref else None,
    )
