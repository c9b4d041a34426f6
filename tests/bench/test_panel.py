"""How long a panel takes whose model answers after two seconds, by the official SDK, and what waits for it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bot.models import build_models
from bot.panel import panel_of
from config.loader import load
from engine.domain.decisions import Opinion, Verdict
from engine.domain.market import Market
from engine.domain.proposals import Proposal
from engine.llm.manager import LLMManager
from engine.ports import Panel
from engine.timing.clocks import wall
from tests.bench.conftest import Tell
from tests.fakes.engine import QUIET, Room, engine_room
from tests.fakes.llm_servers import KEY, Asked, Turn, serving
from tests.fakes.panel import NOON, a_proposal, an_opinion
from tests.fakes.patience import until
from tests.fakes.predictions import RISING, predicting
from tests.fakes.research import CHAT, EVENTS, EXPIRY, MARKETS, PROTECTION, Late, lateness
from tests.fakes.watched import percentile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TAKES = 2.0
"""Seconds that the model takes to answer."""
WAVES = 3
LASTS = 20.0
ASKED = count()
SYMBOL = re.compile(r"<brief symbol=(\S+) ")
ROWS = {f"C{number}/USDT": (QUIET,) * 60 for number in range(MARKETS)}
SOLD = tuple(Market(symbol=symbol, tick=Decimal("0.01"), lot=Decimal("0.001")) for symbol in ROWS)


def says(asked: Asked) -> Turn:
    """An opinion, or a prediction, of the market that is asked about."""
    found = SYMBOL.search(json.dumps(asked.body["input"]))
    symbol = found.group(1) if found else "BTC/USDT"
    if "horizon_candles" in json.dumps(asked.body.get("text")):
        reasons = [{"text": "it rises", "fields": ["f1"]}]
        told = {"symbol": symbol, "direction": "bullish", "expected_move_percent": 1, "horizon_candles": 3}
        return Turn(text=json.dumps(told | {"reasons": reasons}), wait=TAKES)
    return Turn(text=json.dumps(an_opinion(symbol=symbol)), wait=TAKES)


@asynccontextmanager
async def asking(folder: Path, room: Room) -> AsyncIterator[tuple[Panel, LLMManager]]:
    """The panel of the demo, each member a model that is asked over loopback, again and again."""
    async with serving() as server:
        server.next = says
        environ = {
            "BOT_LLM__PROVIDERS__OPENAI__API_KEY": KEY,
            "BOT_LLM__PROVIDERS__OPENAI__MODEL": "gpt-5-mini",
            "BOT_LLM__PROVIDERS__OPENAI__API_URL": server.openai_url,
            "BOT_LLM__CACHE_TTL": "0s",
            "BOT_AI__GATE__MIN_CHANGE": "0",
        }
        settings = load("demo", None, {}, environ, folder).settings
        models = build_models(settings, room.store, room.clock, wall)
        await models.manager.generate("Are you there?", "", deadline=20)  # what is loaded once is loaded
        try:
            yield panel_of(settings, models.manager, room.store, {}), models.manager
        finally:
            await models.close()


async def deliberation(panel: Panel, symbol: str) -> float:
    """Wall seconds that one takes; every member has been asked, as the same was never asked before, and has spoken."""
    began = time.monotonic()
    opinions = await panel.opinions(a_proposal(symbol=symbol, candle_at=NOON + timedelta(hours=next(ASKED))), 30)
    assert [each.verdict for each in opinions] == [Verdict.APPROVE] * 4, opinions
    took = time.monotonic() - began
    assert took >= 2 * TAKES, "the model was not waited for in both rounds"
    return took


async def wave(panel: Panel) -> list[float]:
    """As many deliberations at once as there are markets."""
    return list(await asyncio.gather(*(deliberation(panel, symbol) for symbol in ROWS)))


def test_two_rounds_and_four_predictions_of_a_model_that_takes_two_seconds(
    benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell
) -> None:
    async def measured() -> tuple[list[float], list[float], float, float]:
        async with engine_room(tmp_path, RISING, minutes=len(RISING) * 60) as room, asking(tmp_path, room) as asked:
            panel, manager = asked
            alone = [await deliberation(panel, "BTC/USDT") for _ in range(3)]
            await wave(panel)
            used = time.process_time()
            at_once = [took for _ in range(WAVES) for took in await wave(panel)]
            used = (time.process_time() - used) / WAVES
            predictions = predicting(room, manager, within=30)
            began = time.monotonic()
            await predictions.make(room.clock.now())
            await until(lambda: not predictions.busy)
            took = time.monotonic() - began
            outlook = await predictions.outlook(predictions.listings[0])
            assert len(outlook.predictions) == 4
            return alone, at_once, used, took

    alone, at_once, used, predicted = benchmark.pedantic(lambda: asyncio.run(measured()), rounds=1)
    tell("panel, two rounds of 2 s, one alone, at the most", max(alone), "s", "<= 5")
    tell(f"panel, {MARKETS} at once, p50 of {len(at_once)}", percentile(at_once, 0.5), "s", "")
    tell(f"panel, {MARKETS} at once, p95 of {len(at_once)}", percentile(at_once, 0.95), "s", "<= 5")
    tell(f"panel, {MARKETS} at once, processor time of both sides", used, "s", "")
    tell("four predictions of 2 s", predicted, "s", "<= 3")


@dataclass
class Filled:
    """A panel that is put together once the room is there in which it sits."""

    panel: Panel | None = None
    patience: timedelta = timedelta(seconds=30)

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        assert self.panel is not None
        return await self.panel.opinions(proposal, within)


def test_twenty_markets_that_close_at_once(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    async def measured() -> tuple[float, float]:
        panel = Filled()
        async with (
            engine_room(tmp_path, ROWS, markets=SOLD, panel=panel, cash=Decimal(1_000_000)) as room,
            asking(tmp_path, room) as asked,
        ):
            panel.panel, _ = asked
            began = time.monotonic()
            await room.enter(0.7)
            closed = time.monotonic()
            await room.deliberations.ask()
            await until(lambda: not room.deliberations.busy, seconds=60)
            room.clock.at += timedelta(seconds=5)
            await room.deliberations.conclude(room.venue.name)
            took = time.monotonic() - closed
            decided = await room.store.read(lambda uow: uow.decisions.newest(100))
            assert len(decided) == MARKETS
            assert all(len(each.opinions) == 4 for each in decided)
            return closed - began, took

    closing, took = benchmark.pedantic(lambda: asyncio.run(measured()), rounds=1)
    tell(f"{MARKETS} markets close at once: the cycle, a panel waiting", closing, "s", "")
    tell(f"{MARKETS} markets close at once: until all are decided", took, "s", "<= 5")


def test_what_goes_on_while_a_panel_thinks(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    async def thinking(room: Room) -> None:
        ends = time.monotonic() + LASTS - 2 * TAKES
        async with asking(tmp_path, room) as (panel, _):
            while time.monotonic() < ends:
                await wave(panel)

    def measured() -> dict[str, Late]:
        return {
            "without it": asyncio.run(lateness(tmp_path / "without", lasts=LASTS, research=False)),
            f"{MARKETS} panels": asyncio.run(lateness(tmp_path / "with", lasts=LASTS, thinking=thinking)),
        }

    async def load() -> None:
        """What a bot has loaded since the small question at its start."""
        async with engine_room(tmp_path / "loads") as room, asking(tmp_path, room) as (panel, _):
            await wave(panel)

    for name in ("loads", "without", "with"):
        (tmp_path / name).mkdir()
    asyncio.run(load())
    late = benchmark.pedantic(measured, rounds=1)
    for what in (EXPIRY, EVENTS, PROTECTION, CHAT):
        both = {how: percentile(found.seconds[what], 0.5) for how, found in late.items()}
        for how, seconds in both.items():
            tell(f"{what} late, {how}, p50", seconds * 1000, "ms", "")
            tell(f"{what} late, {how}, at the most", max(late[how].seconds[what]) * 1000, "ms", "")
        without, thought = both.values()
        tell(f"{what}: what panels add at p50", (thought - without) * 1000, "ms", "<= 50")
