"""A platform in trouble is told once it is certain, and once that it is over; a flapping one makes no storm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from engine.domain.events import Event, PlatformRecovered, PlatformTroubled
from engine.domain.health import PlatformTrouble
from engine.outbox.platform_health import NEW_WORDS_AFTER, SAME_WITHIN, TROUBLED_AFTER, WELL_AFTER, PlatformWatch, Pulse
from engine.store.database import Database
from tests.fakes.database import new_database
from tests.fakes.engine import events_of
from tests.fakes.patience import until
from tests.fakes.reports import NOON

AWAY, TAKEN = "Telegram cannot be reached.", "Another program reads this bot's messages."


@dataclass
class Clock:
    """Market time that stands still, wall seconds moved by hand."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Scene:
    """A watch over two platforms that say what a test lets them say."""

    store: Database
    clock: Clock = field(default_factory=Clock)
    says: dict[str, str] = field(default_factory=lambda: {"telegram": "ok", "slack": "ok"})
    can_write: bool = True
    watch: PlatformWatch = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.watch = PlatformWatch(
            store=self.store,
            health={"telegram": lambda: self.says["telegram"], "slack": lambda: self.says["slack"]},
            clock=self.clock,
            can_write=lambda: self.can_write,
        )

    async def for_(self, seconds: float, telegram: str, *, step: float = 0.5) -> None:
        """Telegram says the same for so long, and is looked at all the while."""
        self.says["telegram"] = telegram
        until_ = self.clock.seconds + seconds
        while self.clock.seconds < until_:
            await self.watch.observe()
            self.clock.seconds += step
        await self.watch.observe()

    async def told(self) -> list[Event]:
        troubled = await events_of(self.store, PlatformTroubled)
        return [*troubled, *await events_of(self.store, PlatformRecovered)]

    async def trouble(self) -> PlatformTrouble | None:
        return await self.store.read(lambda uow: uow.troubles.newest("telegram"))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    store = new_database(tmp_path)
    yield Scene(store=store)
    await store.close()


async def test_a_blink_is_no_news(scene: Scene):
    await scene.for_(TROUBLED_AFTER - 1, AWAY)
    await scene.for_(60, "ok")
    assert await scene.told() == []


async def test_what_lasts_is_told_once_with_what_is_wrong(scene: Scene):
    await scene.for_(TROUBLED_AFTER, AWAY)
    await scene.for_(60, AWAY)
    assert await scene.told() == [PlatformTroubled(at=NOON, trouble_id="P1", platform="telegram", text=AWAY)]
    assert await scene.trouble() == PlatformTrouble(id="P1", platform="telegram", text=AWAY, since=NOON)
    assert scene.watch.troubled == {"telegram"}


async def test_its_end_is_told_once_when_it_has_been_well_for_a_while(scene: Scene):
    await scene.for_(TROUBLED_AFTER, AWAY)
    await scene.for_(WELL_AFTER - 1, "ok")
    assert len(await scene.told()) == 1
    await scene.for_(60, "ok")
    assert (await scene.told())[1:] == [PlatformRecovered(at=NOON, trouble_id="P1", platform="telegram")]
    found = await scene.trouble()
    assert found is not None
    assert found.ended_at == NOON
    assert scene.watch.troubled == frozenset()


async def test_a_second_poller_that_lets_every_other_poll_through_is_seen_as_one_trouble(scene: Scene):
    for _ in range(60):
        await scene.for_(1, TAKEN)
        await scene.for_(1, "ok")
    assert len(await scene.told()) == 1


async def test_a_platform_that_flaps_slowly_keeps_its_one_card_and_is_believed_less_each_time(scene: Scene):
    for _ in range(20):
        await scene.for_(TROUBLED_AFTER, AWAY)
        await scene.for_(WELL_AFTER + 5, "ok")
    told = await scene.told()
    assert {event.trouble_id for event in told} == {"P1"}
    assert len(told) <= 4


async def test_what_comes_back_much_later_is_a_new_trouble(scene: Scene):
    await scene.for_(TROUBLED_AFTER, AWAY)
    await scene.for_(WELL_AFTER, "ok")
    scene.clock.seconds += SAME_WITHIN
    await scene.for_(TROUBLED_AFTER, AWAY)
    assert {event.trouble_id for event in await scene.told()} == {"P1", "P2"}


async def test_new_words_are_told_but_not_often(scene: Scene):
    await scene.for_(TROUBLED_AFTER, AWAY)
    for _ in range(int(NEW_WORDS_AFTER)):
        await scene.for_(0.5, TAKEN)
        await scene.for_(0.5, AWAY)
    assert [event.text for event in await scene.told()] == [AWAY]
    await scene.for_(TROUBLED_AFTER + 1, TAKEN)
    assert [event.text for event in await scene.told()] == [AWAY, TAKEN]
    found = await scene.trouble()
    assert found is not None
    assert found.text == TAKEN


async def test_words_that_only_pass_while_a_trouble_ends_are_not_told(scene: Scene):
    await scene.for_(NEW_WORDS_AFTER + 10, AWAY)
    await scene.for_(TROUBLED_AFTER - 1, TAKEN)
    await scene.for_(WELL_AFTER, "ok")
    assert [type(event) for event in await scene.told()] == [PlatformTroubled, PlatformRecovered]


async def test_a_restart_in_the_middle_tells_nothing_twice_and_still_tells_the_end(scene: Scene):
    await scene.for_(TROUBLED_AFTER, AWAY)
    scene.restart()
    await scene.for_(60, AWAY)
    assert len(await scene.told()) == 1
    scene.restart()
    await scene.for_(60, "ok")
    assert len(await scene.told()) == 2


async def test_platforms_have_troubles_of_their_own(scene: Scene):
    scene.says["slack"] = "Slack is away."
    await scene.for_(TROUBLED_AFTER, AWAY)
    assert {event.platform for event in await scene.told()} == {"slack", "telegram"}
    assert {event.trouble_id for event in await scene.told()} == {"P1", "P2"}


async def test_running_it_looks_again_and_again(scene: Scene):
    scene.says["telegram"] = AWAY
    running = asyncio.create_task(scene.watch.run())
    await asyncio.sleep(0.1)
    scene.clock.seconds += TROUBLED_AFTER
    await until(lambda: bool(scene.watch.troubled))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_look_that_fails_is_not_the_last_one(scene: Scene):
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("a bug")
        return AWAY

    watch = PlatformWatch(store=scene.store, health={"telegram": ask}, clock=scene.clock)
    running = asyncio.create_task(watch.run())
    await until(lambda: len(asked) > 1)
    scene.clock.seconds += TROUBLED_AFTER
    await until(lambda: bool(watch.troubled))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_while_nothing_can_be_written_nothing_is_tried_and_afterwards_it_is_told(scene: Scene):
    scene.can_write = False
    await scene.for_(60, AWAY)
    assert await scene.told() == []
    scene.can_write = True
    await scene.for_(TROUBLED_AFTER, AWAY)
    assert len(await scene.told()) == 1


async def test_a_look_that_goes_on_failing_is_in_the_log_once(scene: Scene):
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        raise ValueError("a bug")

    watch = PlatformWatch(store=scene.store, health={"telegram": ask}, clock=scene.clock)
    with capture_logs() as logs:
        running = asyncio.create_task(watch.run())
        await until(lambda: len(asked) > 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert [each["event"] for each in logs] == ["the platforms' health was not looked at"]


@given(st.lists(st.sampled_from(["ok", AWAY]), min_size=1, max_size=80))
def test_nothing_is_certain_that_did_not_last(said: list[str]):
    """Sampled once a second: trouble needs a bad sample of so long ago, without calm since; calm only good ones."""
    pulse = Pulse()
    for second, text in enumerate(said):
        pulse.feel(text, second)
        recent = said[max(0, second - int(WELL_AFTER)) : second + 1]
        assert pulse.is_calm(second) == (len(recent) == WELL_AFTER + 1 and set(recent) == {"ok"})
        if pulse.is_troubled(second):
            assert text == AWAY
            assert AWAY in said[: second + 1 - int(TROUBLED_AFTER)]
