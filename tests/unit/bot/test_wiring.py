"""How fast the market goes, and how long it waits for people."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import COMMIT_EVERY, WAIT_FOR_PEOPLE, caught_up, pace
from config.loader import load
from engine.backtest.replay import Pace

USUAL = WAIT_FOR_PEOPLE.total_seconds()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"replay.speed": 3600}, Pace(speed=3600, wait_for_people=USUAL)),
        ({"replay.speed": 60}, Pace(speed=60, wait_for_people=USUAL)),
        ({"replay.speed": "max"}, Pace(speed=math.inf, wait_for_people=0, commit_every=COMMIT_EVERY)),
        ({"replay.speed": "max", "replay.commit_every": 1}, Pace(speed=math.inf, wait_for_people=0, commit_every=1)),
        ({"replay.speed": 60, "replay.commit_every": 5}, Pace(speed=60, wait_for_people=USUAL, commit_every=5)),
        (
            {"replay.speed": "max", "replay.wait_for_people": "30s"},
            Pace(speed=math.inf, wait_for_people=30, commit_every=COMMIT_EVERY),
        ),
        ({"replay.speed": 60, "replay.wait_for_people": 0}, Pace(speed=60, wait_for_people=0)),
    ],
)
def test_at_a_speed_one_can_watch_questions_wait_and_at_full_speed_only_when_asked_to(
    tmp_path: Path, asked: dict[str, Any], expected: Pace
):
    assert pace(load("base", None, asked, {}, tmp_path)) == expected


async def test_a_day_waits_for_a_venue_that_is_behind_and_not_for_one_that_stays_away():
    end = datetime(2026, 1, 1, 18, tzinfo=UTC)
    reached: list[datetime | None] = [None]
    waiting = asyncio.create_task(caught_up(lambda: reached[-1], end))
    for reached[-1] in (None, end - timedelta(seconds=1)):
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
    reached.append(end)
    async with asyncio.timeout(10):
        await waiting
        await caught_up(lambda: None, end, within=0.05)
