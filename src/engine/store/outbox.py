"""What each destination should show, and what it shows.

A row that wants version 0 is at a place that was left: its message stays as it is, and is known again should cards go
there once more.

The answers that are edited later (``ANSWERS``) are shown wherever somebody asked: those places are nobody's choice, and
are neither taken nor left. Each is noted before it is sent, so that no crash in between leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, not_, or_, select, update

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.messages import Destination, Ref
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import OutboxRow, key_of, table_of

_TABLE = table_of(OutboxRow)
_ROW = select(_TABLE).where(*key_of(_TABLE))
_IS_SERVED = _TABLE.c.wanted_version > 0
EMERGENCY_ANSWER = "emergency_answer"
"""The kind of topic that an answer about an emergency stop has; each has its own: ``emergency_answer:H2/web:5``."""
ANSWERS = (f"{CLOSING}:", f"{EMERGENCY_ANSWER}:")
"""How the topics of answers begin that are edited later."""
_IS_CARD = not_(or_(*(_TABLE.c.topic.startswith(each) for each in ANSWERS)))
_PLACES = select(_TABLE).where(_TABLE.c.topic == bindparam("topic"), _IS_SERVED).order_by(_TABLE.c.number)
_ALL_PLACES = select(_TABLE.c.platform, _TABLE.c.address).where(_IS_SERVED, _IS_CARD).distinct()
_AT_PLACE = (
    _TABLE.c.platform == bindparam("its_platform"),
    _TABLE.c.address == bindparam("its_address"),
    _IS_SERVED,
    _IS_CARD,
)
_WAITING = select(func.count()).select_from(_TABLE).where(*_AT_PLACE, _TABLE.c.wanted_version > _TABLE.c.sent_version)
_LEAVE = update(_TABLE).where(*_AT_PLACE).values(wanted_version=0, sent_version=0)
_DUE = select(_TABLE).where(_TABLE.c.wanted_version > _TABLE.c.sent_version).order_by(_TABLE.c.number)
_ADD = insert(_TABLE)
_CHANGE = update(_TABLE).where(*key_of(_TABLE))
_WANT = _CHANGE.values(wanted_version=_TABLE.c.wanted_version + 1)


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

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def want(self, topic: str, destination: Destination) -> None:
        """A destination should show a topic as it now is."""
        if self._connection.execute(_WANT, _key(topic, destination)).rowcount:
            return
        new = {
            "topic": topic,
            "platform": destination.platform,
            "address": destination.address,
            "number": self._numbering.next("outbox"),
            "wanted_version": 1,
        }
        self._connection.execute(_ADD, new)

    def answer(self, topic: str, destination: Destination) -> None:
        """Note where an answer is about to be shown, as it is to be."""
        if self._row(topic, destination) is None:
            self.want(topic, destination)
            self._change(topic, destination, sent_version=1)

    def answered(self, topic: str, destination: Destination, ref: Ref) -> None:
        """Note the messages that show an answer; where others do already, these take their place."""
        self.answer(topic, destination)
        row = self._row(topic, destination)
        if row is not None:
            known, wanted = _ref(row), row.wanted_version
            self._change(
                topic, destination, ref=codec.dump(_joined(ref, known)), wanted_version=wanted + 1 if known else wanted
            )

    def changed(self, topic: str, destinations: Iterable[Destination]) -> bool:
        """Destinations should show a topic as it now is, and so should all that show it already; whether any does."""
        concerned = dict.fromkeys((*destinations, *self.places(topic)))
        for destination in concerned:
            self.want(topic, destination)
        return bool(concerned)

    def step_in(self, topic: str, destinations: Iterable[Destination]) -> bool:
        """Destinations should show a topic that another cannot; whether any of them did not show it already."""
        known = self.places(topic)
        missing = [each for each in destinations if each not in known]
        for destination in missing:
            self.want(topic, destination)
        return bool(missing)

    def places(self, topic: str) -> tuple[Destination, ...]:
        """Where a topic is, or is to be, shown; the places that were left are none."""
        return self._memory.get_or_load("outbox", topic, lambda: self._load_places(topic))

    def _load_places(self, topic: str) -> tuple[Destination, ...]:
        return tuple(_destination(row) for row in self._connection.execute(_PLACES, {"topic": topic}))

    def all_places(self) -> tuple[Destination, ...]:
        """Every place where anything is, or is to be, shown, in a fixed order."""
        rows = self._connection.execute(_ALL_PLACES)
        found = [Destination(platform=platform, address=address) for platform, address in rows]
        return tuple(sorted(found, key=lambda place: (place.platform, place.address)))

    def leave(self, place: Destination) -> tuple[int, int]:
        """Show nothing more at a place, unless it is asked for anew.

        Returns:
            How many cards are there, and how many of them do not show what they should, which ends here.
        """
        at = {"its_platform": place.platform, "its_address": place.address}
        waiting = self._connection.execute(_WAITING, at).scalar_one()
        return self._connection.execute(_LEAVE, at).rowcount, waiting

    def beginning(self, prefix: str) -> tuple[str, ...]:
        """The topics that begin so, and are, or are to be, shown anywhere."""
        query = select(_TABLE.c.topic).where(_TABLE.c.topic.startswith(prefix, autoescape=True), _IS_SERVED).distinct()
        return tuple(self._connection.execute(query.order_by(_TABLE.c.topic)).scalars())

    def shows(self, topic: str, platform: str) -> bool:
        """Whether a topic is, or is to be, shown somewhere on a platform."""
        return any(destination.platform == platform for destination in self.places(topic))

    def due(self) -> tuple[Showing, ...]:
        """What is not shown as it should be, in the order in which the topics came up."""
        return tuple(_showing(row) for row in self._connection.execute(_DUE))

    def ref(self, topic: str, destination: Destination) -> Ref | None:
        """The messages that show a topic at a destination; ``None`` where none does."""
        row = self._row(topic, destination)
        return _ref(row) if row else None

    def sent(self, showing: Showing, ref: Ref | None) -> None:
        """A destination shows the version that was wanted when ``showing`` was read.

        Messages that were noted meanwhile show the same: those of ``ref`` are to take their place.
        """
        row = self._row(showing.topic, showing.destination)
        if row is None:
            return
        noted, wanted = _ref(row), row.wanted_version
        if ref and noted and noted not in (showing.ref, ref):
            ref, wanted = _joined(ref, noted), wanted + 1
        sent = max(row.sent_version, showing.wanted_version)
        shown = codec.dump(ref) if ref else row.ref
        self._change(showing.topic, showing.destination, wanted_version=wanted, sent_version=sent, ref=shown)

    def register(self, topic: str, destination: Destination, ref: Ref) -> bool:
        """Note a message that shows a topic, where a crash lost it; whether it had been lost.

        Of an answer it takes the place of the one that is known: where the answer of a platform was lost there are two.
        """
        row = self._row(topic, destination)
        if row is None or not row.wanted_version or self._is_taken(ref, destination):
            return False
        if row.ref and not topic.startswith(ANSWERS):
            return False
        self._change(topic, destination, wanted_version=row.wanted_version + 1, ref=codec.dump(_joined(ref, _ref(row))))
        return True

    def _is_taken(self, ref: Ref, destination: Destination) -> bool:
        """Whether a message shows another topic: a press can carry anything, on whichever message it was."""
        query = select(_TABLE).where(
            _TABLE.c.platform == destination.platform,
            _TABLE.c.address == destination.address,
            _TABLE.c.ref.contains(f'"{ref.messages[-1]}"', autoescape=True),
        )
        return self._connection.execute(query).first() is not None

    def _row(self, topic: str, destination: Destination) -> Row[Any] | None:
        return self._connection.execute(_ROW, _key(topic, destination)).first()

    def _change(self, topic: str, destination: Destination, **values: object) -> None:
        self._connection.execute(_CHANGE, _key(topic, destination) | values)


def emergency_answer_topic(halt_id: str, delivery: str = "") -> str:
    """The topic of the answer to a delivery about an emergency stop; without one, how the topics of all begin."""
    return f"{EMERGENCY_ANSWER}:{halt_id}/{delivery}"


def halt_id_of(subject: str) -> str:
    """The id of the emergency stop that such an answer is about, by what its topic names."""
    return subject.partition("/")[0]


def _joined(ref: Ref, known: Ref | None) -> Ref:
    """Messages, and after them the others that are known: these are taken away when the first are edited."""
    return Ref(messages=tuple(dict.fromkeys((*ref.messages, *(known.messages if known else ())))))


def _key(topic: str, destination: Destination) -> dict[str, object]:
    return {"its_topic": topic, "its_platform": destination.platform, "its_address": destination.address}


def _destination(row: Row[Any]) -> Destination:
    return Destination(platform=row.platform, address=row.address)


def _ref(row: Row[Any]) -> Ref | None:
    return codec.load(Ref, row.ref) if row.ref else None


def _showing(row: Row[Any]) -> Showing:
    return Showing(
        topic=row.topic,
        destination=_destination(row),
        wanted_version=row.wanted_version,
        sent_version=row.sent_version,
        ref=_ref(row),
    )
