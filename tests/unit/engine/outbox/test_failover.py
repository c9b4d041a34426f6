"""What must be seen soon is shown elsewhere where its own place cannot: once, and from then on kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.domain.events import ApprovalAsked, ApprovalChanged, Halted, Welcomed
from engine.domain.halts import HaltKind
from engine.domain.messages import Card, CardKind, Destination, Ref
from engine.outbox.failover import Failover
from engine.outbox.outbox import OutboxSender
from engine.ports import BadCard, Gone, RetryAt
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from handlers.topics import routes
from tests.fakes import reports
from tests.fakes.database import new_database
from tests.fakes.reports import NOON

ROOM, CHAT, CHANNEL = (
    Destination(platform="web", address="room"),
    Destination(platform="telegram", address="-100"),
    Destination(platform="slack", address="C1"),
)
PATIENCE = 10.0
"""Wall seconds before others step in."""
ASKED = ApprovalAsked(at=NOON, approval_id="A1")
ANSWERED = ApprovalChanged(at=NOON, approval_id="A1", status="ordered", by="Ann")


@dataclass
class Screen:
    """A platform that shows what it is given, while it can."""

    shown: dict[str, list[str]] = field(default_factory=dict)
    """The titles that each message has had, oldest first."""
    trouble: Exception | None = None

    async def put(self, _: Destination, card: Card, ref: Ref | None, _under: Ref | None = None) -> Ref:
        if self.trouble:
            raise self.trouble
        if ref is not None and ref.messages[0] not in self.shown:
            raise Gone("The message is gone.")
        name = ref.messages[0] if ref else f"m{len(self.shown) + 1}"
        self.shown.setdefault(name, []).append(card.title)
        return Ref(messages=(name,))

    @property
    def titles(self) -> list[list[str]]:
        return list(self.shown.values())


@dataclass
class Firm:
    """Three platforms on one outbox; only Telegram is told everything, the others some of it."""

    store: Database
    web: Screen = field(default_factory=Screen)
    telegram: Screen = field(default_factory=Screen)
    slack: Screen = field(default_factory=Screen)
    seconds: float = 0.0
    titles: dict[str, str] = field(default_factory=dict)
    troubled: set[str] = field(default_factory=set)
    failover: Failover = field(init=False)
    sender: OutboxSender = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process on what the last one left behind."""
        self.failover = Failover(
            store=self.store,
            places=(ROOM, CHAT, CHANNEL),
            is_urgent=lambda topic: not topic.startswith("welcome"),
            patience=PATIENCE,
            monotonic=lambda: self.seconds,
            troubled=lambda: self.troubled,
        )
        self.sender = OutboxSender(
            store=self.store,
            platforms={"web": self.web, "telegram": self.telegram, "slack": self.slack},
            render=self.render,
            is_urgent=lambda _: True,
            monotonic=lambda: self.seconds,
            on_refused=self.failover.move,
        )

    async def render(self, topic: str) -> Card:
        return Card(title=self.titles.get(topic, topic), topic=topic)

    async def happens(self, event: object, title: str = "") -> None:
        for topic in routes({CHAT: tuple(CardKind)})(event):
            self.titles[topic] = title or topic
        await self.store.transact(lambda uow: uow.emit(event))

    async def pass_(self, seconds: float) -> None:
        """So many seconds pass; then whoever may have something to do does it."""
        self.seconds += seconds
        await self.sender.flush()
        await self.failover.observe()
        await self.sender.flush()


@pytest.fixture
async def firm(tmp_path: Path) -> AsyncIterator[Firm]:
    store = new_database(tmp_path, route=routes({CHAT: tuple(CardKind)}))
    yield Firm(store=store)
    await store.close()


async def test_what_its_own_platform_shows_goes_nowhere_else(firm: Firm):
    await firm.happens(ASKED)
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    assert (firm.telegram.titles, firm.slack.titles, firm.web.titles) == ([["approval:A1"]], [], [])


async def test_what_its_platform_cannot_show_in_time_is_shown_by_the_others_once(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ASKED)
    await firm.pass_(0)
    await firm.pass_(PATIENCE - 0.1)
    assert (firm.slack.titles, firm.web.titles) == ([], [])
    await firm.pass_(0.1)
    await firm.pass_(PATIENCE)
    assert (firm.slack.titles, firm.web.titles) == ([["approval:A1"]], [["approval:A1"]])


async def test_later_changes_are_shown_on_both_and_the_platform_catches_up_when_it_is_back(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ASKED, "asked")
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    firm.telegram.trouble = None
    await firm.pass_(1)
    await firm.happens(ANSWERED, "answered")
    await firm.pass_(1)
    assert firm.telegram.titles == firm.slack.titles == firm.web.titles == [["asked", "answered"]]


async def test_the_answer_to_what_was_never_shown_there_is_shown_as_it_is_by_then(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ASKED, "asked")
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    await firm.happens(ANSWERED, "answered")
    await firm.pass_(1)
    firm.telegram.trouble = None
    await firm.pass_(1)
    assert (firm.telegram.titles, firm.slack.titles) == ([["answered"]], [["asked", "answered"]])


async def test_what_is_not_urgent_waits_for_its_platform(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(Welcomed(at=NOON))
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    assert (firm.slack.titles, firm.web.titles) == ([], [])
    firm.telegram.trouble = None
    await firm.pass_(1)
    assert firm.telegram.titles == [["welcome:1"]]


async def test_an_edit_that_cannot_be_made_moves_nothing(firm: Firm):
    await firm.happens(ASKED, "asked")
    await firm.pass_(0)
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ANSWERED, "answered")
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    assert (firm.slack.titles, firm.web.titles) == ([], [])


async def test_a_card_that_its_platform_never_takes_is_shown_by_the_others_at_once(firm: Firm):
    firm.telegram.trouble = BadCard("Too many buttons.")
    await firm.happens(ASKED)
    await firm.pass_(0)
    assert (firm.telegram.titles, firm.slack.titles, firm.web.titles) == ([], [["approval:A1"]], [["approval:A1"]])


async def test_where_all_are_down_each_shows_it_when_it_is_back(firm: Firm):
    for screen in (firm.web, firm.telegram, firm.slack):
        screen.trouble = RetryAt(1)
    await firm.happens(Halted(at=NOON, halt_id="H1", kind=HaltKind.DATA))
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    for screen in (firm.web, firm.telegram, firm.slack):
        screen.trouble = None
    await firm.pass_(1)
    assert firm.telegram.titles == firm.slack.titles == firm.web.titles == [["halt:H1"]]


async def test_a_restart_before_and_after_the_others_stepped_in_loses_and_doubles_nothing(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ASKED)
    await firm.pass_(PATIENCE - 1)
    firm.restart()
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    firm.restart()
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    assert (firm.slack.titles, firm.web.titles) == ([["approval:A1"]], [["approval:A1"]])


async def test_what_waits_for_a_place_that_is_no_longer_set_up_moves_nowhere(firm: Firm):
    gone = Destination(platform="telegram", address="-999")
    await firm.store.transact(lambda uow: uow.outbox.want("halt:H1", gone))
    firm.telegram.trouble = RetryAt(1)
    await firm.pass_(0)
    await firm.pass_(PATIENCE)
    assert (firm.slack.titles, firm.web.titles) == ([], [])


async def ask(firm: Firm) -> None:
    """Put a question that stays open, and let its card be shown."""

    def work(uow: UnitOfWork) -> None:
        own = reports.decision(id=uow.decisions.next_id(), key="key")
        uow.decisions.add(reports.judged(decision=own))
        uow.approvals.add(reports.asked(id=uow.approvals.next_id(), decision_id=own.id))
        uow.emit(ASKED)

    await firm.store.transact(work)
    await firm.pass_(0)


async def test_an_open_question_on_a_platform_in_trouble_can_be_answered_elsewhere_too(firm: Firm):
    await ask(firm)
    assert firm.slack.titles == []
    firm.troubled.add("telegram")
    await firm.pass_(0)
    await firm.pass_(1)
    assert firm.telegram.titles == firm.slack.titles == firm.web.titles == [["approval:A1"]]


async def test_a_question_that_is_put_while_its_platform_is_in_trouble_is_shown_elsewhere_at_once(firm: Firm):
    firm.troubled.add("telegram")
    await ask(firm)
    assert firm.telegram.titles == firm.slack.titles == [["approval:A1"]]


async def test_the_trouble_of_a_platform_that_does_not_show_it_moves_no_question(firm: Firm):
    firm.troubled.add("slack")
    await ask(firm)
    assert (firm.telegram.titles, firm.slack.titles) == ([["approval:A1"]], [])


async def test_running_it_looks_again_while_something_waits(firm: Firm):
    firm.telegram.trouble = RetryAt(1)
    await firm.happens(ASKED)
    running = asyncio.create_task(firm.failover.run())
    await asyncio.sleep(0.1)
    firm.seconds = PATIENCE

    async def moved() -> bool:
        return await firm.store.read(lambda uow: uow.outbox.shows("approval:A1", "slack"))

    async with asyncio.timeout(20):
        while not await moved():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
