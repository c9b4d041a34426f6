"""What each destination should show, and what it shows."""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def is_news(self) -> bool:
        """Whether the topic was never shown there: what follows are edits."""
        return self.sent_version == 0 and self.ref is None


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

    def changed(self, topic: str, destinations: Iterable[Destination]) -> None:
        """Destinations should show a topic as it now is, and so should all that have stepped in for one of them."""
        for destination in dict.fromkeys((*destinations, *self._places(topic))):
            self.want(topic, destination)

    def step_in(self, topic: str, destinations: Iterable[Destination]) -> bool:
        """Destinations should show a topic that another cannot; whether any of them did not show it already."""
        known = self._places(topic)
        missing = [each for each in destinations if each not in known]
        for destination in missing:
            self.want(topic, destination)
        return bool(missing)

    def knows(self, topic: str) -> bool:
        """Whether a topic is, or is to be, shown anywhere."""
        return bool(self._places(topic))

    def shows(self, topic: str, platform: str) -> bool:
        """Whether a topic is, or is to be, shown somewhere on a platform."""
        return any(destination.platform == platform for destination in self._places(topic))

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
        if row is None or row.ref or self._is_taken(ref, destination):
            return False
        row.ref = codec.dump(ref)
        row.wanted_version += 1
        self._session.add(row)
        return True

    def _places(self, topic: str) -> list[Destination]:
        query = select(OutboxRow).where(OutboxRow.topic == topic).order_by(col(OutboxRow.number))
        return [_destination(row) for row in self._session.exec(query)]

    def _is_taken(self, ref: Ref, destination: Destination) -> bool:
        """Whether a message shows another topic: a press can carry anything, on whichever message it was."""
        query = select(OutboxRow).where(
            OutboxRow.platform == destination.platform,
            OutboxRow.address == destination.address,
            col(OutboxRow.ref).contains(f'"{ref.messages[-1]}"', autoescape=True),
        )
        return self._session.exec(query).first() is not None

    def _row(self, topic: str, destination: Destination) -> OutboxRow | None:
        return self._session.get(OutboxRow, (topic, destination.platform, destination.address))


def _destination(row: OutboxRow) -> Destination:
    return Destination(platform=row.platform, address=row.address)


def _showing(row: OutboxRow) -> Showing:
    return Showing(
        topic=row.topic,
        destination=_destination(row),
        wanted_version=row.wanted_version,
        sent_version=row.sent_version,
        ref=codec.load(Ref, row.ref) if row.ref else None,
    )
