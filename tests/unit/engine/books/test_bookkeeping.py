"""The account at each close: marks, the curve, halts that come and go."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest

from engine.domain.events import Halted, HaltEnded
from engine.domain.halts import HaltKind
from engine.domain.market import Listing, Timeframe
from engine.domain.messages import Person, Role
from tests.fakes.engine import DAY, QUIET, Room, at, engine_room
from tests.fakes.feed import BTC

UP = (100, 111, 100, 110, 10_000)
ANN = Person(name="Ann", role=Role.TRADER)
RISING = (*(QUIET,) * 24, UP, *((110, 110.5, 109.5, 110, 10_000),) * 60)


async def mark(room: Room, price: str, minutes: float) -> None:
    """Value the market at a price, and put the account on the curve."""
    await room.store.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, at(minutes)))
    await room.books.record_equity(at(minutes))


async def test_the_market_is_marked_at_the_close_that_has_just_been(tmp_path: Path):
    async with engine_room(tmp_path, RISING) as room:
        await room.books.mark_to_market(at(DAY))
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(100)}
        room.clock.to(DAY + 60)
        await room.books.mark_to_market(at(DAY + 60))
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(110)}


async def test_a_market_that_no_context_trades_is_marked_while_something_is_held_of_it(room: Room):
    """Its context lost it: what is held of it is part of equity all the same."""
    books = replace(room.books, markets={}, idle={Listing("paper", "BTC/USDT"): Timeframe.H1})
    await books.mark_to_market(at(DAY))
    assert await room.store.read(lambda uow: uow.account.marks()) == {}
    await room.enter()
    await books.mark_to_market(at(DAY))
    assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(100)}


async def test_a_market_that_is_late_keeps_its_mark_until_its_close_is_there(tmp_path: Path):
    eth = replace(BTC, symbol="ETH/USDT")
    rows = {"BTC/USDT": RISING, "ETH/USDT": RISING}
    async with engine_room(tmp_path, rows, markets=(BTC, eth)) as room:
        books = replace(room.books, late_after=0.05)
        await books.mark_to_market(at(DAY))
        room.clock.to(DAY + 60)
        room.venue.hangs, room.venue.hangs_for = "candles", "ETH/USDT"
        await books.mark_to_market(at(DAY + 60))
        assert await room.store.read(lambda uow: uow.account.marks()) == {
            ("paper", "BTC/USDT"): Decimal(110),
            ("paper", "ETH/USDT"): Decimal(100),
        }
        room.venue.answers.set()
        async with asyncio.timeout(5):
            while set((await room.store.read(lambda uow: uow.account.marks())).values()) != {Decimal(110)}:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)


async def test_what_is_late_is_waited_for_no_longer_once_the_program_ends(tmp_path: Path):
    eth = replace(BTC, symbol="ETH/USDT")
    async with engine_room(tmp_path, {"BTC/USDT": RISING, "ETH/USDT": RISING}, markets=(BTC, eth)) as room:
        books = replace(room.books, late_after=0.05)
        room.venue.hangs, room.venue.hangs_for = "candles", "ETH/USDT"
        await books.mark_to_market(at(DAY))
        await books.stop()
        room.venue.answers.set()
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(100)}


async def test_a_close_of_another_time_marks_nothing(room: Room):
    await room.books.mark_to_market(at(DAY + 30))
    assert await room.store.read(lambda uow: uow.account.marks()) == {}


async def test_a_market_without_a_candle_is_left_as_it_was(tmp_path: Path):
    async with engine_room(tmp_path, minutes=30) as room:
        await room.books.mark_to_market(at(0))
        assert await room.store.read(lambda uow: uow.account.marks()) == {}


@pytest.mark.parametrize("close", [-5.0, 0.0, float("nan")])
async def test_a_bad_close_is_no_mark_and_the_others_go_on(tmp_path: Path, close: float):
    """One bad candle must damage neither the books nor what else is due."""
    bad = (*(QUIET,) * 24, (100, 100, 100, close, 10_000), *(QUIET,) * 5)
    async with engine_room(tmp_path, bad) as room:
        await room.books.mark_to_market(at(DAY))
        room.clock.to(DAY + 60)
        await room.books.mark_to_market(at(DAY + 60))
        await room.books.record_equity(at(DAY + 60))
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(100)}
        record = await room.cycle()
        assert record.decisions[0].decision.reasons[0].startswith("bad data: 1h:")
        assert [halted.kind for halted in await room.events(Halted)] == [HaltKind.DATA]
        room.clock.to(DAY + 120)
        await room.cycle()
        assert len(await room.events(HaltEnded)) == 1, "a bad candle that is not the newest is left out"


async def test_a_pause_ends_by_itself_when_its_time_is_over(room: Room):
    view = (await room.desk.pause(ANN, at(DAY + 60))).holds
    await room.books.end_halts(at(DAY + 59))
    assert await room.events(HaltEnded) == []
    await room.books.end_halts(at(DAY + 61))  # nobody looked at once
    assert await room.events(HaltEnded) == [HaltEnded(at=at(DAY + 60), halt_id=view.id, kind=HaltKind.PAUSE)]


async def test_a_pause_without_an_end_stays(room: Room):
    await room.desk.pause(ANN, None)
    await room.books.end_halts(at(DAY + 60 * 24 * 365))
    assert await room.events(HaltEnded) == []


async def test_a_fall_from_the_peak_pauses_entries_once(room: Room):
    await room.enter(1.0)
    await mark(room, "200", DAY + 60)
    await mark(room, "140", DAY + 120)
    await mark(room, "139", DAY + 180)
    (halted,) = await room.events(Halted)
    assert (halted.kind, halted.at) == (HaltKind.DRAWDOWN, at(DAY + 120))
    (found,) = await room.store.read(lambda uow: uow.halts.open())
    assert found.halt.until == at(DAY + 120) + timedelta(hours=48)


async def test_after_a_drawdown_pause_the_fall_still_counts_from_the_peak_and_is_not_paused_for_again(room: Room):
    await room.enter(1.0)
    await mark(room, "200", DAY + 60)
    await mark(room, "140", DAY + 120)
    before = await room.store.read(lambda uow: uow.account.portfolio())
    await room.books.end_halts(at(DAY + 120 + 48 * 60))
    assert await room.store.read(lambda uow: uow.account.portfolio().drawdown) == before.drawdown > Decimal("0.1")
    await mark(room, "139", DAY + 120 + 48 * 60)
    assert len(await room.events(Halted)) == len(await room.events(HaltEnded)) == 1


async def test_each_step_down_pauses_and_the_total_limit_ends_entries_whatever_restarts_come(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter(1.0)
    for hour, price in enumerate(("200", "140", "130", "129", "99", "98", "74", "73"), start=1):
        async with engine_room(tmp_path) as room:
            await mark(room, price, DAY + 60 * hour)
    async with engine_room(tmp_path) as room:
        await room.books.end_halts(at(DAY + 60 * 24 * 365))
        halts = [await room.views.halt(event.halt_id) for event in await room.events(Halted)]
    assert [(halt.halt.reason, halt.ended_at is None) for halt in halts] == [
        ("drawdown 12.0% has reached the limit of 10.0%", False),
        ("drawdown 20.2% has reached the limit of 20.0%", False),
        ("drawdown 25.2% has reached the total limit of 25.0%", True),
    ]


async def test_a_drawdown_that_was_made_good_pauses_again(room: Room):
    await room.enter(1.0)
    for hour, price in enumerate(("200", "140", "180", "152", "140"), start=1):
        await mark(room, price, DAY + 60 * hour)
    assert [halted.at for halted in await room.events(Halted)] == [at(DAY + 120), at(DAY + 300)]


@pytest.mark.parametrize("together", [False, True])
async def test_closes_recorded_together_are_as_each_by_itself_up_to_a_halt(room: Room, *, together: bool) -> None:
    """With a position, a peak that is passed, and a fall that calls for a pause."""
    btc = Listing("paper", "BTC/USDT")
    prices = [Decimal(each) for each in ("100", "104.5", "120", "119", "3", "4")]
    closes = {at(DAY + 60 * number): {btc: price} for number, price in enumerate(prices, start=1)}
    await room.enter()
    before, (held,) = await room.store.read(lambda uow: uow.account.portfolio()), await room.held()
    equity = [before.free_cash + held.quantity * price for price in prices[:5]]
    highest = list(accumulate([before.peak, *equity], max))[1:]
    if together:
        assert await room.store.transact(partial(room.books.record_closes, closes=closes)) == 4
    for when, price in list(closes.items())[4 * together : 5]:
        await room.store.transact(partial(room.books.record_close, at=when, closes=price))
    points, marks, halts = await room.store.read(
        lambda uow: (uow.curve.newest(9), uow.account.marks(), [found.halt.kind for found in uow.halts.open()])
    )
    assert [point.equity for point in points] == equity
    assert [point.drawdown for point in points] == [
        (high - now) / high for high, now in zip(highest, equity, strict=True)
    ]
    assert len(set(highest)) > 1
    assert (marks[btc], halts) == (Decimal(3), [HaltKind.DRAWDOWN])
