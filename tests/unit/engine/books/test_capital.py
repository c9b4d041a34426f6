"""Stages of capital on the paper venue: what is bought under them, what breaches them, who lets them go up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.autonomy import Execute, Refuse
from engine.domain.capital import CapitalPlan
from engine.domain.confirmations import Consent, Stage
from engine.domain.decisions import Judged
from engine.domain.errors import BadInput, NotAllowed
from engine.domain.events import CapitalChanged, ConfirmationAsked, ConfirmationChanged
from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import Person, Role
from engine.store.halting import begin_halt
from tests.fakes.engine import QUIET, Room, engine_room
from tests.fakes.feed import START

ADA, BEN = Person(name="Ada", role=Role.ADMIN), Person(name="Ben", role=Role.TRADER)
PLAN = CapitalPlan(
    stages=(Decimal(100), Decimal(500), Decimal(2500)), step_up_after=timedelta(hours=2), step_up_trades=0
)
FALL = (100, 100, 80, 85, 10_000)


def tick(room: Room, hours: int) -> None:
    room.clock.at += timedelta(hours=hours)


async def begin(room: Room, amount: int) -> None:
    """Let an admin approve one stage after the other."""
    while (view := await room.capital.view()).stage and view.stage.amount != amount:
        tick(room, 2)
        await room.capital.judge(room.clock.now())
        await room.desk.confirming.answer_capital(ADA, Consent.YES)


async def amount(room: Room) -> Decimal | None:
    stage = (await room.capital.view()).stage
    return stage.amount if stage else None


async def decided(room: Room) -> Judged:
    (newest,) = await room.views.decisions(1)
    return newest


async def test_an_entry_is_cut_to_the_stage_with_room_for_slippage_and_fees(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        await room.enter()
        judged = await decided(room)
        assert isinstance(judged.ruling, Execute)
        clamp = next(each for each in judged.clamps if each.rule == "capital")
        assert clamp.reason == (
            "the stage of capital is 100.00 USDT, less room for slippage and fees: there is room for 99.01"
        )
        (held,) = await room.held()
        assert Decimal(98) < held.cost + held.fees <= 100
        assert (await room.capital.view()).figures.used > 90


async def test_what_is_used_of_a_stage_leaves_no_room_for_more(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        await room.enter()
        tick(room, 1)
        (strategy,) = (await room.results.strategies()).contexts
        assert strategy.obstacles[0][1].startswith("hand already holds")
        account = await room.store.read(lambda uow: uow.account.portfolio())
        assert account.capital == 100
        assert account.used > 90


async def test_without_stages_nothing_is_held_back(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await room.enter()
        assert "capital" not in [each.rule for each in (await decided(room)).clamps]
        assert (await room.capital.view()).stage is None


async def test_the_next_stage_is_proposed_once_and_an_admin_lets_it_begin(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        await room.capital.judge(room.clock.now())
        assert await room.events(ConfirmationAsked) == []
        tick(room, 2)
        for _ in range(2):
            await room.capital.judge(room.clock.now())
        (asked,) = await room.events(ConfirmationAsked)
        with pytest.raises(NotAllowed, match="Only an admin"):
            await room.desk.confirming.press(asked.confirmation_id, BEN, Consent.YES)
        assert await amount(room) == 100
        answered = await room.desk.confirming.press(asked.confirmation_id, ADA, Consent.YES)
        assert (answered.stage, answered.by) == (Stage.AGREED, "Ada")
        assert await amount(room) == 500
        again = await room.desk.confirming.press(asked.confirmation_id, ADA, Consent.NO)
        assert again == answered
        assert len(await room.events(CapitalChanged)) == 1


async def test_a_no_is_kept_and_the_next_stage_is_asked_for_later(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        tick(room, 2)
        await room.capital.judge(room.clock.now())
        await room.desk.confirming.answer_capital(ADA, Consent.NO)
        assert await amount(room) == 100
        await room.capital.judge(room.clock.now())
        with pytest.raises(BadInput, match="No next stage"):
            await room.desk.confirming.answer_capital(ADA, Consent.YES)
        tick(room, 2)
        await room.capital.judge(room.clock.now())
        assert (await room.capital.view()).proposal == "Q2"


async def test_a_fall_of_the_result_goes_one_stage_down_and_voids_what_was_proposed(tmp_path: Path) -> None:
    rows = [*[QUIET] * 32, FALL, *[QUIET] * 20]
    async with engine_room(tmp_path, rows, capital=PLAN) as room:
        await begin(room, 500)
        await room.enter(stop=20.0, target=30.0)
        while not (await room.capital.view()).stage.is_breach:
            tick(room, 1)
            await room.books.mark_to_market(room.clock.now())
            await room.orchestrator.sync_venue_events()
            await room.capital.judge(room.clock.now())
        assert await amount(room) == 100
        changed = await room.events(ConfirmationChanged)
        assert changed[-1].stage == "void"
        await room.capital.judge(room.clock.now())  # the breach is counted once
        assert await amount(room) == 100


async def test_a_limit_that_is_broken_at_the_first_stage_ends_entries_until_an_admin_says_so(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        halt = Halt(kind=HaltKind.LEDGER, reason="more was sold than was held", since=room.clock.now())
        await room.store.transact(lambda uow: begin_halt(uow, halt))
        await room.capital.judge(room.clock.now())
        stage = (await room.capital.view()).stage
        assert (stage.amount, stage.is_breach, stage.reason) == (0, True, "more was sold than was held")
        await room.capital.judge(room.clock.now())
        await room.desk.confirming.answer_capital(ADA, Consent.YES)
        assert await amount(room) == 100
        await room.capital.judge(room.clock.now())  # that halt was of before
        assert await amount(room) == 100


async def test_nothing_is_entered_where_nothing_may_be_used(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        halt = Halt(kind=HaltKind.REFUSED, reason="no stop", since=room.clock.now(), symbol="ETH/USDT")
        await room.store.transact(lambda uow: begin_halt(uow, halt))
        await room.capital.judge(room.clock.now())
        await room.enter()
        ruling = (await decided(room)).ruling
        assert isinstance(ruling, Refuse)
        assert ruling.reasons[0].endswith("there is no room left")


async def test_a_stage_outlives_a_restart_and_other_settings_only_lower_it(tmp_path: Path) -> None:
    async with engine_room(tmp_path, capital=PLAN) as room:
        await begin(room, 500)
        now = room.clock.now()
    minutes = (now - START).total_seconds() / 60
    async with engine_room(tmp_path, minutes=minutes, capital=PLAN) as room:
        assert await amount(room) == 500
    lower = CapitalPlan(stages=(Decimal(50), Decimal(300), Decimal(9000)), stage=3)
    async with engine_room(tmp_path, minutes=minutes, capital=lower) as room:
        assert await amount(room) == 300
    async with engine_room(tmp_path, minutes=minutes) as room:
        assert await amount(room) is None
