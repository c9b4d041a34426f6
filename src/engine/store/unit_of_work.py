"""One transaction, and everything that can be read or written within it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from engine.domain.adjustments import AdjusterNotice
from engine.domain.closing import TOPIC as CLOSING
from engine.domain.events import Event, PositionClosed, emergency_of, traded
from engine.domain.live import LiveNotice
from engine.domain.messages import Destination, Ref
from engine.domain.model_ledger import BudgetNotice
from engine.domain.transfers import PaymentNotice
from engine.domain.unmanaged import Ending
from engine.ports import Route
from engine.store import codec
from engine.store.account import Account
from engine.store.adjuster_modes import AdjusterModes
from engine.store.approvals import Approvals
from engine.store.capital import CapitalStages
from engine.store.chat import ChatMemory
from engine.store.closings import Closings
from engine.store.confirmations import Confirmations
from engine.store.curve import Curve
from engine.store.decisions import Decisions
from engine.store.deliberations import Deliberations
from engine.store.digests import Digests
from engine.store.halts import Halts
from engine.store.ledger import Ledger
from engine.store.memory import NoMemory
from engine.store.model_calls import ModelCalls
from engine.store.notices import Notices
from engine.store.numbering import Numbering
from engine.store.orders import Orders
from engine.store.outbox import Outbox, emergency_answer_topic
from engine.store.outcomes import Outcomes
from engine.store.policy_proposals import PolicyProposals
from engine.store.positions import Positions
from engine.store.predictions import Predictions
from engine.store.sentiment import SentimentHistory
from engine.store.settings import Settings
from engine.store.strangers import Strangers
from engine.store.streaks import Streaks
from engine.store.tables import EventRow, table_of
from engine.store.trading_states import TradingStates
from engine.store.troubles import Troubles
from engine.store.unmanaged import UnmanagedPositions
from engine.support.made_once import made_once

_EVENTS = table_of(EventRow)
_ADD_EVENT = insert(_EVENTS)
_LAST_EVENT_AT = select(func.max(_EVENTS.c.at))


class UnitOfWork:
    """What a transaction's body is given: its parts are made as they are asked for. All is kept, or nothing.

    Attributes:
        route: Where what happens is shown.
        shown: Whether an event of this transaction changes something that people see.
        events: What happened in it, in order.
        once_kept: What is to be done once all of it is kept, in order; where it is taken back, none of that.
    """

    def __init__(
        self,
        connection: Connection,
        route: Route,
        memory: NoMemory | None = None,
    ) -> None:
        self.connection = connection
        self.shown = False
        self.events: list[Event] = []
        self.once_kept: list[Callable[[], None]] = []
        self.route = route
        self._memory = memory or NoMemory()

    @made_once
    def outcomes(self) -> Outcomes:
        """What decisions came to."""
        return Outcomes(self.connection, self.decisions, self._memory)

    @made_once
    def settings(self) -> Settings:
        """Single values by name."""
        return Settings(self.connection, self._memory)

    @made_once
    def decisions(self) -> Decisions:
        """What was decided, and why."""
        return Decisions(self.connection, self._numbering, self._memory)

    @made_once
    def approvals(self) -> Approvals:
        """What people are asked."""
        return Approvals(self.connection, self._numbering, self._memory)

    @made_once
    def deliberations(self) -> Deliberations:
        """What panels think about."""
        return Deliberations(self.connection, self._memory)

    @made_once
    def orders(self) -> Orders:
        """Orders and their fills."""
        return Orders(self.connection, self._numbering, self._memory)

    @made_once
    def positions(self) -> Positions:
        """What is held, and was."""
        return Positions(self.connection, self._numbering, self._memory)

    @made_once
    def ledger(self) -> Ledger:
        """What is owned at each venue."""
        return Ledger(self.connection, self.settings, self.positions, self._memory)

    @made_once
    def curve(self) -> Curve:
        """The equity curve."""
        return Curve(self.connection, lambda: self.account.opening)

    @made_once
    def account(self) -> Account:
        """The account as a whole."""
        return Account(
            self.connection, self.settings, self.positions, self.ledger, self.curve, self.capital, self._memory
        )

    @made_once
    def digests(self) -> Digests:
        """Figures of days."""
        return Digests(self.connection)

    @made_once
    def halts(self) -> Halts:
        """What halts entries."""
        return Halts(self.connection, self._numbering, self._memory)

    @made_once
    def trading_states(self) -> TradingStates:
        """How far the bot may trade."""
        return TradingStates(self.connection)

    @made_once
    def capital(self) -> CapitalStages:
        """How much of the account may be used."""
        return CapitalStages(self.connection, self._memory)

    @made_once
    def confirmations(self) -> Confirmations:
        """What people are asked to confirm beside trades."""
        return Confirmations(self.connection, self._numbering)

    @made_once
    def chat(self) -> ChatMemory:
        """The web chat."""
        return ChatMemory(self.connection, self._numbering)

    @made_once
    def outbox(self) -> Outbox:
        """What is to be shown."""
        return Outbox(self.connection, self._numbering, self._memory)

    @made_once
    def sentiment(self) -> SentimentHistory:
        """What was said of coins."""
        return SentimentHistory(self.connection)

    @made_once
    def predictions(self) -> Predictions:
        """What was predicted of markets."""
        return Predictions(self.connection, self._memory)

    @made_once
    def troubles(self) -> Troubles:
        """What is not well."""
        return Troubles(self.settings, self._numbering)

    @made_once
    def strangers(self) -> Strangers:
        """Who is not known."""
        return Strangers(self.settings)

    @made_once
    def streaks(self) -> Streaks:
        """Losses in a row."""
        return Streaks(self.settings, self._numbering)

    @made_once
    def closings(self) -> Closings:
        """What is closed by hand."""
        return Closings(self.settings, self._numbering)

    @made_once
    def unmanaged(self) -> UnmanagedPositions:
        """What no strategy manages."""
        return UnmanagedPositions(self.settings, self._numbering)

    @made_once
    def model_calls(self) -> ModelCalls:
        """What language models were asked, and what that cost."""
        return ModelCalls(self.connection, self._numbering, self._memory)

    @made_once
    def model_budgets(self) -> Notices[BudgetNotice]:
        """What people were told of the caps on that; over with the period of the cap."""
        return Notices(
            settings=self.settings,
            prefix="model_budget.",
            kind=BudgetNotice,
            over_at=lambda each: each.cap.begins_anew(each.at),
        )

    @made_once
    def adjuster_notices(self) -> Notices[AdjusterNotice]:
        """What people were told of the policy that adjusts entries; over at once."""
        return Notices(settings=self.settings, prefix="adjuster.", kind=AdjusterNotice, over_at=lambda each: each.at)

    @made_once
    def live_notices(self) -> Notices[LiveNotice]:
        """What people were told at starts with real orders; over at once."""
        return Notices(settings=self.settings, prefix="live.", kind=LiveNotice, over_at=lambda each: each.at)

    @made_once
    def payment_notices(self) -> Notices[PaymentNotice]:
        """What people were told of deposits and withdrawals; over at once."""
        return Notices(settings=self.settings, prefix="payment.", kind=PaymentNotice, over_at=lambda each: each.at)

    @made_once
    def adjuster_modes(self) -> AdjusterModes:
        """How far the policy that adjusts entries goes, where that was set from chat."""
        return AdjusterModes(settings=self.settings)

    @made_once
    def policy_proposals(self) -> PolicyProposals:
        """Policies that were trained anew and proposed."""
        return PolicyProposals(settings=self.settings, numbering=self._numbering)

    @made_once
    def _numbering(self) -> Numbering:
        return Numbering(self.connection, self._memory)

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
        if "decisions" in self.__dict__:
            self.decisions.write()
        if "_numbering" in self.__dict__:
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
