"""When what calls for a stop by itself is looked at: live, each close on its own candles and prices."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.emergencies import emergency_jobs
from engine.domain.errors import VenueError
from engine.domain.market import Timeframe
from engine.domain.triggers import Cause, LeadsTo, Trigger
from engine.flow.emergency_watch import EmergencyWatch
from engine.risk.limits import RiskLimits
from tests.fakes.engine import QUIET, engine_room

FALLING = (*(QUIET,) * 25, *((100, 100, 91, 91, 10_000),) * 40)
"""Nine per cent lower from an hour after the entry on."""
LARGE = RiskLimits(risk_per_trade=Decimal("0.5"), max_position=Decimal("0.9"), max_exposure=Decimal("0.9"))
AT = Trigger(leads_to=LeadsTo.REDUCING, trips_at=Decimal("0.025"), ends_at=Decimal(0), calm_for=timedelta(hours=1))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.FLASH_CRASH, "BTC/USDT has fallen by 9% within 45 minutes; the emergency limit is 2.5%"),
        (Cause.DRAWDOWN, "has reached the emergency limit of 2.5%"),
    ],
)
async def test_live_a_close_is_looked_at_once_its_candles_are_in_though_no_venue_s_job_has_marked_them(
    tmp_path: Path, cause: Cause, words: str
):
    async with engine_room(tmp_path, FALLING, limits=LARGE) as room:
        own = EmergencyWatch(
            store=room.store,
            emergency=room.desk.emergency,
            approvals=room.approvals,
            orchestrator=room.orchestrator,
            candles=room.services.candles,
            triggers={cause: AT},
            timeframe=Timeframe.H1,
            crash_within=timedelta(minutes=45),
        )

        async def come(_: datetime) -> None:
            room.venue.blind = None

        (job,) = emergency_jobs(own, room.books, candles_in=come)
        await room.enter(stop=60.0, target=80.0)
        for _ in range(2):
            assert not await room.store.read(lambda uow: uow.halts.open())
            room.clock.at += HOUR
            await room.orchestrator.sync_venue_events()
            room.venue.blind = VenueError("They are not there yet.")
            assert job.ready is not None
            await job.ready(room.clock.now())
            await job.run(room.clock.now())
        (found,) = await room.store.read(lambda uow: uow.halts.open())
        assert found.halt.reason.endswith(words)
