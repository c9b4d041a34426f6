"""One transaction, and everything that can be read or written within it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.events import Event, PositionClosed, emergency_of, traded
from engine.domain.messages import Destination, Ref
from engine.domain.unmanaged import Ending
from engine.ports import Route
from engine.store import codec
from engine.store.account import Account
from engine.store.approvals import Approvals
from engine.store.chat import ChatMemory
from engine.store.closings import Closings
from engine.store.curve import Curve
from engine.store.decisions import Decisions
from engine.store.deliberations import Deliberations
from engine.store.digests import Digests
from engine.store.halts import Halts
from engine.store.ledger import Ledger
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.orders import Orders
from engine.store.outbox import Outbox, emergency_answer_topic
from engine.store.positions import Positions
from engine.store.settings import Settings
from engine.store.strangers import Strangers
from engine.store.streaks import Streaks
from engine.store.tables import EventRow, table_of
from engine.store.troubles import Troubles
from engine.store.unmanaged import UnmanagedPositions

_EVENTS = table_of(EventRow)
_ADD_EVENT = insert(_EVENTS)
_LAST_EVENT_AT = select(func.max(_EVENTS.c.at))


class UnitOfWork:
    """What a transaction's body is given. Changes are kept together, or not at all.

    Attributes:
        route: Where what happens is shown.
        shown: Whether an event of this transaction changes something that people see.
        events: What happened in it, in order.
    """

    def __init__(
        self,
        connection: Connection,
        route: Route,
        memory: NoMemory | None = None,
    ) -> None:
        memory = memory or NoMemory()
        numbering = Numbering(connection, memory)
        self.connection = connection
        self.settings = Settings(connection, memory)
        self.decisions = Decisions(connection, numbering)
        self.approvals = Approvals(connection, numbering, memory)
        self.deliberations = Deliberations(connection, memory)
        self.orders = Orders(connection, numbering, memory)
        self.positions = Positions(connection, numbering, memory)
        self.ledger = Ledger(connection, self.settings, self.positions, memory)
        self.curve = Curve(connection, lambda: self.account.opening)
        self.account = Account(connection, self.settings, self.positions, self.ledger, self.curve, memory)
        self.digests = Digests(connection)
        self.halts = Halts(connection, numbering, memory)
        self.chat = ChatMemory(connection, numbering)
        self.outbox = Outbox(connection, numbering)
        self.troubles = Troubles(self.settings, numbering)
        self.strangers = Strangers(self.settings)
        self.streaks = Streaks(self.settings, numbering)
        self.closings = Closings(self.settings, numbering)
        self.unmanaged = UnmanagedPositions(self.settings, numbering)
        self.shown = False
        self.events: list[Event] = []
        self.route = route
        self._numbering = numbering

    def emit(self, event: Event) -> None:
        """Write down that something happened, and mark the cards it changes as wanting to be shown anew."""
        self.record(event)
        for topic, destinations in self.route(event).items():
            if self.outbox.changed(topic, destinations):
                self.shown = True
        self.show_wishes(traded(event))
        self._show_unmanaged(event)
        if halt_id := emergency_of(event):
            for topic in self.outbox.beginning(emergency_answer_topic(halt_id)):
                self.show_anew(topic)

    def show_wishes(self, position_id: str) -> None:
        """Let the answers to those who have closed a position by hand be shown as they now are."""
        if position_id:
            for closing_id in self.closings.about(position_id):
                self.show_anew(f"{CLOSING}:{closing_id}")

    def _show_unmanaged(self, event: Event) -> None:
        """Let people who were told that no strategy manages a position see what has become of it."""
        position_id = traded(event)
        told = self.unmanaged.of(position_id) if position_id else None
        if told is None:
            return
        if isinstance(event, PositionClosed):
            self.unmanaged.end(told, event.at, Ending.CLOSED)
        self.show_anew(f"unmanaged:{told.id}")

    def record(self, event: Event) -> None:
        """Write down that something happened, and show it nowhere."""
        written = {"at": event.at, "kind": type(event).__name__, "body": codec.dump(event)}
        self.connection.execute(_ADD_EVENT, written)
        self.events.append(event)

    def complete(self) -> None:
        """Write what was held back so that it is written at once; the last step before it is kept."""
        self.decisions.write()
        self._numbering.keep()

    def last_event_at(self) -> datetime | None:
        """When the newest thing happened that was written down."""
        return self.connection.execute(_LAST_EVENT_AT).scalar()

    def step_in(self, topic: str, destinations: Iterable[Destination]) -> None:
        """Let destinations show a topic that another cannot, where they do not show it already."""
        if self.outbox.step_in(topic, destinations):
            self.shown = True

    def show_anew(self, topic: str) -> None:
        """Let a topic be shown as it now is wherever it is shown already."""
        if self.outbox.changed(topic, ()):
            self.shown = True

    def answered(self, topic: str, destination: Destination, ref: Ref) -> None:
        """Note where an answer is shown that is edited later, once whatever stands at its place now is drawn anew."""
        self.outbox.answered(topic, destination, ref)
        self.shown = True

    def register(self, topic: str, destination: Destination, ref: Ref) -> None:
        """Note a message that shows a topic, where a crash lost it; it is brought up to date at once."""
        if self.outbox.register(topic, destination, ref):
            self.shown = True
