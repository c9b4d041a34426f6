from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.ai.calibrator import Calibrator
from engine.domain.autonomy import AskHuman, Execute, Refuse
from engine.domain.decisions import Judged, Opinion, Verdict
from engine.domain.outcomes import Calibrated, Outcome
from engine.domain.positions import EXTERNAL
from tests.fakes.engine import Room, at, engine_room
from tests.fakes.graded import close_trades

BEFORE = at(0)
OURS = {"strategy": "script", "timeframe": "1h"}
HEARD = (Opinion(agent="analyst", verdict=Verdict.APPROVE),)
MOST_WON = [(1.0, True)] * 280 + [(1.0, False)] * 20
SOME_WON = [(1.0, True)] * 180 + [(1.0, False)] * 120
FEW_WON = [(1.0, True)] * 30 + [(1.0, False)] * 270
FEW_KNOWN = [(1.0, True)] * 18 + [(1.0, False)] * 2 + [(0.3, False)] * 150


async def entered(folder: Path, trades: list[tuple[float, bool]], **of: str) -> Judged:
    """What is decided on a sure entry after such trades, of the same strategy and timeframe or of others."""
    async with engine_room(folder, calibration=Calibrator(max_width=0.2)) as room:
        await room.store.transact(lambda uow: close_trades(uow, trades, begin=BEFORE, **(OURS | of)))
        (judged,) = (await room.enter(1.0)).decisions
        return judged


@pytest.mark.parametrize(
    ("trades", "ruling", "confidence"),
    [
        (MOST_WON, Execute, 280 / 300),
        (SOME_WON, AskHuman, 0.6),
        (FEW_WON, AskHuman, 0.1),
        (FEW_KNOWN, AskHuman, 0.9),
        (SOME_WON[-149:], Execute, 1.0),
    ],
)
async def test_what_such_trades_came_to_decides_who_decides(
    tmp_path: Path, trades: list[tuple[float, bool]], ruling: type, confidence: float
):
    judged = await entered(tmp_path, trades)
    assert isinstance(judged.ruling, ruling)
    assert judged.decision.confidence == pytest.approx(confidence)


@pytest.mark.parametrize("of", [{"strategy": "momentum"}, {"timeframe": "4h"}])
async def test_trades_of_another_strategy_or_timeframe_say_nothing(tmp_path: Path, of: dict[str, str]):
    judged = await entered(tmp_path, SOME_WON, **of)
    assert isinstance(judged.ruling, Execute)
    assert judged.decision.calibration is None


async def test_trades_that_somebody_else_made_say_nothing(tmp_path: Path):
    async with engine_room(tmp_path, calibration=Calibrator(max_width=0.2)) as room:
        await room.store.transact(lambda uow: close_trades(uow, SOME_WON, begin=BEFORE, context=EXTERNAL, **OURS))
        (judged,) = (await room.enter(1.0)).decisions
        assert isinstance(judged.ruling, Execute)


async def test_a_weak_entry_is_refused_however_well_such_trades_went(tmp_path: Path):
    async with engine_room(tmp_path, calibration=Calibrator(max_width=0.2)) as room:
        won = [(0.4, True)] * 300
        await room.store.transact(lambda uow: close_trades(uow, won, begin=BEFORE, **OURS))
        (judged,) = (await room.enter(0.4)).decisions
        assert isinstance(judged.ruling, Refuse)
        assert judged.decision.confidence == 0.4


async def test_what_was_lowered_is_graded_by_what_it_was_before(tmp_path: Path):
    """Else a strategy that was calibrated once would be calibrated by its own calibration."""
    async with engine_room(tmp_path, calibration=Calibrator(max_width=0.2)) as room:
        await room.store.transact(lambda uow: close_trades(uow, MOST_WON, begin=BEFORE, **OURS))
        await room.enter(1.0)
        room.clock.to(25 * 60)
        room.script.exits[room.clock.now()] = "enough"
        await room.cycle()
        last = (await outcomes(room))[-1]
        assert (last.confidence, last.strategy, last.timeframe, last.won) == (1.0, "script", "1h", False)


async def test_a_trade_that_closes_counts_at_the_next_decision_and_is_counted_once(room: Room):
    calibrator = Calibrator(max_width=0.2)

    def close(trades: list[tuple[float, bool]], minutes: float) -> None:
        return room.store.transact(lambda uow: close_trades(uow, trades, begin=at(minutes), **OURS))

    async def known() -> int:
        found = await room.store.transact(lambda uow: calibrator.of(uow, "script", "1h", 1.0))
        return found.outcomes if found else 0

    await close(SOME_WON[:149], 0)
    assert await known() == 0
    await close([(1.0, True)], 148)  # in the very minute of the last one
    assert [await known(), await known()] == [150, 150]
    await close([(1.0, True)], 400)
    assert await known() == 151
    fresh = Calibrator(max_width=0.2)
    ours, theirs = [
        await room.store.read(lambda uow, each=each: each.of(uow, "script", "1h", 1.0)) for each in (calibrator, fresh)
    ]
    assert ours == theirs


async def test_what_is_kept_is_read_once_and_what_waits_with_others_is_forgotten_with_them(room: Room):
    calibrator, read = Calibrator(max_width=0.2), list[datetime | None]()

    def counting(uow) -> Calibrated | None:
        def closed_from(begin: datetime | None) -> tuple[Outcome, ...]:
            read.append(begin)
            return uow.outcomes.closed_from(begin)

        told = SimpleNamespace(outcomes=SimpleNamespace(closed_from=closed_from), once_kept=uow.once_kept)
        return calibrator.of(told, "script", "1h", 1.0)

    with room.store.group_commit():
        await room.store.transact(lambda uow: close_trades(uow, SOME_WON, begin=BEFORE, **OURS))
        assert await room.store.transact(counting) == await room.store.transact(counting) is not None
        assert read == [None, None], "nothing of it is kept yet"
        await room.store.flush()
        await room.store.transact(counting)
        assert read[2:] == [at(299)]


async def test_one_transaction_may_decide_on_what_it_has_seen_close(room: Room):
    """A replay keeps many closes in one: a decision is not written yet when its trade closes."""

    def work(uow) -> tuple[Outcome, ...]:
        close_trades(uow, [(0.7, True)], begin=BEFORE, opinions=HEARD, **OURS)
        return uow.outcomes.closed_from(None)

    (found,) = await room.store.transact(work)
    assert (found.confidence, found.won, found.heard) == (0.7, True, True)


async def test_outcomes_are_those_closed_within_a_time(room: Room):
    await room.store.transact(lambda uow: close_trades(uow, [(0.7, True)] * 5, begin=at(0), **OURS))
    found = await room.store.read(lambda uow: uow.outcomes.closed_within(at(1), at(3)))
    assert [each.closed_at for each in found] == [at(2), at(2) + timedelta(minutes=1)]


async def outcomes(room: Room) -> tuple[Outcome, ...]:
    return await room.store.read(lambda uow: uow.outcomes.closed_from(None))


async def test_what_a_transaction_has_read_that_came_to_nothing_is_forgotten(room: Room):
    """It was rolled back, and so these trades have never closed."""
    calibrator = Calibrator(max_width=0.2)
    undone: list[Calibrated | None] = []

    def failing(uow) -> None:
        close_trades(uow, FEW_WON, begin=at(500), **OURS)
        undone.append(calibrator.of(uow, "script", "1h", 1.0))
        raise ValueError("undone")

    async def known() -> Calibrated | None:
        return await room.store.transact(lambda uow: calibrator.of(uow, "script", "1h", 1.0))

    with pytest.raises(ValueError, match="undone"):
        await room.store.transact(failing)
    assert undone[0] is not None
    assert await known() is None
    await room.store.transact(lambda uow: close_trades(uow, MOST_WON, begin=BEFORE, **OURS))
    found = await known()
    assert found is not None
    assert (found.outcomes, found.value) == (300, pytest.approx(280 / 300))
