"""Every local day is fixed once: at any hour, in any zone, through changes of both, and late where it was missed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby, pairwise, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.books.bookkeeping import Bookkeeping
from engine.books.digests import figures
from engine.domain.approvals import Press, Verb
from engine.domain.days import Days
from engine.domain.decisions import Opinion, Verdict
from engine.domain.digests import MOST_TOLD, Digest
from engine.domain.events import DigestDue
from engine.domain.weeks import ends_week, week_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room, settled
from tests.fakes.examples import examples
from tests.fakes.feed import START
from tests.fakes.graded import close_trades
from tests.fakes.reports import digest as an_old_digest
from tests.fakes.reports import position

HOUR = timedelta(hours=1)
LATER = (*(QUIET,) * 25, (100, 111, 100, 110, 10_000), *((110, 110.5, 109.5, 110, 10_000),) * 60)
"""It rises once, more than a day after it began."""
DOWN = (*(QUIET,) * 26, (100, 100, 89, 90, 10_000), *((90, 91, 89, 90, 10_000),) * 60)
"""An hour in which a stop at 95 is hit: from two to three on the second day."""


def ending(books: Bookkeeping, at: str, zone: str = "UTC") -> Bookkeeping:
    """The same books where days end at another time, or somewhere else."""
    return replace(books, days=Days(at=time.fromisoformat(at), zone=ZoneInfo(zone)))


async def fixed(room: Room) -> list[Digest]:
    """Every day that was fixed, oldest first."""
    return list(reversed(await room.views.digests(10_000)))


@pytest.mark.parametrize("hourly", [True, False], ids=["as they end", "all at once"])
async def test_weeks_are_told_of_in_place_of_days_and_each_day_has_its_figures(tmp_path: Path, hourly: bool):  # noqa: FBT001
    """From a Friday on, so that the first week is a short one, over two Sundays."""
    async with engine_room(tmp_path, told_weekly=True) as room:
        begin = room.clock.now()
        await room.store.transact(lambda uow: uow.account.record_equity(begin))
        end = begin + timedelta(days=20)
        if hourly:
            await pass_days(room, room.books, begin, end)
        else:
            await room.books.digest(end)
        days, weeks = await fixed(room), [event.digest_id for event in await room.events(DigestDue)]
        told = [await room.views.digest(week) for week in weeks]
    assert len(days) == 20
    by_week = [list(own) for _, own in groupby(days, lambda day: week_of(date.fromisoformat(day.id)))]
    whole = [own for own in by_week if ends_week(date.fromisoformat(own[-1].id))]
    assert weeks == [week_of(date.fromisoformat(own[0].id)) for own in whole]
    assert [(each.begins, each.ends) for each in told] == [(own[0].begins, own[-1].ends) for own in whole]
    assert 2 <= len(weeks) <= 3


async def pass_days(room: Room, books: Bookkeeping, begin: datetime, end: datetime) -> None:
    """Do what is due, when it is due."""
    for day in books.days.after(begin):
        if day.ends > end:
            return
        await books.digest(day.ends)


@pytest.mark.parametrize(
    ("at_time", "zone", "first"),
    [
        ("00:00", "UTC", "2024-01-02"),
        ("18:00", "UTC", "2024-01-02"),
        ("00:01", "UTC", "2024-01-02"),
        ("18:00", "Asia/Tokyo", "2024-01-02"),
        ("05:00", "Asia/Kathmandu", "2024-01-03"),
        ("00:00", "America/New_York", "2024-01-01"),
        ("02:30", "Europe/Berlin", "2024-01-02"),
    ],
)
async def test_each_day_has_its_figures_at_any_hour_and_anywhere(room: Room, at_time: str, zone: str, first: str):
    books = ending(room.books, at_time, zone)
    await pass_days(room, books, at(DAY), at(DAY) + timedelta(days=40))
    found = await fixed(room)
    assert [day.id for day in found] == [
        (date.fromisoformat(first) + timedelta(days=number)).isoformat() for number in range(40)
    ]
    assert found[0].begins == at(DAY)
    assert all(before.ends == day.begins for before, day in pairwise(found))
    assert [event.digest_id for event in await room.events(DigestDue)] == [day.id for day in found]


async def test_days_that_were_missed_are_fixed_late_each_by_itself_and_people_are_told_of_the_newest(room: Room):
    await room.books.digest(at(3 * DAY))
    await room.books.digest(at(33 * DAY) + HOUR)
    found = await fixed(room)
    assert len(found) == 32
    assert [day.ends for day in found] == [at(number * DAY) for number in range(2, 34)]
    told = [event.digest_id for event in await room.events(DigestDue)]
    assert told == [found[0].id, found[1].id, *(day.id for day in found[-MOST_TOLD:])]
    await room.books.digest(at(33 * DAY) + HOUR)
    assert len(await fixed(room)) == 32


async def test_a_day_that_is_fixed_late_has_its_own_figures_and_not_those_of_now(tmp_path: Path):
    """The program was away when the day ended, and when the stop was hit after that."""
    async with engine_room(tmp_path, DOWN) as room:
        books = ending(room.books, "01:30")
        room.clock.to(DAY + 60)
        await room.enter(1.0, stop=5.0, target=50.0)
        await room.books.mark_to_market(at(DAY + 60))
        await room.books.record_equity(at(DAY + 60))
        (held,) = await room.held()
        on_time = await room.store.read(lambda uow: uow.account.portfolio())
        room.clock.to(DAY + 5 * 60)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        await books.digest(at(DAY + 5 * 60))
        (first,) = await fixed(room)
        assert (first.id, first.ends) == ("2024-01-02", at(DAY + 90))
        assert (first.opened, first.closed, first.realised) == (1, 0, 0)
        assert (first.open_positions, first.equity, first.fees) == (1, on_time.equity, held.fees)
        assert first.open_risk == held.quantity * (100 - held.stop)
        await room.books.record_equity(at(DAY + 6 * 60))
        await books.digest(at(2 * DAY + 90))
        (trade,) = await room.views.trades(1)
        second = (await fixed(room))[-1]
        assert (second.closed, second.realised, second.open_positions) == (1, trade.net, 0)
        assert first.net + second.net == trade.net == second.equity - CASH


async def test_what_was_filled_between_the_last_close_and_the_end_of_a_day_is_told_alike_everywhere(room: Room):
    await room.books.mark_to_market(at(DAY))
    await room.books.record_equity(at(DAY))
    room.clock.to(DAY + 10)
    approval = await room.ask()
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))
    books = ending(room.books, "00:30")
    await books.digest(at(DAY + 30))
    (day,) = await fixed(room)
    assert day.net != 0, "what it was bought for is not what the market was marked at"
    room.clock.to(DAY + 35)
    views = replace(room.views, days=books.days)
    told = await views.profit(2)
    before, today = told.days
    assert (before.net, before.equity, before.share) == (day.net, day.equity, day.share)
    assert today.net == (await views.status()).day_net == (await views.latest_digest()).net
    assert (await views.profit(1)).net == today.net
    assert before.net + today.net == told.net == told.days[-1].equity - CASH


async def test_what_was_filled_after_the_last_candle_is_in_the_day_that_it_was_filled_in(room: Room):
    await room.books.mark_to_market(at(DAY))
    await room.books.record_equity(at(DAY))
    room.clock.to(DAY + 10)
    approval = await room.ask()
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))
    await ending(room.books, "00:30").digest(at(DAY + 30))
    (day,) = await fixed(room)
    portfolio = await room.store.read(lambda uow: uow.account.portfolio())
    assert day.equity == portfolio.equity
    assert day.net == portfolio.equity - CASH != 0


async def test_a_database_of_before_goes_on_without_losing_a_day(room: Room):
    """Once days were named by their beginning, and at another time than midnight only the first was ever kept."""
    old = an_old_digest(id="2024-01-02", begins=at(DAY), ends=at(DAY) + 18 * HOUR, equity=CASH)
    await room.store.transact(lambda uow: uow.digests.add(old))
    await ending(room.books, "18:00").digest(at(9 * DAY))
    found = await fixed(room)
    assert [day.id for day in found] == [f"2024-01-{number:02}" for number in range(2, 10)]
    assert all(before.ends == day.begins for before, day in pairwise(found))


@pytest.mark.parametrize(
    ("then", "now", "names"),
    [
        (("18:00", "UTC"), ("20:00", "UTC"), ["2024-01-10", "2024-01-11", "2024-01-12"]),
        (("18:00", "UTC"), ("06:00", "UTC"), ["2024-01-10", "2024-01-11", "2024-01-12"]),
        (("00:00", "UTC"), ("18:00", "Asia/Tokyo"), ["2024-01-09", "2024-01-10", "2024-01-11"]),
        (("18:00", "Asia/Tokyo"), ("06:30", "America/New_York"), ["2024-01-10", "2024-01-11", "2024-01-12"]),
        (("06:30", "America/New_York"), ("00:00", "UTC"), ["2024-01-10", "2024-01-11", "2024-01-12"]),
    ],
)
async def test_the_end_of_the_day_can_be_set_anew_on_an_account_that_exists(
    room: Room, then: tuple[str, str], now: tuple[str, str], names: Sequence[str]
):
    changed = datetime(2024, 1, 10, 19, tzinfo=UTC)
    await pass_days(room, ending(room.books, *then), at(DAY), changed)
    last = (await fixed(room))[-1]
    await pass_days(room, ending(room.books, *now), changed, changed + timedelta(days=9))
    found = await fixed(room)
    place = found.index(last)
    assert [day.id for day in found[place : place + 3]] == names
    assert all(before.ends == day.begins for before, day in pairwise(found))


ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"),
    *("Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana"),
)
a_time = st.times().map(lambda found: found.replace(second=0, microsecond=0)) | st.just(time())
a_change = st.tuples(a_time, st.sampled_from(ZONES), st.integers(1, 9 * 24), st.booleans())
"""Days that end so, for so many hours, and whether the program is there meanwhile."""


@given(changes=st.lists(a_change, min_size=1, max_size=4), begin=st.integers(0, 364))
@examples(36)
def test_no_date_comes_twice_and_no_moment_is_lost_whatever_is_set(
    changes: list[tuple[time, str, int, bool]], begin: int
):
    with TemporaryDirectory() as folder:
        asyncio.run(_live_through(Path(folder), changes, START + timedelta(days=begin)))


async def _live_through(folder: Path, changes: list[tuple[time, str, int, bool]], now: datetime) -> None:
    async with engine_room(folder) as room:
        await room.store.transact(lambda uow: uow.settings.set("account.began", now.isoformat()))
        began, due = now, set[str]()
        for ends_at, zone, lasts, there in changes:
            books, begin, now = ending(room.books, f"{ends_at}", zone), now, now + lasts * HOUR
            if there:
                await books.digest(begin)
                await pass_days(room, books, begin, now)
            await books.digest(now)
            due |= {day.name for day in takewhile(lambda day: day.ends <= now, books.days.after(begin + 50 * HOUR))}  # noqa: B023
        found = await fixed(room)
        assert [day.id for day in found] == sorted({day.id for day in found})
        assert [day.begins for day in found] == [began, *(day.ends for day in found)][: len(found)]
        assert all(before.ends < day.ends for before, day in pairwise(found))
        assert due <= {day.id for day in found}, "two days after a change every date has come again"


async def test_a_day_is_told_of_once_with_its_figures(tmp_path: Path):
    async with engine_room(tmp_path, LATER) as room:
        await room.books.record_equity(at(DAY))
        room.clock.to(DAY + 60)
        await room.enter(1.0, stop=20.0, target=5.0)
        asked = [await room.ask(minutes=30, context="other") for _ in range(3)]
        await settled(room.approvals, asked[0].id, Press(person="Ann", verb=Verb.REJECT))
        room.clock.to(DAY + 120)
        await room.orchestrator.sync_venue_events()
        await room.approvals.advance_open()
        await room.books.mark_to_market(at(DAY + 120))
        await room.books.record_equity(at(DAY + 120))
        for _ in range(2):
            await room.books.digest(at(2 * DAY))
        digest = await room.views.digest("2024-01-02")
        (trade,) = await room.views.trades(5)
        assert trade.closed_by == "target"
        assert (digest.begins, digest.ends, digest.quote) == (at(DAY), at(2 * DAY), "USDT")
        assert (digest.opened, digest.closed, digest.won, digest.open_positions) == (1, 1, 1, 0)
        assert (digest.asked, digest.answered, digest.expired) == (3, 1, 2)
        assert digest.net == digest.realised == trade.net == digest.equity - CASH
        assert digest.fees == trade.fees
        assert digest.equity_curve == (CASH, CASH + trade.net)
        assert await room.events(DigestDue) == [DigestDue(at=at(2 * DAY), digest_id="2024-01-02")]


async def test_the_next_day_begins_where_the_last_one_ended(room: Room):
    for day in (2, 3):
        await room.books.digest(at(day * DAY))
    first, second = [await room.views.digest(name) for name in ("2024-01-02", "2024-01-03")]
    assert second.begins == first.ends == at(2 * DAY)


@pytest.mark.parametrize("begins", [None, at(DAY), at(DAY + 1)])
async def test_no_time_has_no_figures(room: Room, begins: datetime | None):
    def work(uow: UnitOfWork) -> Digest | None:
        uow.settings.set("account.began", begins.isoformat() if begins else "")
        return figures(uow, "2024-01-02", at(DAY))

    assert await room.store.read(work) is None


def test_what_is_at_risk_is_the_way_to_the_stop():
    held = position(quantity=Decimal(2), stop=Decimal(90))
    assert held.at_risk(Decimal(100)) == Decimal(20)
    assert held.at_risk(Decimal(80)) == 0
    assert position(quantity=Decimal(2), stop=None).at_risk(Decimal(100)) == Decimal(200)


async def test_a_day_grades_the_trades_that_a_panel_was_heard_on(room: Room):
    heard = (Opinion(agent="analyst", verdict=Verdict.APPROVE),)

    def work(uow: UnitOfWork) -> Digest | None:
        close_trades(uow, [(0.9, True), (0.6, False)], begin=at(DAY + 1), opinions=heard)
        close_trades(uow, [(0.1, True)], begin=at(DAY + 5))
        return figures(uow, "2026-01-02", at(DAY + 60))

    found = await room.store.transact(work)
    assert found is not None
    assert (found.graded, found.brier) == (2, pytest.approx((0.01 + 0.36) / 2))
    assert (found.graded_won, found.sure) == (1, pytest.approx(0.75))
