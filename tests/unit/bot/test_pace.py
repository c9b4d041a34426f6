"""How fast the market goes, and how long it waits for people."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bot.pace import COMMIT_EVERY, WAIT_FOR_PEOPLE, pace
from config.loader import load
from engine.backtest.replay import Pace

USUAL = WAIT_FOR_PEOPLE.total_seconds()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"speed": 3600}, Pace(speed=3600, wait_for_people=USUAL)),
        ({"speed": 60}, Pace(speed=60, wait_for_people=USUAL)),
        ({"speed": "max"}, Pace(speed=math.inf, wait_for_people=0, commit_every=COMMIT_EVERY)),
        ({"speed": "max", "commit_every": 1}, Pace(speed=math.inf, wait_for_people=0, commit_every=1)),
        ({"speed": 60, "commit_every": 5}, Pace(speed=60, wait_for_people=USUAL, commit_every=5)),
        (
            {"speed": "max", "wait_for_people": "30s"},
            Pace(speed=math.inf, wait_for_people=30, commit_every=COMMIT_EVERY),
        ),
        ({"speed": 60, "wait_for_people": 0}, Pace(speed=60, wait_for_people=0)),
    ],
)
def test_at_a_speed_one_can_watch_questions_wait_and_at_full_speed_only_when_asked_to(
    tmp_path: Path, asked: dict[str, Any], expected: Pace
):
    assert pace(load("base", None, {"replay": asked}, {}, tmp_path).settings) == expected
