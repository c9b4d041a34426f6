"""The program as a whole: how fast it replays, starts and answers, and what it needs. ``make bench`` prints a table.

A cycle is one closed candle of one market, decided on by one context: the demo has nine an hour. Machines differ and
are busy, so nothing is asserted but that the runs that are compared did the same.
"""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import httpx
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.domain.events import HaltEnded
from engine.domain.halts import HaltKind
from engine.store.unit_of_work import UnitOfWork
from tests.bench.conftest import Tell
from tests.fakes.database import new_database
from tests.fakes.program import TOKEN
from tests.fakes.reports import NOON
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.fakes.watched import PATIENCE, Watched, ask_web, percentile, replay, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DAYS = 14
PACED = 200
"""Cycles a second while people ask."""
ASKED = 200
"""How often they do, on each platform."""
APART = 0.1
"""Seconds between two askings on all platforms: with more than 30 messages a second it would be the bot's own limit for
Telegram that is measured."""
CYCLES_AN_HOUR = 9
TRANSACTIONS = 500
SETTLED, MORE = 35, 30
"""Days until what goes is as much as what comes, and days in which it is measured."""


def test_replay(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    start = replay(tmp_path / "start", 0, ["--start", "2026-01-01", "--end", "2026-01-01T02:00"])
    durable = replay(tmp_path / "durable", DAYS, environ={"BOT_REPLAY__COMMIT_EVERY": "1"})
    batched = benchmark.pedantic(replay, (tmp_path / "batched", DAYS), rounds=1)
    assert batched.fingerprint == durable.fingerprint
    for name, run, aim in (("durable", durable, "300"), ("batched", batched, "2,000")):
        tell(f"replay, {name} commits", run.cycles / run.wall, "cycles/s", f">= {aim}")
        tell(f"replay, {name} commits, by its processor time", run.cycles / (run.cpu - start.cpu), "cycles/s", "")
    tell("replay, batched against durable", durable.wall / batched.wall, "times", "")


async def test_store(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    store = new_database(tmp_path)

    def work(uow: UnitOfWork) -> None:
        uow.settings.set("figure", str(uow.decisions.next_id()))
        uow.emit(HaltEnded(at=NOON, halt_id="H1", kind=HaltKind.PAUSE, by="Ada"))

    async def transact() -> float:
        began = time.perf_counter()
        for _ in range(TRANSACTIONS):
            await store.transact(work)
        return time.perf_counter() - began

    durable = await transact()
    with store.group_commit():
        batched = await transact()
        await store.flush()
    await store.close()
    benchmark.extra_info["durable"] = durable
    benchmark.pedantic(lambda: None, rounds=1)
    tell("store, three rows a transaction, each durable", TRANSACTIONS / durable, "a second", "")
    tell("store, three rows a transaction, one commit", TRANSACTIONS / batched, "a second", "")


def test_growth(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    """How much a day adds to the database of the demo once what is let go is as much as what comes."""

    def grown() -> float:
        replay(tmp_path / "account", SETTLED)
        before = _size(tmp_path)
        replay(tmp_path / "account", SETTLED + MORE)
        return (_size(tmp_path) - before) / MORE

    grows = benchmark.pedantic(grown, rounds=1)
    tell("the demo's database grows by a day", grows / 1000, "kB", "<= 100")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("**/greenlight.sqlite*"))


def test_start(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    async def first_answer() -> float:
        async with FakeTelegram() as fake:
            with watched(tmp_path, fake) as program:
                await fake.wait_for(lambda: fake.called("getUpdates") and program.url(), PATIENCE)
                await program.ask()
                return program.cpu()

    cpu = benchmark.pedantic(lambda: asyncio.run(first_answer()), rounds=1)
    tell("start to first answer, Telegram and web", cpu, "s of CPU", "<= 2")


@pytest.mark.parametrize(("platforms", "aim"), [("Telegram and web", 200), ("Telegram, Slack and web", 300)])
def test_memory(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell, platforms: str, aim: int) -> None:
    async def grown() -> float:
        async with FakeTelegram() as fake, FakeSlack() as slack:
            asked = slack if "Slack" in platforms else None
            with watched(tmp_path, fake, asked, wait_for_people=0, speed=72_000) as program:
                await fake.wait_for(lambda: fake.called("getUpdates") and program.url(), PATIENCE)
                await program.ask()
                await asyncio.sleep(15)  # twelve days of the market
                return program.memory()

    memory = benchmark.pedantic(lambda: asyncio.run(grown()), rounds=1)
    tell(f"resident memory, demo with {platforms}", memory, "MB", f"<= {aim}")


def test_chat(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    async def taken() -> dict[str, list[float]]:
        speed = PACED / CYCLES_AN_HOUR * 3600
        async with FakeTelegram() as fake:
            with watched(tmp_path, fake, wait_for_people=0, speed=speed) as program:
                await fake.wait_for(lambda: fake.called("getUpdates") and program.url(), PATIENCE)
                await asyncio.sleep(3)
                return await _ask_all(program)

    asked = benchmark.pedantic(lambda: asyncio.run(taken()), rounds=1)
    for what, seconds in asked.items():
        for share, aim in ((0.5, "<= 12"), (0.99, "<= 25")):
            name = f"{what} at {PACED} cycles/s, p{share * 100:.0f}"
            tell(name, percentile(seconds, share) * 1000, "ms", aim if "/status" in what else "")


async def _ask_all(program: Watched) -> dict[str, list[float]]:
    gc.collect()
    gc.freeze()  # who asks must not stop for a tenth of a second itself: that would be measured
    headers = {"Authorization": f"Bearer {TOKEN}"}
    recorded = "/resume on Telegram, on record before it is done,"  # as /status was once
    found: dict[str, list[float]] = {"/status on Telegram": [], "/status on the web": [], recorded: []}
    async with httpx.AsyncClient(base_url=program.url(), headers=headers, timeout=PATIENCE) as client:
        await ask_web(client)
        for _ in range(ASKED):
            found["/status on Telegram"].append(await program.ask())
            found["/status on the web"].append(await ask_web(client))
            found[recorded].append(await program.ask("/resume"))
            await asyncio.sleep(APART)
    return found
