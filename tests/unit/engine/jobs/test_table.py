"""What is done when: the table of jobs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.domain.events import HaltEnded
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from engine.jobs.table import Job, job_table
from engine.strategies.context import StrategyContexts
from tests.fakes.engine import DAY, Room, at, signals
from tests.fakes.two_venues import two_venues


def table(room: Room) -> tuple[Job, ...]:
    return job_table(
        services=room.services,
        contexts=StrategyContexts(contexts=(room.context,)),
        deliberations=room.deliberations,
        approvals=room.approvals,
        books=room.books,
    )


def job(room: Room, name: str) -> Job:
    return next(each for each in table(room) if each.name == name)


def test_candles_come_before_answers_and_the_day_is_closed_last(room: Room):
    jobs = table(room)
    assert [(job.name, job.trigger is not None, job.alarm is not None) for job in jobs] == [
        ("halts", False, True),
        ("candle", True, False),
        ("panels", False, True),
        ("conclusions", False, True),
        ("second look", False, True),
        ("patience", False, True),
        ("slices", False, True),
        ("approvals", False, True),
        ("digest", True, False),
    ]


async def test_a_closed_candle_is_decided_on_and_then_the_books_are_closed(room: Room):
    room.script.entries[room.clock.now()] = signals(1.0)
    await job(room, "candle").run(room.clock.now())
    assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]
    (point,) = await room.views.equity_curve(5)
    assert point.at == room.clock.now()
    assert point.equity < 10_000  # the fee and the spread of what was just bought


async def test_an_order_in_doubt_is_settled_before_anything_is_decided(room: Room):
    room.venue.loses = "request"
    await room.enter()
    room.venue.loses = ""
    room.clock.to(DAY + 60)
    await job(room, "candle").run(room.clock.now())
    room.clock.to(DAY + 120)
    await job(room, "candle").run(room.clock.now())
    assert [status for _, status, _ in await room.orders()] == ["rejected"]


async def test_open_questions_run_out_at_their_own_time(room: Room):
    approvals = job(room, "approvals")
    assert approvals.alarm is not None
    assert await approvals.alarm() is None
    asked = await room.ask(minutes=15)
    assert await approvals.alarm() == at(DAY + 15)
    room.clock.to(DAY + 15)
    await approvals.run(at(DAY + 15))
    assert (await room.views.approval(asked.id)).approval.status == "expired"


async def test_a_pause_ends_at_its_own_time_and_not_at_the_next_candle(room: Room):
    halts = job(room, "halts")
    assert halts.alarm is not None
    assert await halts.alarm() is None
    await room.desk.pause(Person(name="Ann", role=Role.TRADER), at(DAY + 7))
    assert await halts.alarm() == at(DAY + 7)
    await halts.run(at(DAY + 7))
    assert await halts.alarm() is None
    assert await room.events(HaltEnded) == [HaltEnded(at=at(DAY + 7), halt_id="H1", kind=HaltKind.PAUSE)]


async def test_at_two_venues_each_has_its_own_jobs(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        contexts = StrategyContexts(contexts=two.contexts)
        jobs = job_table(
            services=two.room.services,
            contexts=contexts,
            deliberations=two.room.deliberations,
            approvals=two.room.approvals,
            books=two.room.books,
        )
        assert [job.name for job in jobs if job.venue == "other"] == [
            "candle at other",
            "conclusions at other",
            "second look at other",
            "patience at other",
            "slices at other",
        ]
        two.other.hangs = "submit"
        two.room.script.entries[two.room.clock.now()] = signals()
        candles = {job.venue: job.run(two.room.clock.now()) for job in jobs if job.name.startswith("candle")}
        slow = asyncio.create_task(candles["other"])
        await asyncio.wait_for(candles["paper"], 5)
        held = await two.room.held()
        assert ([position.venue for position in held], slow.done()) == (["paper"], False)
        two.other.answers.set()
        await slow
        assert len(await two.room.held()) == 2
