"""Predictions by rules that go along with closes of a replay: the same as by the usual way, kept or forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import build_models
from config.loader import load
from engine.ai.trend_predictions import TrendPredictions
from engine.domain.market import Timeframe
from engine.domain.predictions import KeptPrediction
from engine.timing.clocks import wall
from tests.fakes.engine import Room, engine_room
from tests.fakes.panel import Script
from tests.fakes.patience import until
from tests.fakes.predictions import LISTING, RISING, WEEKS, predicting, said

HOUR = timedelta(hours=1)
FIRST = WEEKS * 60 - 20 * 60
"""Minutes from the start of the candles to the first close, with twenty hours more to come."""
CLOSES = 20


def by_rules(room: Room, folder: Path) -> TrendPredictions:
    """Predictions as the demo has them made."""
    settings = load("demo", None, {}, {}, folder).settings
    return predicting(room, build_models(settings, room.store, room.clock, wall).manager)


async def begun(room: Room, predictions: TrendPredictions) -> None:
    """Make those of the first close as the job does."""
    await predictions.make(room.clock.now())
    await until(lambda: not predictions.busy)


async def kept(room: Room) -> dict[Timeframe, tuple[KeptPrediction, ...]]:
    """Everything that is kept of the market."""
    now = room.clock.now()
    return await room.store.read(
        lambda uow: {each: uow.predictions.between(LISTING, each, now - 99 * HOUR, now) for each in Timeframe}
    )


@pytest.mark.slow
async def test_what_goes_along_is_what_would_have_been_made_and_graded_close_by_close(tmp_path: Path):
    async with engine_room(tmp_path / "alone", RISING, minutes=FIRST) as room:
        predictions = by_rules(room, tmp_path)
        for number in range(CLOSES):
            room.clock.to(FIRST + number * 60)
            await begun(room, predictions)
        alone = await kept(room)
    async with engine_room(tmp_path / "along", RISING, minutes=FIRST) as room:
        predictions = by_rules(room, tmp_path)
        await begun(room, predictions)
        assert predictions.goes_along(HOUR)
        assert await predictions.begin(room.clock.now() + (CLOSES - 1) * HOUR)
        for number in range(1, CLOSES):
            room.clock.to(FIRST + number * 60)
            await predictions.make_at_once(room.clock.now())
            assert (await predictions.outlook(LISTING)).predictions[0].at == room.clock.now()
        await room.store.transact(predictions.keep)
        predictions.end()
        assert await kept(room) == alone
    assert len(alone[Timeframe.H1]) == CLOSES
    assert any(each.move is not None for each in alone[Timeframe.H1])


async def test_what_was_not_written_down_is_forgotten_and_made_again(tmp_path: Path):
    async with engine_room(tmp_path, RISING, minutes=FIRST) as room:
        predictions = by_rules(room, tmp_path)
        await begun(room, predictions)
        before = (await predictions.outlook(LISTING)).predictions[0].at
        room.clock.to(FIRST + 60)
        assert await predictions.begin(room.clock.now())
        await predictions.make_at_once(room.clock.now())
        predictions.end()
        assert (await predictions.outlook(LISTING)).predictions[0].at == before
        await begun(room, predictions)
        assert (await predictions.outlook(LISTING)).predictions[0].at == before + HOUR


async def test_where_a_model_is_asked_or_closes_lie_too_far_apart_nothing_goes_along(tmp_path: Path):
    async with engine_room(tmp_path, RISING, minutes=FIRST) as room:
        asked = predicting(room, Script(says={"prediction": said()}).manager())
        await begun(room, asked)
        assert not asked.goes_along(HOUR)
        ruled = by_rules(room, tmp_path)
        assert not ruled.goes_along(HOUR), "those of the start are made first"
        await begun(room, ruled)
        assert ruled.goes_along(HOUR)
        assert not ruled.goes_along(4 * HOUR), "those of three closes between would be missing"
        assert ruled.goes_along(HOUR / 4)
