"""A flood of signals: counted within its time, halted, ended by a person, and counted anew from there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from engine.domain.autonomy import Refuse
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from engine.risk.limits import RiskLimits
from tests.fakes.engine import DAY, Room, at, engine_room

ANN = Person(name="Ann", role=Role.TRADER)
LIMITS = RiskLimits(max_signals=2, signals_within=timedelta(hours=6))
REASON = "3 entry signals within 6 hours; 2 are allowed"


async def halts(room: Room) -> list[str]:
    standing = await room.store.read(lambda uow: uow.halts.open())
    return [found.halt.reason for found in standing if found.halt.kind is HaltKind.SIGNALS]


async def signal(room: Room, hour: int) -> str:
    """What became of a signal so weak that nobody is asked."""
    room.clock.at = at(DAY + hour * 60)
    (judged,) = (await room.enter(0.4)).decisions
    assert isinstance(judged.ruling, Refuse)
    return judged.ruling.reasons[0]


async def test_one_signal_too_many_halts_everything_until_a_trader_has_looked(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        assert [await signal(room, hour) for hour in (1, 2, 3)][-1] == REASON
        assert await halts(room) == [REASON]
        assert await signal(room, 4) == REASON
        (ended,) = await room.desk.resume(ANN)
        assert ended.halt.kind is HaltKind.SIGNALS
        assert await signal(room, 5) != REASON
        assert await signal(room, 6) != REASON
        assert await halts(room) == []
        assert await signal(room, 7) == REASON


async def test_signals_of_long_ago_do_not_count_nor_any_where_there_is_no_limit(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        for hour in (1, 4, 8, 11, 15):
            await signal(room, hour)
        assert await halts(room) == []
    async with engine_room(tmp_path / "free") as free:
        for hour in range(1, 12):
            await signal(free, hour)
        assert await halts(free) == []
