"""Entries in slices: judged one by one, protected from the first on, given up with a reason, right over a crash."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.confirmations import CancelWish, Consent
from engine.domain.errors import VenueError
from engine.domain.events import SlicesEnded
from engine.domain.messages import Person, Role
from engine.domain.orders import Order, OrderStatus, Purpose
from engine.domain.plans import Slicing
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import agree, reconcile
from engine.flow.slicing import Slices
from engine.risk.limits import RiskLimits
from handlers.cards import alerts, orders, why
from tests.fakes.engine import CASH, DAY, QUIET, Room, engine_room, settled
from tests.fakes.feed import START
from tests.fakes.program import Files

ADA = Person(name="Ada", role=Role.TRADER)
EVERY = timedelta(minutes=5)
FOUR = Slicing(most=4, every=EVERY, twap=True)
"""All of four slices, five minutes apart."""
THIN = (100, 101, 99, 100, 40)
"""A candle whose book takes little at once."""
LARGE = RiskLimits(max_position=Decimal("0.5"), max_slippage=Decimal("0.001"), risk_per_trade=Decimal("0.01"))


@asynccontextmanager
async def room_with(folder: Path, slicing: Slicing = FOUR, candle=QUIET, minutes: float = DAY) -> AsyncIterator[Room]:
    """A room whose context buys in slices; every candle is alike."""
    async with engine_room(folder, (candle,) * 60, minutes=minutes, limits=LARGE) as room:
        room.context = replace(room.context, slicing=slicing)
        yield room


async def on_time(room: Room, minutes: float) -> None:
    """Let market time pass, as the job that sends slices does."""
    room.clock.to(minutes)
    await room.orchestrator.sync_venue_events()
    slices = Slices(services=room.services)
    due = await slices.next_due(room.venue.name)
    if due is not None and due <= room.clock.now():
        await slices.send_due(room.venue.name)


async def all_of_them(room: Room, until: float = DAY + 60) -> None:
    """Let each minute up to a time pass, from now on."""
    now = int((room.clock.now() - START) / timedelta(minutes=1))
    for minute in range(now, int(until) + 1):
        await on_time(room, minute)


async def entries(room: Room) -> list[Order]:
    return [each for each in reversed(await room.views.orders(99)) if each.purpose is Purpose.ENTRY]


async def is_protected(room: Room) -> bool:
    """Whether one open OCO covers all that is held."""
    (held,) = await room.held()
    orders = await room.store.read(lambda uow: uow.orders.of_position(held.id))
    standing = [each for each in orders if each.purpose is Purpose.PROTECTION and not each.status.final]
    return [each.rest for each in standing] == [held.quantity]


async def agreed(room: Room, folder: Path) -> None:
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert Files(folder=folder).complaints() == []


async def planned(room: Room) -> Decimal:
    """What the rules of risk left of the whole trade."""
    first = (await entries(room))[0]
    return first.request.quantity + (first.to_follow or Decimal(0))


async def test_it_is_bought_in_its_slices_and_protected_from_the_first_on(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        whole = await planned(room)
        for slot in range(4):
            await on_time(room, DAY + 5 * slot)
            found = await entries(room)
            assert len(found) == slot + 1, "one a turn"
            assert await is_protected(room)
            await on_time(room, DAY + 5 * slot + 4)
            assert len(await entries(room)) == slot + 1, "and not before it"
        assert {each.status for each in found} == {OrderStatus.FILLED}
        sizes = [each.request.quantity for each in found]
        assert max(sizes) - min(sizes) <= Decimal("0.002"), "all alike"
        assert sum(sizes) <= whole < sum(sizes) + Decimal("0.01")
        (held,) = await room.held()
        assert held.quantity == sum(sizes)
        assert [each.follows_at for each in found] == [None] * 4
        await agreed(room, tmp_path)


async def test_what_the_book_takes_at_once_is_bought_at_once(tmp_path: Path):
    async with room_with(tmp_path, replace(FOUR, twap=False)) as room:
        await room.enter()
        (order,) = await entries(room)
        assert (order.to_follow, order.follows_at) == (None, None)


async def test_a_slice_is_what_the_book_takes_and_together_they_buy_more_than_it_takes_at_once(tmp_path: Path):
    async with room_with(tmp_path, replace(FOUR, twap=False), THIN) as room:
        await room.enter()
        await all_of_them(room)
        found = await entries(room)
        assert 1 < len(found) <= 4
        assert all((each.average or 0) <= each.price * Decimal("1.001") for each in found), "each within the slippage"
        (held,) = await room.held()
        assert held.quantity == sum(each.filled for each in found) > found[0].filled
        await agreed(room, tmp_path)


async def test_a_slice_is_at_most_its_share_of_the_book(tmp_path: Path):
    sizes = []
    for share in ("1", "0.5"):
        async with room_with(tmp_path / share, replace(FOUR, twap=False, book_share=Decimal(share)), THIN) as room:
            await room.enter()
            sizes.append((await entries(room))[0].request.quantity)
    assert abs(sizes[1] - sizes[0] / 2) <= Decimal("0.001")


async def test_a_slice_is_at_most_its_share_of_what_the_market_trades_meanwhile(tmp_path: Path):
    slicing = Slicing(most=4, every=timedelta(hours=1), volume_share=Decimal("0.001"))
    async with room_with(tmp_path, slicing) as room:
        await room.enter()
        first = (await entries(room))[0]
        assert 9 < first.request.quantity <= 10 < await planned(room)


async def test_a_pause_stops_what_follows_and_says_so(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        first = (await entries(room))[0]
        await room.desk.pause(ADA, room.clock.now() + timedelta(minutes=2))
        await on_time(room, DAY + 1)
        (order,) = await entries(room)
        assert order.follows_at is None, "at once, not only in its turn"
        assert order.reason.startswith(f"{first.to_follow} BTC that were to follow are not bought: paused by Ada")
        await all_of_them(room)
        assert len(await entries(room)) == 1, "also when the pause is over"
        assert await is_protected(room)
        await agreed(room, tmp_path)


async def test_nothing_follows_once_the_position_is_being_left(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        (held,) = await room.held()
        await room.orchestrator.sell(held.id)
        await all_of_them(room)
        assert await room.held() == ()
        (order,) = await entries(room)
        assert order.reason.endswith(f"{held.id} has been sold of")
        await agreed(room, tmp_path)


async def test_nothing_follows_once_the_price_has_left_what_was_decided_on(tmp_path: Path):
    rise = (100, 102, 100, 102, 10_000)
    async with engine_room(tmp_path, (*(QUIET,) * 24, rise, *(QUIET,) * 30), limits=LARGE) as room:
        room.context = replace(room.context, slicing=replace(FOUR, every=timedelta(minutes=20)))
        await room.enter()
        await all_of_them(room)
        found = await entries(room)
        assert len(found) < 4
        assert "the price moved by +" in found[-1].reason
        await agreed(room, tmp_path)


async def test_a_turn_without_a_price_is_let_pass_and_the_rest_is_bought_in_those_left(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        room.venue.deaf = VenueError("The venue answers 503.")
        await on_time(room, DAY + 5)
        (order,) = await entries(room)
        assert order.reason == "the next slice waits for its next turn: no fresh price: The venue answers 503."
        room.venue.deaf = None
        whole = await planned(room)
        await all_of_them(room)
        sizes = [each.filled for each in await entries(room)]
        assert len(sizes) == 3
        assert whole - sum(sizes) < Decimal("0.01")


async def test_who_slept_through_the_turns_buys_nothing_late(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        await on_time(room, DAY + 50)
        (order,) = await entries(room)
        assert "are not bought: its turn was 2700 s ago" in order.reason
        await agreed(room, tmp_path)


async def test_a_lost_answer_is_waited_for_before_the_next_slice(tmp_path: Path):
    async with room_with(tmp_path) as room:
        room.venue.loses = "request"
        await room.enter()
        room.venue.loses = ""
        whole = await planned(room)
        await on_time(room, DAY + 5)
        (order,) = await entries(room)
        assert order.status is OrderStatus.UNKNOWN
        assert order.reason.endswith("it is not known yet what became of O1")
        await room.orchestrator.resolve_unknown_orders()
        await on_time(room, DAY + 6)
        await room.orchestrator.resolve_unknown_orders()
        await all_of_them(room)
        first, *others = await entries(room)
        assert (first.status, await room.held()) == (OrderStatus.REJECTED, ())
        assert others == []
        assert first.reason.startswith(
            f"{whole.normalize()} BTC that were to follow are not bought: what O1 has begun is over"
        )
        await agreed(room, tmp_path)


async def test_what_people_approve_is_bought_in_slices_too(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter(0.6)
        (view,) = await room.views.pending()
        await settled(room.approvals, view.approval.id, Press(person="Ada", verb=Verb.APPROVE))
        await all_of_them(room)
        found = await entries(room)
        assert [each.approval_id for each in found] == [view.approval.id] * 4
        assert sum(each.filled for each in found) <= view.approval.plan.quantity
        await agreed(room, tmp_path)


class Killed(BaseException):
    """The program ends here."""


def _kill() -> None:
    raise Killed


@pytest.mark.parametrize("taken", [False, True])
async def test_a_crash_on_the_way_of_a_slice_sends_it_once_and_goes_on_with_the_others(tmp_path: Path, *, taken: bool):
    async with room_with(tmp_path) as room:
        await room.enter()
        whole = await planned(room)
        room.clock.to(DAY + 5)
        room.venue.on_taken, room.venue.hangs = _kill, "" if taken else "submit"
        with pytest.raises(Killed if taken else TimeoutError):
            await asyncio.wait_for(Slices(services=room.services).send_due("paper"), 0.3)
        assert (await entries(room))[1].status is OrderStatus.SENT
    async with room_with(tmp_path, minutes=DAY + 6) as room:
        await reconcile(room.store, room.orchestrator)
        room.clock.to(DAY + 7)
        await reconcile(room.store, room.orchestrator)
        await all_of_them(room)
        found = await entries(room)
        assert len({each.request.client_id for each in found}) == len(found) == 4
        bought = sum(each.filled for each in found)
        assert bought <= whole < bought + Decimal("0.01")
        assert found[1].status is (OrderStatus.FILLED if taken else OrderStatus.REJECTED)
        assert await is_protected(room)
        await agreed(room, tmp_path)


async def test_the_cash_is_all_there(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        await all_of_them(room)
        portfolio = await room.store.read(lambda uow: uow.account.portfolio())
        spent = sum((each.cost + each.fee for each in await entries(room)), Decimal(0))
        assert portfolio.free_cash == CASH - spent


async def test_people_see_what_follows_what_was_bought_and_why_no_more(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        await on_time(room, DAY + 5)
        asked = await room.venue_reports.order("O1"), await room.venue_reports.order("O3")
        first, second = (dict(orders.order(view).fields) for view in asked)
        assert "Slices" not in first or "to follow" not in first["Slices"], "that is the newest one's"
        assert "to follow" in second["Slices"]
        assert "2024-01-02 00:10" in second["Slices"]
        story = why.card(await room.views.why("O1"))
        assert dict(story.fields)["In slices"].startswith("up to 4")
        assert all(f"{number}, " in story.text for number in ("O1", "O3")), "each of its orders"
        trade = dict(alerts.trade(await room.views.trade("T1")).fields)
        assert trade["Slices"] == second["Slices"]
        await room.desk.pause(ADA, room.clock.now() + timedelta(minutes=2))
        await on_time(room, DAY + 6)
        (told,) = await room.events(SlicesEnded)
        assert told.position_id == "T1"
        trade = dict(alerts.trade(await room.views.trade("T1")).fields)
        assert "are not bought: paused by Ada" in trade["Slices"]


async def test_what_follows_is_among_the_orders_and_can_be_cancelled_by_any_of_its_slices(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await room.enter()
        await on_time(room, DAY + 5)
        (item, *_) = orders.open_orders(await room.venue_reports.orders()).items[1:]
        assert item.title.startswith("O3 buy slices")
        assert "to follow, the next 2024-01-02 00:10 UTC" in item.text
        await on_time(room, DAY + 9)
        asked = await room.desk.confirming.cancelling.ask("Ada", "O1")
        assert isinstance(asked.subject, CancelWish)
        (held,) = await room.held()
        assert (asked.subject.filled, asked.subject.order_id) == (held.quantity, "O3")
        assert asked.subject.rest + held.quantity == await planned(room)
        await on_time(room, DAY + 10)  # one more is sent while they think
        await room.desk.confirming.press(asked.id, ADA, Consent.YES)
        await room.desk.confirming.cancelling.finished()
        await all_of_them(room)
        found = await entries(room)
        assert len(found) == 3
        assert found[-1].reason.endswith("are not bought: cancelled by Ada")
        assert await is_protected(room)
        await agreed(room, tmp_path)


class Moments:
    """Counts the moments before and after each call, and ends the program at one of them."""

    def __init__(self, deadly: int) -> None:
        self._left = deadly
        self.last = ""

    def passed(self, what: str) -> None:
        self._left -= 1
        if self._left == 0:
            self.last = what
            raise Killed

    def within(self, inner: Any) -> Any:
        """The same object, whose calls are such moments."""
        moments = self

        class Mortal:
            def __getattr__(self, name: str) -> Any:
                found = getattr(inner, name)
                if not inspect.iscoroutinefunction(found):
                    return found

                async def call(*words: Any, **more: Any) -> Any:
                    moments.passed(f"before {name}")
                    answer = await found(*words, **more)
                    moments.passed(f"after {name}")
                    return answer

                return call

        return Mortal()


@pytest.mark.slow
async def test_killed_at_any_moment_of_a_slice_nothing_is_bought_twice_lost_or_left_without_a_stop(tmp_path: Path):
    died_at: list[str] = []
    for deadly in range(1, 200):
        moments, folder = Moments(deadly), tmp_path / str(deadly)
        async with room_with(folder) as room:
            await room.enter()
            whole = await planned(room)
            room.clock.to(DAY + 5)
            store, venue = moments.within(room.store), moments.within(room.venue)
            own = ExecutionOrchestrator(
                store=store, venues={"paper": venue}, market_data={"paper": venue}, clock=room.clock
            )
            dying = replace(room.services, store=store, orchestrator=own, market_data={"paper": venue})
            with suppress(Killed):
                await Slices(services=dying).send_due("paper")
        async with room_with(folder, minutes=DAY + 6) as room:
            for minute in (DAY + 6, DAY + 7):
                room.clock.to(minute)
                await reconcile(room.store, room.orchestrator)
            await all_of_them(room)
            found = await entries(room)
            assert len({each.request.client_id for each in found}) == len(found)
            bought = sum(each.filled for each in found)
            assert bought <= whole < bought + Decimal("0.01"), moments.last
            assert all(each.status in (OrderStatus.FILLED, OrderStatus.REJECTED) for each in found)
            assert await is_protected(room), moments.last
            await agreed(room, folder)
        if not moments.last:
            break
        died_at.append(moments.last)
    assert {"before transact", "after transact", "before submit", "after submit", "before flush"} <= set(died_at)
    assert len(died_at) > 20
