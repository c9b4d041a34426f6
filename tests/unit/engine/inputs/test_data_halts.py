"""A market that becomes another coin: nothing is entered, valued or sold at the new price until people have looked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.decisions import QualityReport, SeriesChange, Stance
from engine.domain.errors import BadInput, VenueError
from engine.domain.events import Halted, HaltEnded
from engine.domain.halts import HaltKind
from engine.domain.market import Listing
from engine.domain.messages import Person, Role
from engine.flow.cycle import end_data_halts
from engine.inputs.data_halts import note_changes
from engine.simulation.fills import FillModel
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room
from tests.fakes.feed import BTC, Row
from tests.fakes.two_venues import two_venues

TOM = Person(name="Tom", role=Role.TRADER)
NEW: Row = (250_000, 250_100, 249_900, 250_000, 10_000)
"""A candle of another coin under the same name, two and a half thousand times the price."""
REPLACED = (*(QUIET,) * 30, *(NEW,) * 30)
AFTER = 31 * 60
"""When the first candle of the new coin has closed, in minutes."""


async def live(room: Room, minutes: float, stop: float = 2.0) -> None:
    """A candle closes: it is marked, decided on, and put on the curve."""
    room.clock.to(minutes)
    await room.books.mark_to_market(at(minutes))
    await room.enter(1.0, stop=stop, target=3 * stop)
    await room.books.record_equity(at(minutes))


async def equity(room: Room) -> Decimal:
    return (await room.views.status()).equity


async def test_another_coin_halts_its_market_until_people_lift_it(tmp_path: Path) -> None:
    async with engine_room(tmp_path, REPLACED) as room:
        for hour in range(31, 45):
            await live(room, hour * 60)
        (halted,) = [each for each in await room.events(Halted) if each.kind is HaltKind.CHANGED]
        assert halted.at == at(AFTER + 60), "the first candle may be a bad tick, which the next one tells"
        status = await room.views.status()
        (reason,) = [found.halt.reason for found in status.halts]
        assert reason == ("BTC/USDT: the price went from 100 to 250,000 within a candle, at 2024-01-02 06:00 UTC")
        assert await room.held() == ()
        assert status.equity == CASH
        assert await room.store.read(lambda uow: uow.account.marks()) == {}

        with pytest.raises(BadInput, match="/resume BTC/USDT"):
            await room.desk.resume(TOM)
        with pytest.raises(BadInput, match="Halted so: BTC/USDT"):
            await room.desk.accept_change(TOM, "ETH/USDT")
        (ended,) = await room.desk.accept_change(TOM, "BTC/USDT")
        assert (ended.ended_by, ended.halt.symbol) == ("Tom", "BTC/USDT")
        assert [each.by for each in await room.events(HaltEnded) if each.kind is HaltKind.CHANGED] == ["Tom"]

        await live(room, 46 * 60, stop=5000)
        assert len(await room.held()) == 1, "the old jump is still among the candles, and was accepted"
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(250_000)}
        assert len([each for each in await room.events(Halted) if each.kind is HaltKind.CHANGED]) == 1


async def test_what_is_held_is_paid_at_its_last_price_and_never_at_that_of_another_coin(tmp_path: Path) -> None:
    async with engine_room(tmp_path, REPLACED) as room:
        await room.enter(1.0, stop=2.0, target=3.0)
        assert len(await room.held()) == 1
        before = await equity(room)
        room.clock.to(AFTER)
        await room.orchestrator.sync_venue_events()
        await live(room, AFTER)
        (trade,) = await room.views.trades(5)
        assert (trade.is_open, trade.closed_by) == (False, "payout")
        assert abs(trade.net) < 20
        assert abs(await equity(room) - before) < 20


async def test_what_cannot_be_paid_out_keeps_its_last_value_while_the_halt_stands(tmp_path: Path) -> None:
    """A position whose OCO never reached the venue is still held after the change."""
    async with engine_room(tmp_path, REPLACED) as room:
        room.venue.loses_ocos = True
        await room.enter(1.0)
        await room.books.mark_to_market(at(DAY))
        (held,) = await room.held()
        before = await equity(room)
        for hour in range(31, 40):
            await live(room, hour * 60)
        assert await equity(room) == before
        (view,) = await room.views.positions()
        assert view.price == 100
        assert (await room.held())[0].quantity == held.quantity


async def test_it_stands_over_a_restart_and_one_that_was_lifted_does_not_come_back(tmp_path: Path) -> None:
    async with engine_room(tmp_path, REPLACED) as room:
        await live(room, AFTER)
    async with engine_room(tmp_path, REPLACED, minutes=AFTER + 1) as room:
        await live(room, 40 * 60)
        assert not await room.held()
        await room.desk.accept_change(TOM, "BTC/USDT")
    async with engine_room(tmp_path, REPLACED, minutes=40 * 60 + 1) as room:
        await live(room, 41 * 60, stop=5000)
        assert len(await room.held()) == 1
        assert len([each for each in await room.events(Halted) if each.kind is HaltKind.CHANGED]) == 1


async def test_only_the_market_that_changed_is_halted(tmp_path: Path) -> None:
    eth = replace(BTC, symbol="ETH/USDT")
    rows = {"BTC/USDT": REPLACED, "ETH/USDT": (QUIET,) * 60}
    async with engine_room(tmp_path, rows, markets=(BTC, eth)) as room:
        await live(room, AFTER)
        await live(room, AFTER + 60)
        assert [held.symbol for held in await room.held()] == ["ETH/USDT"]
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", "ETH/USDT"): Decimal(100)}


@pytest.mark.parametrize(
    ("rows", "hour"),
    [
        ((*(QUIET,) * 30, *(None,) * 24 * 8, *(QUIET,) * 20), 30 + 24 * 8 + 6),
        ((*(QUIET,) * 30, *((100, 100, 100, 100, 0),) * 40), 30 + 24),
    ],
    ids=["weeks of nothing", "no volume"],
)
async def test_a_market_that_was_gone_or_is_dead_waits_for_people(
    tmp_path: Path, rows: tuple[Row | None, ...], hour: int
) -> None:
    async with engine_room(tmp_path, rows) as room:
        await live(room, hour * 60)
        assert [found.halt.kind for found in (await room.views.status()).halts] == [HaltKind.CHANGED]
        assert await room.held() == ()
        await room.desk.accept_change(TOM, "BTC/USDT")
        await live(room, (hour + 1) * 60)
        assert (await room.views.status()).halts == ()


async def changes_told(room: Room) -> list[str]:
    halted = [each for each in await room.events(Halted) if each.kind is HaltKind.CHANGED]
    halts = await room.store.read(lambda uow: [uow.halts.get(each.halt_id).halt for each in halted])
    return [halt.reason for halt in halts]


@pytest.mark.parametrize(("again", "lifted"), [(32, 32), (33, 36)], ids=["in the same candle", "while it stood"])
async def test_a_second_change_that_nobody_was_told_of_asks_again(tmp_path: Path, again: int, lifted: int) -> None:
    rows = (*(QUIET,) * 30, *(NEW,) * (again - 30), *((50, 51, 49, 50, 10_000),) * 20)
    async with engine_room(tmp_path, rows) as room:
        for hour in range(31, lifted + 1):
            await live(room, hour * 60)
        room.clock.to(lifted * 60 + 20)
        await room.desk.accept_change(TOM, "BTC/USDT")
        for hour in range(lifted + 1, lifted + 4):
            await live(room, hour * 60)
        first, second = await changes_told(room)
        assert "from 100 to 250,000 within" in first
        assert "from 250,000 to 50 within" in second
        assert "from 100 to" not in second
        assert await room.held() == ()
        await room.desk.accept_change(TOM, "BTC/USDT")
        await live(room, 42 * 60)
        assert len(await room.held()) == 1


async def test_that_nothing_is_traded_any_more_is_told_though_it_began_before_a_change_was_lifted(
    tmp_path: Path,
) -> None:
    rows = (*(QUIET,) * 30, *(NEW,) * 2, *((250_000, 250_000, 250_000, 250_000, 0),) * 40)
    async with engine_room(tmp_path, rows) as room:
        await live(room, 32 * 60)
        await live(room, 33 * 60)
        room.clock.to(40 * 60)
        await room.desk.accept_change(TOM, "BTC/USDT")
        await live(room, 55 * 60)
        assert len(await changes_told(room)) == 1
        await live(room, 56 * 60)
        assert (await changes_told(room))[1:] == ["BTC/USDT: nothing has been traded since 2024-01-02 08:00 UTC"]


async def test_what_goes_on_while_people_think_about_it_is_the_same_change(room: Room) -> None:
    """Candles are known so far back only, so that it seems to begin later and later."""

    async def idle(since: float, until: float) -> bool:
        change = SeriesChange(kind="idle", at=at(since), detail="nothing is traded", until=at(until))
        report = QualityReport(changes=(change,))
        return (
            await room.store.transact(lambda uow: note_changes(uow, Listing("paper", BTC.symbol), report, at(until)))
            is not None
        )

    assert await idle(DAY + 60, DAY + 1500)
    assert await idle(DAY + 1000, DAY + 3000)
    assert await idle(DAY + 2900, DAY + 5000)
    await room.desk.accept_change(TOM, "BTC/USDT")
    assert not await idle(DAY + 4500, DAY + 5060)
    assert await idle(DAY + 6000, DAY + 7500), "in between something was traded"


async def test_the_reasons_of_a_decision_say_it(tmp_path: Path) -> None:
    async with engine_room(tmp_path, REPLACED, minutes=DAY) as room:
        room.clock.to(40 * 60)
        (judged,) = (await room.enter(1.0)).decisions
        assert judged.decision.stance is Stance.HOLD
        assert judged.decision.reasons[0].startswith("bad data: BTC/USDT: the price went from 100 to 250,000")
        assert judged.quality.changes


NINE_DAYS = (*(QUIET,) * 30, *(None,) * 24 * 9)
RISEN: Row = (50_000, 50_010, 49_990, 50_000, 10_000)
FALLEN: Row = (60, 61, 59, 60, 10_000)


@pytest.mark.parametrize(("after", "closed_by", "kept"), [(RISEN, "payout", 0.999), (FALLEN, "stop", 0.97)])
async def test_after_weeks_of_nothing_a_rise_is_not_paid_and_a_fall_is_a_gap(
    tmp_path: Path, after: Row, closed_by: str, kept: float
) -> None:
    """Seen: 9,997.50 became 1,255,748 by a target that another coin had reached."""
    async with engine_room(tmp_path, (*NINE_DAYS, *(after,) * 9)) as room:
        await room.enter(1.0, stop=30.0, target=60.0)
        before = await equity(room)
        for hours in range(25, 34):
            room.clock.to((hours + (24 * 9 if hours > 30 else 0)) * 60)
            await room.orchestrator.sync_venue_events()
        (trade,) = await room.views.trades(5)
        assert trade.closed_by == closed_by
        assert kept <= await equity(room) / before < 1


@pytest.mark.parametrize("price", [NEW[0], 0.02], ids=["up", "down"])
async def test_a_stop_that_is_placed_late_is_not_placed_in_another_coin(tmp_path: Path, price: float) -> None:
    """Seen: it was placed at the new price, and filled there as a target at once: 9,997.50 became 6,248,750."""
    rows = (*(QUIET,) * 30, *((price, price * 1.001, price * 0.999, price, 1e6),) * 30)
    async with engine_room(tmp_path, rows) as room:
        room.venue.loses_ocos = True
        await room.enter(1.0, stop=2.0, target=3.0)
        before = await equity(room)
        room.clock.to(30 * 60 - 1)
        room.venue.loses_ocos = False
        for minutes in (*range(30 * 60, 30 * 60 + 3), *range(AFTER, AFTER + 600, 60)):
            room.clock.to(minutes)
            await room.orchestrator.resolve_unknown_orders()
            await room.books.mark_to_market(at(minutes))
            await room.orchestrator.look_again()
            if minutes % 60 == 0:
                await room.cycle()
        assert [trade.is_open for trade in await room.views.trades(5)] == [True]
        assert abs(await equity(room) - before) < 1
        assert HaltKind.CHANGED in [view.halt.kind for view in (await room.views.status()).halts]


async def test_the_venue_pays_out_from_the_factor_that_is_set(tmp_path: Path) -> None:
    rows = (*(QUIET,) * 30, *((20_000, 20_010, 19_990, 20_000, 1e4),) * 9)
    for factor, closed_by in ((Decimal(100), "payout"), (Decimal(1000), "target")):
        folder = tmp_path / closed_by
        folder.mkdir()
        async with engine_room(folder, rows, model=FillModel(max_factor=factor)) as room:
            await room.enter(1.0, stop=2.0, target=3.0)
            room.clock.to(AFTER)
            await room.orchestrator.sync_venue_events()
            (trade,) = await room.views.trades(5)
            assert trade.closed_by == closed_by


async def test_a_coin_that_is_replaced_at_one_venue_is_traded_on_at_the_other(tmp_path: Path) -> None:
    async with two_venues(tmp_path, REPLACED) as two:
        room = two.room
        for hour in (AFTER // 60, AFTER // 60 + 1):
            room.clock.to(hour * 60)
            await room.books.mark_to_market(at(hour * 60))
            await two.both_enter()
        status = await room.views.status()
        (found,) = [each for each in status.halts if each.halt.kind is HaltKind.CHANGED]
        assert {(each.halt.listing, each.at) for each in status.halts} == {(("other", BTC.symbol), "other")}
        assert found.halt.reason.startswith("BTC/USDT at other: the price went from 100 to 250,000")
        assert status.trading
        assert [held.venue for held in await room.held()] == ["paper"]
        assert await room.store.read(lambda uow: uow.account.marks()) == {("paper", BTC.symbol): Decimal(100)}

        with pytest.raises(BadInput, match="/resume BTC/USDT other"):
            await room.desk.resume(TOM)
        with pytest.raises(BadInput, match="Halted so: BTC/USDT at other"):
            await room.desk.accept_change(TOM, "BTC", "paper")
        assert len(await room.desk.accept_change(TOM, "BTC", "Other")) == 1


async def test_good_candles_at_one_venue_end_no_halt_of_another(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as two:
        room, two.other.blind = two.room, VenueError("The venue is down.")
        await two.both_enter()
        (found,) = (await room.views.status()).halts
        assert (found.halt.kind, found.halt.listing) == (HaltKind.DATA, ("other", BTC.symbol))
        assert [held.venue for held in await room.held()] == ["paper"]
        room.clock.to(DAY + 1)
        await end_data_halts(room.services, two.contexts, room.clock.now())
        assert len((await room.views.status()).halts) == 1
        two.other.blind = None
        room.clock.to(DAY + 2)
        await end_data_halts(room.services, two.contexts, room.clock.now())
        assert (await room.views.status()).halts == ()


async def test_a_coin_that_changed_at_both_is_resumed_at_each(tmp_path: Path) -> None:
    async with two_venues(tmp_path) as two:
        room = two.room

        def halt(uow: UnitOfWork) -> None:
            for venue in two.venues:
                changed = SeriesChange(kind="jump", detail="it jumped", at=at(DAY))
                note_changes(uow, Listing(venue, BTC.symbol), QualityReport(changes=(changed,)), at(DAY))

        await room.store.transact(halt)
        with pytest.raises(BadInput, match="One of them: BTC/USDT at other, BTC/USDT at paper"):
            await room.desk.accept_change(TOM, "BTC")
        (ended,) = await room.desk.accept_change(TOM, "BTC", "other")
        assert ended.halt.venue == "other"
        assert [each.halt.venue for each in (await room.views.status()).halts] == ["paper"]
