"""Entries that may go to several venues: to the best all-in price, past a venue that is down, and never to two."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import VenueError
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderStatus
from engine.domain.proposals import FastTier
from engine.flow.cycle import run_cycles
from engine.flow.panel_rounds import PanelRounds
from engine.jobs.table import job_table
from engine.store.halting import begin_halt
from engine.strategies.context import StrategyContexts
from handlers.cards import approval, orders, why
from tests.fakes.engine import DAY, QUIET, signals
from tests.fakes.feed import Row
from tests.fakes.two_venues import Two, two_venues

CHEAPER: Row = (99.5, 100.5, 98.5, 99.5, 10_000)
"""What costs 100 at the first venue costs 99.5 here."""
THIN: Row = (100, 101, 99, 100, 20)
"""The same price in a book that takes little."""
FEES = {"paper": Decimal("0.001"), "other": Decimal("0.001")}


@asynccontextmanager
async def routed(
    folder: Path, rows: Sequence[Row] = (QUIET,) * 60, fees: dict[str, Decimal] = FEES
) -> AsyncIterator[Two]:
    """One context whose entries may go to either venue; it decides on the candles of the first."""
    async with two_venues(folder, rows) as two:
        two.room.services = replace(two.room.services, fees=fees)
        two.room.context = replace(two.room.context, others=("other",))
        two.contexts = (two.room.context,)
        yield two


async def at(two: Two) -> list[str]:
    return [each.venue for each in await two.room.held()]


async def candle(two: Two) -> None:
    """What the job at the first venue does at a close."""
    jobs = job_table(
        services=two.room.services,
        contexts=StrategyContexts(contexts=two.contexts),
        deliberations=two.room.deliberations,
        approvals=two.room.approvals,
        books=two.room.books,
    )
    await next(each for each in jobs if each.name == "candle at paper").run(two.room.clock.now())


async def test_an_entry_goes_to_the_cheaper_venue_and_its_position_stays_there(tmp_path: Path):
    async with routed(tmp_path, (CHEAPER,) * 60) as two:
        await two.both_enter()
        (held,) = await two.room.held()
        assert held.venue == "other"
        room, ordered = two.room, await two.room.views.orders(9)
        assert {each.request.venue for each in ordered} == {"other"}, "its stop and target too"
        room.clock.to(DAY + 60)
        room.script.exits[room.clock.now()] = "enough"
        await run_cycles(room.services, two.contexts, room.clock.now())
        assert await room.held() == ()
        assert {each.request.venue for each in await room.views.orders(9)} == {"other"}
        await two.agreed()


async def test_people_are_told_what_was_compared(tmp_path: Path):
    async with routed(tmp_path, (CHEAPER,) * 60) as two:
        await two.both_enter()
        told = dict(why.card(await two.room.views.why("D1")).fields)["Goes to"]
        assert told.startswith("other, all-in (book and fee): paper 100.1")
        assert "; other 99.6" in told
        assert dict(orders.order(await two.room.venue_reports.order("O1")).fields)["Goes to"] == told
    async with routed(tmp_path / "asked", (CHEAPER,) * 60) as two:
        await two.room.enter(0.6)
        (asked,) = await two.room.views.pending()
        assert asked.approval.plan.venue == "other"
        shown = approval.card(asked, Decimal(10_000), ())
        assert dict(shown.fields)["Goes to"].startswith("other, all-in")


@pytest.mark.parametrize(("fee", "goes_to"), [("0.002", "paper"), ("0.0005", "other"), ("0.001", "paper")])
async def test_at_the_same_price_the_fee_decides_and_then_the_order_of_the_context(
    tmp_path: Path, fee: str, goes_to: str
):
    async with routed(tmp_path, fees={**FEES, "other": Decimal(fee)}) as two:
        await two.both_enter()
        assert await at(two) == [goes_to]


async def test_it_goes_where_the_balance_pays_for_it(tmp_path: Path):
    async with routed(tmp_path, (CHEAPER,) * 60) as two:
        now = two.room.clock.now()
        await two.room.store.transact(lambda uow: uow.account.pay_in("other", Decimal(-19_900), now))
        await two.both_enter()
        assert await at(two) == ["paper"]


async def test_it_goes_where_the_book_takes_it(tmp_path: Path):
    async with routed(tmp_path, (THIN,) * 60, {**FEES, "other": Decimal(0)}) as two:
        await two.both_enter()
        assert await at(two) == ["paper"]


async def test_past_a_venue_that_does_not_answer_it_goes_to_the_next_and_says_so(tmp_path: Path):
    async with routed(tmp_path) as two:
        two.room.venue.storm = 99
        two.room.script.entries[two.room.clock.now()] = signals()
        with pytest.raises(VenueError, match="503"):
            await candle(two)
        two.room.venue.storm = 0
        assert await at(two) == ["other"]
        told = dict(why.card(await two.room.views.why("D1")).fields)["Goes to"]
        assert "paper none: it does not answer: The venue answers 503." in told
        await two.agreed()


async def test_past_a_venue_without_a_book_or_that_is_halted_it_goes_to_the_next(tmp_path: Path):
    async with routed(tmp_path / "book") as two:
        two.room.venue.deaf = VenueError("The venue has no book.")
        await two.both_enter()
        two.room.venue.deaf = None
        assert await at(two) == ["other"]
    async with routed(tmp_path / "halt") as two:
        halt = Halt(kind=HaltKind.LEDGER, reason="it does not balance", since=two.room.clock.now(), venue="paper")
        await two.room.store.transact(lambda uow: begin_halt(uow, halt))
        await two.both_enter()
        assert await at(two) == ["other"]


async def test_an_order_whose_fate_is_unknown_is_followed_by_none_at_another_venue(tmp_path: Path):
    async with routed(tmp_path) as two:
        two.room.venue.loses = "answer"
        await two.both_enter()
        two.room.venue.loses, two.room.venue.storm = "", 99
        two.room.clock.to(DAY + 60)
        two.room.script.entries[two.room.clock.now()] = signals()
        with pytest.raises(VenueError):
            await candle(two)
        two.room.venue.storm = 0
        await two.room.orchestrator.resolve_unknown_orders()
        await two.room.orchestrator.restore_protection()
        entries = [each for each in await two.room.views.orders(9) if each.purpose == "entry"]
        assert [(each.request.venue, each.status) for each in entries] == [("paper", OrderStatus.FILLED)]
        await two.agreed()


async def test_what_is_held_at_one_venue_is_not_bought_again_at_another(tmp_path: Path):
    async with routed(tmp_path, (CHEAPER,) * 60) as two:
        await two.both_enter()
        two.room.clock.to(DAY + 60)
        two.room.services = replace(two.room.services, fees={**FEES, "other": Decimal("0.02")})
        await two.both_enter()
        assert await at(two) == ["other"]


@pytest.mark.parametrize("first_is_slow", [False, True])
async def test_a_slow_venue_does_not_delay_an_order_at_another(tmp_path: Path, *, first_is_slow: bool):
    async with two_venues(tmp_path) as two:
        slow, quick = (two.room.venue, "other") if first_is_slow else (two.other, "paper")
        slow.hangs = "submit"
        begun, both = time.monotonic(), asyncio.create_task(two.both_enter())
        while not await two.room.held():
            assert time.monotonic() - begun < 20, "it waits for the slow one"
            await asyncio.sleep(0.005)
        took = time.monotonic() - begun
        await asyncio.sleep(4 * took)
        assert ([each.venue for each in await two.room.held()], both.done()) == ([quick], False)
        slow.answers.set()
        await both
        assert sorted(await at(two)) == ["other", "paper"]


async def test_the_rest_of_a_begun_trade_goes_where_it_was_begun(tmp_path: Path):
    async with routed(tmp_path, (CHEAPER,) * 60) as two:
        room = two.room
        room.context = replace(room.context, fast=FastTier(share=Decimal("0.25"), min_confidence=0.9))
        two.contexts = (room.context,)
        await two.both_enter()
        assert await at(two) == ["other"]
        room.services = replace(room.services, fees={**FEES, "other": Decimal("0.02")})
        rest = PanelRounds(room.services, StrategyContexts(contexts=two.contexts))
        await rest.ask()
        room.clock.at += timedelta(seconds=1)
        await rest.conclude("paper", room.clock.now())
        entries = [each for each in await room.views.orders(9) if each.purpose == "entry"]
        assert [each.request.venue for each in entries] == ["other", "other"], "dearer by now, and where it was begun"
        await rest.stop()
        await two.agreed()
