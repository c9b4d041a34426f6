"""What a policy makes of an entry, from what it is shown to what is bought (FAULTS 29)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from bot.adjuster import adjuster_view
from engine.domain.adjustments import AdjusterMode, Adjustment
from engine.domain.autonomy import AskHuman, Execute, Refuse
from engine.domain.decisions import Judged
from engine.domain.events import AdjusterFailed
from engine.domain.outcomes import Calibrated
from engine.learning.adjuster import PPOAdjuster, lowered
from engine.learning.features import FEATURES
from engine.learning.policy import Policy
from tests.fakes import reports
from tests.fakes.engine import QUIET, Room, engine_room
from tests.fakes.policies import any_policy, steady_policy

WIGGLE = tuple((99.5 + number % 3 * 0.5, 101.0, 99.0, 99.5 + (number + 1) % 3 * 0.5, 5_000.0) for number in range(90))
ROWS = (*WIGGLE, *(QUIET,) * 30)
Opened = Callable[..., AbstractAsyncContextManager[Room]]


@asynccontextmanager
async def room_with(folder: Path, policy: Policy | None, mode: AdjusterMode, **other: object) -> AsyncIterator[Room]:
    """An engine with a policy, once there are enough candles for all that it is shown."""
    adjuster = PPOAdjuster(mode=mode, policy=policy, **other)  # type: ignore[arg-type]
    async with engine_room(folder, rows=ROWS, minutes=90 * 60, adjuster=adjuster) as room:
        yield room


async def entered(room: Room, confidence: float = 1.0) -> Judged:
    (judged,) = (await room.enter(confidence)).decisions
    return judged


async def test_an_active_policy_makes_the_entry_smaller_and_its_stop_tighter(tmp_path: Path) -> None:
    async with room_with(tmp_path / "without", None, AdjusterMode.OFF) as room:
        usual = await entered(room)
    async with room_with(tmp_path / "with", steady_policy(-0.5, -1.0, 1.0), AdjusterMode.ACTIVE) as room:
        judged = await entered(room)
    assert usual.plan is not None
    assert judged.plan is not None
    assert judged.adjustment is not None
    assert judged.adjustment.adjustment == Adjustment(scale=0.25, stop_share=0.5)
    assert judged.plan.quantity == pytest.approx(usual.plan.quantity / 4, abs=usual.plan.quantity / 1000)
    assert judged.plan.stop is not None
    assert usual.plan.stop is not None
    assert judged.plan.price - judged.plan.stop == pytest.approx(
        (usual.plan.price - usual.plan.stop) / 2, abs=Decimal("0.01")
    )
    assert isinstance(judged.ruling, Execute)


async def test_an_advisory_one_changes_nothing_and_is_noted(tmp_path: Path) -> None:
    async with room_with(tmp_path / "without", None, AdjusterMode.OFF) as room:
        usual = await entered(room)
    async with room_with(tmp_path / "with", steady_policy(-1.0, 1.0, 1.0), AdjusterMode.ADVISORY) as room:
        judged = await entered(room)
        view = await adjuster_view(room.services.adjuster, room.store, room.clock)()
    assert (judged.plan, judged.ruling, judged.decision.confidence) == (usual.plan, usual.ruling, 1.0)
    assert judged.adjustment is not None
    assert not judged.adjustment.is_done
    assert (judged.adjustment.after, judged.adjustment.before) == (0, usual.plan and usual.plan.quantity)
    assert (view.asked, view.unknown, view.mean_scale) == (1, 0, 0.0)
    assert view.newest[0].became == "executed"


async def test_risk_has_the_last_word_after_it(tmp_path: Path) -> None:
    async with room_with(tmp_path, steady_policy(1.0), AdjusterMode.ACTIVE) as room:
        judged = await entered(room)
    assert [clamp.rule for clamp in judged.clamps] == ["max_position"]


async def test_one_that_wants_none_of_it_refuses(tmp_path: Path) -> None:
    async with room_with(tmp_path, steady_policy(-1.0, -1.0, -1.0), AdjusterMode.ACTIVE) as room:
        judged = await entered(room)
        assert await room.orders() == []
    assert judged.ruling == Refuse(reasons=("steady, the policy that adjusts entries, wants none of it",))


async def test_less_confidence_makes_the_bot_ask(tmp_path: Path) -> None:
    async with room_with(tmp_path, steady_policy(1.0, 1.0, -1.0), AdjusterMode.ACTIVE) as room:
        judged = await entered(room, 0.8)
    assert judged.decision.confidence == pytest.approx(0.8 - 0.1875)
    assert isinstance(judged.ruling, AskHuman)


async def test_the_entries_of_a_context_may_be_left_alone(tmp_path: Path) -> None:
    async with room_with(tmp_path / "without", None, AdjusterMode.OFF) as room:
        usual = await entered(room)
    async with room_with(tmp_path / "with", steady_policy(-1.0, -1.0, -1.0), AdjusterMode.ACTIVE) as room:
        room.context = replace(room.context, adjusted=False)
        judged = await entered(room)
    assert (judged.plan, judged.ruling, judged.adjustment) == (usual.plan, usual.ruling, None)


def test_what_it_takes_off_is_taken_off_before_earlier_trades_are_looked_at_too() -> None:
    earlier = Calibrated(value=0.5, measured=0.8, low=0.4, high=0.6, outcomes=200, is_wide=False)
    found = reports.decision(confidence=0.5, calibration=earlier)
    done = reports.adjusted(mode=AdjusterMode.ACTIVE, adjustment=Adjustment(confidence_shift=-0.25))
    less = lowered(found, done)
    assert less.calibration is not None
    assert (less.confidence, less.calibration.measured) == (0.25, pytest.approx(0.55))
    assert lowered(found, replace(done, mode=AdjusterMode.ADVISORY)) is found


@pytest.mark.parametrize(
    ("policy", "other", "why"),
    [
        (None, {"fault": "own.npz cannot be read: No such file or directory."}, "own.npz cannot be read"),
        (steady_policy(0.0, 0.0, 0.0, high=-8e5), {}, "var_95 is"),
        (steady_policy(np.nan, 0.0, 0.0), {}, "The policy's answer is no number"),
    ],
)
async def test_where_it_cannot_be_asked_the_static_rules_hold_and_people_are_told_once(
    tmp_path: Path, policy: Policy | None, other: dict[str, str], why: str
) -> None:
    async with room_with(tmp_path / "without", None, AdjusterMode.OFF) as room:
        usual = await entered(room)
    async with room_with(tmp_path / "with", policy, AdjusterMode.ACTIVE, **other) as room:
        judged = await entered(room)
        room.clock.to(91 * 60)
        await entered(room)
        (told,) = await room.events(AdjusterFailed)
        assert isinstance(told, AdjusterFailed)
        notice = await room.views.adjuster_notice(told.notice_id)
    assert (judged.plan, judged.ruling) == (usual.plan, usual.ruling)
    assert judged.adjustment is not None
    assert judged.adjustment.why.startswith(why)
    assert notice.why == judged.adjustment.why


async def test_nobody_is_asked_about_what_is_refused_anyway(tmp_path: Path) -> None:
    async with room_with(tmp_path, None, AdjusterMode.ACTIVE, fault="own.npz is gone.") as room:
        judged = await entered(room, 0.1)
        assert await room.events(AdjusterFailed) == []
    assert judged.adjustment is None


async def test_one_trained_long_ago_or_on_other_candles_is_not_asked(tmp_path: Path) -> None:
    for changed, why in (
        (
            {"ends": "2019-01-01 00:00"},
            "It is stale: its training ended 2019-01-01, more than 30 days ago (ppo.max_age). bot",
        ),
        ({"timeframe": "4h, 1d"}, "It was trained on 4h, 1d candles, not on 1h."),
    ):
        policy = any_policy()
        old = replace(policy, card=replace(policy.card, **changed))
        adjuster = {"max_age": timedelta(days=30)}
        async with room_with(tmp_path / why[:10], old, AdjusterMode.ACTIVE, **adjuster) as room:
            judged = await entered(room)
            view = await adjuster_view(room.services.adjuster, room.store, room.clock)()
        assert judged.adjustment is not None
        assert judged.adjustment.why.startswith(why)
        assert view.fault == (judged.adjustment.why if "stale" in why else "")


async def test_it_is_shown_how_the_account_stands(tmp_path: Path) -> None:
    async with room_with(tmp_path, steady_policy(1.0, -1.0, -1.0), AdjusterMode.ACTIVE) as room:
        first = await entered(room)
    assert first.adjustment is not None
    seen = dict(zip(FEATURES, first.adjustment.observation, strict=True))
    assert (seen["leverage"], seen["streak"], seen["confidence"]) == (0.0, 0.0, 1.0)
    assert seen["atr"] > 0
    assert seen["idle"] == pytest.approx(np.log(501), abs=1e-5)
