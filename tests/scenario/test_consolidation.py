"""Two contexts on one coin, of which one wants out at the close at which the other wants in: one of them gives way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.domain.decisions import Judged, Signals, Stance
from engine.domain.market import Timeframe
from engine.flow.cycle import run_cycles
from engine.strategies.consolidation import Consolidation
from engine.strategies.context import StrategyContext
from handlers.cards import why
from tests.fakes.engine import QUIET, Room, Script, engine_room, signals
from tests.fakes.program import CHAT, FALLEN
from tests.fakes.three_platforms import everywhere

HOUR = timedelta(hours=1)
AT_HOURS = """
from dataclasses import dataclass
from typing import ClassVar

from engine.strategies.base import Sign, StrategyBase


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHours(StrategyBase):
    name: ClassVar[str] = "at_hours"
    enter: int = 0
    leave: int = 0

    @property
    def warmup(self):
        return 20

    def triggers(self, sight):
        return (Sign(shows=sight.candles.open_ms // 3_600_000 % 24 == self.enter, words=lambda row: "its hour"),)

    def conditions(self, sight):
        return ()

    def reversals(self, sight):
        return (Sign(shows=sight.candles.open_ms // 3_600_000 % 24 == self.leave, words=lambda row: "its end"),)
"""


def wanting_in(confidence: float = 1.0) -> Signals:
    """A signal with its stop so far away that both contexts have room for the coin."""
    return signals(confidence, stop=30.0, target=60.0)


@dataclass
class Two:
    """A room in which the first context, ``hand``, holds a coin that the second one, ``other``, does not."""

    room: Room
    other: Script
    contexts: tuple[StrategyContext, ...]
    mode: Consolidation

    async def close(self) -> dict[str, tuple[Judged, ...]]:
        """What the job does at the close of a candle; what each context has decided."""
        room, now = self.room, self.room.clock.now()
        await room.orchestrator.resolve_unknown_orders()
        await room.orchestrator.restore_protection()
        await room.books.mark_to_market(now)
        records = await run_cycles(replace(room.services, consolidation=self.mode), self.contexts, now)
        await room.orchestrator.sync_venue_events()
        return {record.context: record.decisions for record in records}

    async def oppose(self, confidence: float = 1.0) -> dict[str, tuple[Judged, ...]]:
        """An hour later the one that holds wants out, and the other one wants in."""
        self.room.clock.at += HOUR
        now = self.room.clock.now()
        self.room.script.exits[now] = "the trend is over"
        self.other.entries[now] = wanting_in(confidence)
        return await self.close()

    async def holders(self) -> list[str]:
        return [held.context for held in await self.room.held()]

    async def story(self, judged: Judged) -> str:
        """What ``/why`` says of a decision."""
        return str(why.card(await self.room.views.why(judged.decision.id)))


@asynccontextmanager
async def two(
    folder: Path,
    mode: Consolidation,
    *,
    hand: tuple[float, int] = (1, 0),
    other: tuple[float, int] = (1, 0),
) -> AsyncIterator[Two]:
    script = Script(name="other")
    async with engine_room(folder, (QUIET,) * 60) as room:
        first = replace(room.context, weight=hand[0], priority=hand[1])
        second = StrategyContext(
            name="other",
            venue="paper",
            strategy=script,
            markets=first.markets,
            timeframe=Timeframe.H1,
            weight=other[0],
            priority=other[1],
        )
        pair = Two(room, script, (first, second), mode)
        room.script.entries[room.clock.now()] = wanting_in()
        await pair.close()
        assert await pair.holders() == ["hand"]
        yield pair


async def test_each_for_its_own_sells_and_buys_at_the_same_close(tmp_path: Path):
    async with two(tmp_path, Consolidation.OWN) as pair:
        await pair.oppose()
        assert await pair.holders() == ["other"]


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        (Consolidation.NETTED, {"other": (9.0, 9)}, "in and out are nothing (consolidation: netted)"),
        (Consolidation.PRIORITISED, {"hand": (1.0, 1)}, "its priority is 1, that of other 0"),
        (Consolidation.WEIGHTED, {"other": (1.0, 9)}, "1.00 of weight for leaving, 1.00 for entering"),
    ],
)
async def test_who_leaves_is_heard_and_the_other_buys_nothing_and_says_why(
    tmp_path: Path, mode: Consolidation, more: dict[str, tuple[float, int]], words: str
):
    async with two(tmp_path, mode, **more) as pair:
        decided = await pair.oppose()
        assert await pair.holders() == []
        (told,) = decided["other"]
        assert told.decision.stance is Stance.ENTER
        story = await pair.story(told)
        assert "refused: hand wants out of BTC at this close" in story
        assert words in story


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        (Consolidation.PRIORITISED, {"other": (1.0, 1)}, "priority 1 against 0"),
        (Consolidation.WEIGHTED, {"other": (1.5, 0)}, "1.50 of weight for entering"),
    ],
)
async def test_who_enters_is_heard_and_the_other_keeps_its_coins_and_their_stop_until_the_next_close(
    tmp_path: Path, mode: Consolidation, more: dict[str, tuple[float, int]], words: str
):
    async with two(tmp_path, mode, **more) as pair:
        decided = await pair.oppose()
        assert await pair.holders() == ["hand", "other"]
        assert [each[0] for each in await pair.room.orders()].count("exit") == 0
        leaving = decided["hand"][0]
        story = await pair.story(leaving)
        assert f"refused: other buys BTC at this close: {words}; the stop stands until the next" in story
        await pair.room.orchestrator.restore_protection()
        assert all(view.protected for view in await pair.room.views.positions())
        pair.room.clock.at += HOUR
        pair.room.script.exits[pair.room.clock.now()] = "the trend is over"
        await pair.close()
        assert await pair.holders() == ["other"]


async def test_an_entry_that_comes_to_nothing_is_waited_for_by_nobody(tmp_path: Path):
    """It has the priority, but not the confidence to be made without a question."""
    async with two(tmp_path, Consolidation.PRIORITISED, other=(1.0, 5)) as pair:
        await pair.oppose(confidence=0.6)
        assert await pair.holders() == []


async def test_where_nobody_wants_the_opposite_both_trade(tmp_path: Path):
    async with two(tmp_path, Consolidation.NETTED) as pair:
        pair.room.clock.at += HOUR
        pair.other.entries[pair.room.clock.now()] = wanting_in()
        await pair.close()
        assert await pair.holders() == ["hand", "other"]


@pytest.mark.slow
async def test_somebody_asks_why_in_chat(tmp_path: Path):
    """One buys at the first close and wants out three hours later, when the other, which has the priority, wants in."""
    strategies = tmp_path / "strategies"
    strategies.mkdir()
    (strategies / "at_hours.py").write_text(AT_HOURS)
    usual = {"strategy": "./strategies/at_hours.py:AtHours", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": []}
    changes: dict[str, Any] = {
        "contexts": [
            {"name": "slow", **usual, "priority": 1, "params": {"enter": 0, "leave": 3}},
            {"name": "quick", **usual, "priority": 2, "params": {"enter": 3, "leave": 8}},
        ],
        "consolidation": "prioritised",
        "approval": {"auto_above": 0, "ask_above": 0},
        "risk": {"max_position": 0.5, "risk_per_trade": 0.001},
        "replay": {"end": FALLEN.isoformat()},
    }
    async with everywhere(tmp_path, **changes) as at, at.running():
        refused = "SELECT id FROM decisions WHERE context = 'slow' AND record LIKE '%consolidation: prioritised%'"
        await at.until(lambda: bool(at.files.rows(refused)))
        (told,) = at.files.rows(refused)
        await at.write("telegram", "Tom", f"/why {told['id']}")
        words = "refused: quick buys BTC at this close: priority 2 against 1; the stop stands until the next"
        await at.until(lambda: any(words in each.text for each in at.telegram.messages(CHAT)))
        await at.until(lambda: at.files.complaints() == [])
