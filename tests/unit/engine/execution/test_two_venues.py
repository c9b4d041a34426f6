"""Two venues side by side: each order goes to its own, each is booked by itself, a slow one holds up only itself."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import VenueError
from engine.execution import opening
from engine.execution.orchestrator import ExecutionOrchestrator
from tests.fakes.engine import CASH, DAY
from tests.fakes.feed import BTC, Row
from tests.fakes.two_venues import two_venues

DEARER: Row = (130, 131, 129, 130, 10_000)
"""What costs 100 at the first venue costs 130 here."""


async def test_the_same_market_has_a_price_of_its_own_at_each(tmp_path: Path):
    async with two_venues(tmp_path, (DEARER,) * 60) as two:
        await two.both_enter()
        held = {position.venue: position for position in await two.room.held()}
        assert (round(held["paper"].entry_price), round(held["other"].entry_price)) == (100, 130)
        now = two.room.clock.now()
        await two.room.books.mark_to_market(now)
        await two.room.books.record_equity(now)
        assert await two.room.store.read(lambda uow: uow.account.marks()) == {
            ("other", BTC.symbol): Decimal(130),
            ("paper", BTC.symbol): Decimal(100),
        }
        account = await two.room.store.read(lambda uow: uow.account.portfolio())
        balances = {venue.name: await venue.balances() for venue in (two.room.venue, two.other)}
        cash = sum(own["USDT"] for own in balances.values())
        assert account.equity == cash + balances["paper"]["BTC"] * 100 + balances["other"]["BTC"] * 130
        told = {view.position.venue: view.price for view in await two.room.views.positions()}
        assert told == {name: (await venue.book(BTC.symbol)).mid for name, venue in two.venues.items()}
        assert (await two.room.views.status()).prices == (
            (f"{BTC.symbol} at other", told["other"]),
            (f"{BTC.symbol} at paper", told["paper"]),
        )


async def test_an_order_spends_the_cash_of_its_own_venue_alone(tmp_path: Path):
    """There are 20,000 at the other venue, and nothing is left at this one."""
    async with two_venues(tmp_path) as two:
        await two.room.store.transact(lambda uow: uow.account.pay_in("paper", -CASH, two.room.clock.now()))
        await two.both_enter()
        assert [position.venue for position in await two.room.held()] == ["other"]
        denied = [each for each in await two.room.views.decisions(2) if each.decision.context == "hand"]
        assert "cash is limited to what is free at paper" in str(denied[0].ruling)


async def test_each_order_goes_to_its_own_venue_and_each_fill_counts(tmp_path: Path):
    """Both venues number their trades from 1 on."""
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        held = {position.venue: position for position in await two.room.held()}
        assert set(held) == {"paper", "other"}
        fills = await two.room.store.read(lambda uow: uow.orders.newest_fills(9))
        assert {(each.fill.venue, each.fill.trade_id) for each in fills} == {("paper", "1"), ("other", "1")}
        orders = await two.room.views.orders(9)
        assert sorted((o.request.venue, o.purpose.value, o.status.value) for o in orders) == [
            ("other", "entry", "filled"),
            ("other", "protection", "open"),
            ("paper", "entry", "filled"),
            ("paper", "protection", "open"),
        ]
        await two.agreed()
        balances = await two.room.store.read(lambda uow: uow.ledger.balances())
        assert balances["other", "USDT"] == (await two.other.balances())["USDT"]
        portfolio = await two.room.store.read(lambda uow: uow.account.portfolio())
        assert portfolio.free_cash == balances["paper", "USDT"] + balances["other", "USDT"]


async def test_one_that_hangs_holds_up_only_itself(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        two.other.hangs = "submit"
        held = {position.venue: position for position in await two.room.held()}
        first, second = held["paper"], held["other"]
        stuck = asyncio.create_task(two.room.orchestrator.sell(second.id))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(two.room.orchestrator.sell(first.id), 5)
        assert not stuck.done()
        assert [each.id for each in await two.room.held()] == [second.id]
        two.other.answers.set()
        await stuck
        assert await two.room.held() == ()
        await two.agreed()


async def test_one_that_is_away_does_not_keep_the_other_from_being_heard(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        two.other.storm = 99
        two.room.clock.to(DAY + 60)
        with pytest.raises(VenueError, match="503"):
            await two.room.orchestrator.sync_venue_events()
        assert two.room.venue.called_at[-1] == two.room.clock.now()
        assert await two.room.orchestrator.next_look() is not None, "the other is asked again soon"
        two.other.storm = 0
        await two.room.orchestrator.look_again()
        await two.agreed()


async def test_a_position_of_a_venue_that_is_not_at_work_is_named(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        (second,) = [each for each in await two.room.held() if each.venue == "other"]
        alone = ExecutionOrchestrator(
            store=two.room.store,
            venues={"paper": two.room.venue},
            market_data={"paper": two.room.venue},
            clock=two.room.clock,
        )
        with pytest.raises(VenueError, match="The venue other is not at work here"):
            await alone.sell(second.id)
        await alone.restore_protection()  # and touches none of its orders
        await two.agreed()


async def test_each_account_is_opened_with_its_own_cursor(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        cursors = await two.room.store.read(lambda uow: [uow.ledger.cursor(name) for name in ("paper", "other")])
        assert cursors == [(await venue.events(None)).cursor for venue in (two.room.venue, two.other)]
        found, _ = await opening.observe(two.other, two.room.venue, "USDT")
        assert [holding.currency for holding in found.holdings] == ["BTC"]
