"""Every destination shows what it should, in order, through outages and crashes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.domain.events import Welcomed
from engine.domain.messages import Card, CardKind, Destination, Ref
from engine.outbox.outbox import EDITS_APART, REST_AFTER_SURPRISE, OutboxSender
from engine.ports import BadCard, Gone, RetryAt
from engine.store.database import PRECEDENCE_FOR, Database
from handlers.topics import routes
from tests.fakes.database import new_database
from tests.fakes.patience import until
from tests.fakes.reports import NOON

ROOM, CHAT, OTHER = (
    Destination(platform="web", address="room"),
    Destination(platform="telegram", address="-100"),
    Destination(platform="telegram", address="-200"),
)


@dataclass
class Wall:
    """A wall clock of seconds, moved by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Screen:
    """A platform that remembers its messages; a test says what goes wrong next, by address."""

    name: str = "web"
    messages: dict[str, str] = field(default_factory=dict)
    """What every message shows now, by its name."""
    put_log: list[tuple[str, str, bool]] = field(default_factory=list)
    """Address, title, and whether it was an edit, in order."""
    troubles: dict[str, list[Exception]] = field(default_factory=dict)
    threads: list[str] = field(default_factory=list)
    """Under which message each put was to stand."""
    gate: asyncio.Event | None = None
    """Where there is one, nothing is shown before it is set."""

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:
        self.threads.append(under.messages[0] if under else "")
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        if self.troubles.get(to.address):
            raise self.troubles[to.address].pop(0)
        if ref is not None and ref.messages[0] not in self.messages:
            raise Gone("The message is gone.")
        name = ref.messages[0] if ref else f"m{len(self.messages) + 1}"
        self.messages[name] = card.title
        self.put_log.append((to.address, card.title, ref is not None))
        return Ref(messages=(name,))

    @property
    def titles(self) -> list[str]:
        return [title for _, title, _ in self.put_log]


@dataclass
class Bench:
    """A sender between a real database and screens."""

    store: Database
    web: Screen = field(default_factory=Screen)
    telegram: Screen = field(default_factory=lambda: Screen(name="telegram"))
    wall: Wall = field(default_factory=Wall)
    topics: dict[str, str | None] = field(default_factory=dict)
    """What a topic looks like now; ``None`` where there is nothing to show."""
    threads: dict[str, str] = field(default_factory=dict)
    """The topic under which another belongs."""
    sender: OutboxSender = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new sender on what the last one left behind."""
        self.sender = OutboxSender(
            store=self.store,
            platforms={"web": self.web, "telegram": self.telegram},
            render=self.render,
            is_urgent=lambda topic: topic.startswith("approval:"),
            monotonic=self.wall,
            edits_apart={"web": EDITS_APART},
            on_refused=lambda uow, topic: uow.outbox.want(f"refused:{topic}", ROOM),
        )

    async def render(self, topic: str) -> Card | None:
        title = self.topics.get(topic, topic)
        return Card(title=title, thread=self.threads.get(topic, "")) if title is not None else None

    async def want(self, topic: str, *places: Destination) -> None:
        for place in places or (ROOM,):
            await self.store.transact(lambda uow, place=place: uow.outbox.want(topic, place))

    async def due(self) -> list[str]:
        return [showing.topic for showing in await self.store.read(lambda uow: uow.outbox.due())]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    store = new_database(tmp_path)
    yield Bench(store=store)
    await store.close()


async def test_what_is_wanted_is_shown_and_then_left_alone(bench: Bench):
    await bench.want("approval:A1")
    assert await bench.sender.flush() == 0
    assert await bench.sender.flush() == 0
    assert bench.web.put_log == [("room", "approval:A1", False)]


async def test_what_changed_is_edited_in_place(bench: Bench):
    for title in ("asked", "answered"):
        bench.topics["approval:A1"] = title
        await bench.want("approval:A1")
        await bench.sender.flush()
    assert bench.web.messages == {"m1": "answered"}
    assert bench.web.put_log == [("room", "asked", False), ("room", "answered", True)]


async def test_what_changes_several_times_at_once_is_edited_at_once_and_then_as_it_ends(bench: Bench):
    for title in ("asked", "checked", "sent", "filled"):
        bench.topics["approval:A1"] = title
        await bench.want("approval:A1")
        await bench.sender.flush()
    assert bench.web.put_log == [("room", "asked", False), ("room", "checked", True)]
    await bench.want("trade:T1")
    await bench.sender.flush()
    assert bench.web.put_log[2:] == [("room", "trade:T1", False)], "other cards do not wait for it"
    bench.wall.seconds += EDITS_APART
    assert await bench.sender.flush() == 0
    assert bench.web.put_log[3:] == [("room", "filled", True)]


async def test_each_destination_gets_everything_in_the_order_it_came_up(bench: Bench):
    for topic in ("approval:A1", "trade:T1", "halt:H1", "closed:T1"):
        await bench.want(topic, ROOM, CHAT)
    await bench.sender.flush()
    assert bench.web.titles == bench.telegram.titles == ["approval:A1", "trade:T1", "halt:H1", "closed:T1"]


async def test_who_wants_a_rest_gets_it_and_holds_up_no_other(bench: Bench):
    bench.telegram.troubles["-100"] = [RetryAt(30)]
    for topic in ("approval:A1", "trade:T1"):
        await bench.want(topic, ROOM, CHAT, OTHER)
    assert await bench.sender.flush() == 2
    assert bench.web.titles == ["approval:A1", "trade:T1"]
    assert [address for address, *_ in bench.telegram.put_log] == ["-200", "-200"]
    bench.wall.seconds = 29.9
    assert await bench.sender.flush() == 2
    bench.wall.seconds = 30
    assert await bench.sender.flush() == 0
    assert [title for address, title, _ in bench.telegram.put_log if address == "-100"] == ["approval:A1", "trade:T1"]


async def test_changes_during_an_outage_are_shown_once_as_things_are_now(bench: Bench):
    bench.web.troubles["room"] = [RetryAt(60)]
    await bench.want("approval:A1")
    await bench.sender.flush()
    for title in ("voted", "claimed", "ordered"):
        bench.topics["approval:A1"] = title
        await bench.want("approval:A1")
    bench.wall.seconds = 60
    assert await bench.sender.flush() == 0
    assert bench.web.put_log == [("room", "ordered", False)]


async def test_a_message_that_is_gone_is_sent_anew(bench: Bench):
    await bench.want("approval:A1")
    await bench.sender.flush()
    bench.web.messages.clear()
    await bench.want("approval:A1")
    assert await bench.sender.flush() == 0
    assert [edited for *_, edited in bench.web.put_log] == [False, False]
    await bench.want("approval:A1")
    bench.wall.seconds += EDITS_APART
    await bench.sender.flush()
    assert bench.web.put_log[-1] == ("room", "approval:A1", True)


async def test_a_card_the_platform_never_takes_is_given_up_and_the_next_one_goes_on(bench: Bench):
    bench.web.troubles["room"] = [BadCard("Too many buttons.")]
    await bench.want("approval:A1")
    await bench.want("trade:T1")
    assert await bench.sender.flush() == 0
    assert bench.web.titles == ["trade:T1", "refused:approval:A1"]


async def test_a_topic_without_anything_to_show_is_done(bench: Bench):
    bench.topics["approval:A1"] = None
    await bench.want("approval:A1")
    assert await bench.sender.flush() == 0
    assert bench.web.put_log == []


async def test_an_error_nobody_foresaw_is_survived_and_tried_again_later(bench: Bench):
    bench.web.troubles["room"] = [OSError("the network is unreachable")]
    await bench.want("approval:A1")
    assert await bench.sender.flush() == 1
    bench.wall.seconds = REST_AFTER_SURPRISE
    assert await bench.sender.flush() == 0
    assert bench.web.titles == ["approval:A1"]


async def test_places_on_platforms_that_are_switched_off_wait_without_holding_up_the_others(bench: Bench):
    await bench.want("approval:A1", Destination(platform="slack", address="C1"), ROOM)
    assert await bench.sender.flush() == 0
    assert bench.web.titles == ["approval:A1"]
    assert await bench.due() == ["approval:A1"]


async def test_a_crash_after_showing_shows_once_more_and_from_then_on_edits(bench: Bench):
    """The ref of the first message is lost; the second one is the one that is kept up to date."""
    await bench.want("approval:A1")
    (showing,) = await bench.store.read(lambda uow: uow.outbox.due())
    await bench.web.put(showing.destination, Card(title="approval:A1"), showing.ref)
    bench.restart()
    await bench.sender.flush()
    bench.topics["approval:A1"] = "answered"
    await bench.want("approval:A1")
    await bench.sender.flush()
    assert bench.web.messages == {"m1": "approval:A1", "m2": "answered"}


async def test_a_press_on_a_lost_message_brings_it_up_to_date_in_place(bench: Bench):
    await bench.want("approval:A1")
    lost = await bench.web.put(ROOM, Card(title="asked"), None)
    bench.topics["approval:A1"] = "answered"
    await bench.store.transact(lambda uow: uow.register("approval:A1", ROOM, lost))
    await bench.sender.flush()
    assert bench.web.messages == {"m1": "answered"}


async def test_a_card_that_needs_fewer_messages_than_before_is_edited_once(bench: Bench):
    await bench.want("trade:T1")
    await bench.sender.flush()
    (known,) = await bench.store.read(lambda uow: [uow.outbox.ref("trade:T1", ROOM)])
    assert known is not None
    split = Ref(messages=(*known.messages, "m9"))
    await bench.want("trade:T1")
    (showing,) = await bench.store.read(lambda uow: uow.outbox.due())
    await bench.store.transact(lambda uow: uow.outbox.sent(showing, split))
    await bench.want("trade:T1")
    bench.wall.seconds += 1
    assert await bench.sender.flush() == 0
    assert await bench.store.read(lambda uow: uow.outbox.ref("trade:T1", ROOM)) == known


async def test_a_message_that_is_noted_while_another_is_sent_is_put_right_too(bench: Bench):
    bench.web.gate = asyncio.Event()
    await bench.store.transact(lambda uow: uow.outbox.answer("closing:C1", ROOM))
    await bench.want("closing:C1")
    sending = asyncio.create_task(bench.sender.flush())
    await until(lambda: bench.web.threads)
    await bench.store.transact(lambda uow: uow.answered("closing:C1", ROOM, Ref(messages=("m7",))))
    bench.web.gate.set()
    await sending
    assert bench.web.put_log == [("room", "closing:C1", False), ("room", "closing:C1", True)]
    assert await bench.due() == []


async def test_a_restart_goes_on_where_the_last_run_stopped(bench: Bench):
    bench.web.troubles["room"] = [RetryAt(1000)]
    await bench.want("approval:A1")
    await bench.sender.flush()
    bench.restart()
    assert await bench.sender.flush() == 0
    assert bench.web.titles == ["approval:A1"]


async def test_running_it_shows_what_happens_and_comes_back_after_a_rest(tmp_path: Path):
    store = new_database(tmp_path, route=routes({ROOM: tuple(CardKind)}))
    bench = Bench(store=store)
    bench.web.troubles["room"] = [RetryAt(0.01), RetryAt(0.01)]
    bench.sender = OutboxSender(
        store=store,
        platforms={"web": bench.web},
        render=bench.render,
        is_urgent=lambda _: False,
        monotonic=time.monotonic,
        on_refused=lambda *_: None,
    )
    running = asyncio.create_task(bench.sender.run())
    await store.transact(lambda uow: uow.emit(Welcomed(at=NOON)))
    await until(lambda: bool(bench.web.titles))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.web.titles == ["welcome:1"]
    await store.close()


async def test_a_question_overtakes_what_waits_and_the_rest_keeps_its_order(bench: Bench):
    for topic in ("digest:1", "trade:T1", "approval:A1", "closed:T1"):
        await bench.want(topic)
    await bench.sender.flush()
    assert bench.web.titles == ["approval:A1", "digest:1", "trade:T1", "closed:T1"]


async def test_a_platform_that_takes_its_time_holds_up_no_other(bench: Bench):
    bench.telegram.gate = asyncio.Event()
    await bench.want("digest:1", CHAT, ROOM)
    sending = asyncio.create_task(bench.sender.flush())
    await until(lambda: bench.web.titles == ["digest:1"])
    assert bench.telegram.titles == []
    bench.telegram.gate.set()
    await sending
    assert bench.telegram.titles == ["digest:1"]


async def test_a_card_goes_under_that_of_its_thread_at_the_same_destination(bench: Bench):
    bench.threads = {"closed:T1": "approval:A1", "trade:T2": "approval:A9"}
    for topic in ("approval:A1", "closed:T1", "trade:T2"):
        await bench.want(topic, ROOM, CHAT)
    assert await bench.sender.flush() == 0
    assert bench.web.threads == ["", "m1", ""]
    assert bench.telegram.threads == ["", "m1", ""]


async def test_a_card_sent_anew_keeps_its_thread(bench: Bench):
    bench.threads = {"trade:T1": "approval:A1"}
    await bench.want("approval:A1")
    await bench.want("trade:T1")
    await bench.sender.flush()
    del bench.web.messages["m2"]
    await bench.want("trade:T1")
    await bench.sender.flush()
    assert bench.web.threads == ["", "m1", "m1", "m1"]


async def test_a_card_is_put_once_people_who_ask_have_been_answered(bench: Bench):
    await bench.want("trade:T1")
    answered = bench.store.take_precedence()
    showing = asyncio.create_task(bench.sender.flush())
    await asyncio.sleep(PRECEDENCE_FOR / 5)
    assert bench.web.titles == []
    answered()
    await showing
    assert bench.web.titles == ["trade:T1"]


async def test_a_card_does_not_wait_for_ever_for_people_who_ask(bench: Bench):
    await bench.want("trade:T1")
    bench.store.take_precedence()
    await asyncio.wait_for(bench.sender.flush(), 5)
    assert bench.web.titles == ["trade:T1"]
