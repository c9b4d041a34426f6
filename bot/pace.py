"""How fast the market goes, and how long it waits for people."""

from __future__ import annotations

import math
from datetime import timedelta

from config.settings import Settings
from engine.backtest.replay import Pace

COMMIT_EVERY = 100
"""How many candles share a commit at full speed, where nothing else is asked for."""
WAIT_FOR_PEOPLE = timedelta(minutes=2)
"""How long an approval holds a replay at a watchable speed, where nothing else is asked for."""


def pace(settings: Settings) -> Pace:
    """The pace of a replay with these settings."""
    speed = math.inf if settings.replay.speed == "max" else float(settings.replay.speed)
    asked = settings.replay.wait_for_people
    usual = timedelta(0) if math.isinf(speed) else WAIT_FOR_PEOPLE
    return Pace(
        speed=speed,
        wait_for_people=(usual if asked is None else asked).total_seconds(),
        commit_every=settings.replay.commit_every or (COMMIT_EVERY if math.isinf(speed) else 1),
    )
