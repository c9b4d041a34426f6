"""Market days at full speed with a busy chat: memory, file descriptors and tasks stay what they were (fault 31)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.fakes import flatness
from tests.fakes.flatness import Sample, samples
from tests.fakes.lives import PATIENCE
from tests.fakes.program import CHAT, settings_of
from tests.fakes.telegram import FakeTelegram

START = datetime(2026, 1, 1, tzinfo=UTC)
COMMANDS = ("/status", "/positions", "/profit 3", "/trades", "/pending", "/why A1", "/nonsense", "hello", "/digest")
PAUSE = 1.0
"""Wall seconds between two things that somebody does: the market is to have its turn as well."""
WINDOW = 5
"""Days that are looked at together: the least of them is what is held when nothing is under way."""


async def run(folder: Path, days: int, *, busy: bool = True, leaks: bool = False) -> list[Sample]:
    """So many days of the demo's first market, busy ones with people on two platforms; what was noted each day."""
    market = {
        "seed": 20,
        "start": START.isoformat(),
        "history": "300d",
        "markets": {
            "BTC/USDT": {"start_price": 60000, "lot": 0.00001, "tick": 0.01, "volatility": 0.6},
        },
    }
    contexts = [
        {"name": name, "strategy": name, "markets": ["BTC/USDT"], "timeframe": "1h", "higher": ["4h"]}
        for name in ("mean_reversion", "momentum")
    ]
    end = START + timedelta(days=days)
    replay = {"data": [], "start": None, "end": end.isoformat(), "wait_for_people": "0s", "until_end": True}
    async with FakeTelegram(answer_within=PATIENCE) as fake:
        fake.chat(CHAT)
        settings = settings_of(
            folder,
            fake,
            market=market,
            contexts=contexts,
            replay=replay,
            venue={"balances": {"USDT": 10000}},
            approval={"auto_above": 0.7, "ask_above": 0.3, "expires_after": "2h"},
        )
        process = flatness.begin(folder, settings, leaks=leaks)
        people = [asyncio.create_task(each) for each in (talk(fake), browse(folder))] if busy else []
        try:
            await asyncio.to_thread(process.join)
            for task in people:
                assert not task.done(), task.exception()
        finally:
            process.kill()
            for task in people:
                task.cancel()
            await asyncio.gather(*people, return_exceptions=True)
    assert process.exitcode == 0, (folder / "log").read_text()[-3000:]
    return samples(folder)


async def talk(fake: FakeTelegram) -> None:
    """Traders and a stranger write, and press whatever has buttons."""
    for number in count():
        fake.type(CHAT, (1001, 1002, 6666)[number % 3], COMMANDS[number % len(COMMANDS)])
        asking = [message for message in fake.messages(CHAT)[-20:] if message.buttons]
        if asking and number % 4 == 0:
            fake.press(CHAT, asking[-1].message_id, 1001, "Approve half")
        while fake.api.unconfirmed:  # noqa: ASYNC110 - one after the other: the market is to have its turn as well
            await asyncio.sleep(0.05)
        await asyncio.sleep(PAUSE)


async def browse(folder: Path) -> None:
    """A page that is opened again and again, reads the stream for a moment, writes, and fails to sign in elsewhere."""
    note, log = folder / "instance.json", folder / "log"
    while not note.exists():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.05)
    url = json.loads(note.read_text())["url"]
    link = next(line.rpartition(" ")[2] for line in log.read_text().splitlines() if "/enter/" in line)
    headers = {"origin": url}
    with contextlib.suppress(httpx.HTTPError, ExceptionGroup):  # it ends before we do
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            assert (await client.get(link)).status_code == 303
            for number in count():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.3), client.stream("GET", "/stream") as stream:
                        assert stream.status_code == 200
                        async for _ in stream.aiter_bytes():
                            pass
                said = {"text": COMMANDS[number % len(COMMANDS)], "id": str(uuid4())}
                await client.post("/chat/say", json=said)
                await client.get(f"/enter/nobody-{number}")
                await client.get("/api/status", headers={"authorization": "Bearer wrong"})
                await asyncio.sleep(PAUSE)
    await asyncio.Event().wait()


def growth(taken: Sequence[Sample], name: str) -> int:
    """How much more is held in the end than once it was warm; the two largest steps are what was loaded late."""
    warm = [getattr(sample, name) for sample in taken[WARM:]]
    least = [min(warm[day : day + WINDOW]) for day in range(0, len(warm) - WINDOW + 1, WINDOW)]
    return sum(sorted(later - earlier for earlier, later in pairwise(least))[:-2])


DAYS, WARM = 40, 10
"""How long it runs, and after how many days caches have filled."""
MOST = 1000
"""Pieces of memory that may stay behind: fewer than three with every candle of the days whose growth counts."""
BUSY_MOST = 4 * MOST
"""The same with people: what is being shown them when it is looked is held too, and a page has hundreds of messages."""
QUIET_DAYS, QUIET_WARM = 30, 10
"""The same where nobody writes."""


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_grows_over_market_days_while_nobody_writes(tmp_path):
    taken = (await run(tmp_path, QUIET_DAYS, busy=False))[QUIET_WARM:]
    first, last = taken[:WINDOW], taken[-WINDOW:]
    assert min(day.blocks for day in last) - min(day.blocks for day in first) < MOST
    assert max(day.files for day in last) <= max(day.files for day in first) + 4
    assert max(day.tasks for day in last) <= max(day.tasks for day in first) + 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_grows_over_market_days_with_a_busy_chat(tmp_path):
    taken = await run(tmp_path, DAYS)
    assert len(taken) >= DAYS - 1
    assert growth(taken, "files") <= 2
    assert growth(taken, "tasks") <= 2
    assert growth(taken, "blocks") < BUSY_MOST
    assert growth(taken, "kilobytes") < 4 * 1024


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_leak_with_every_candle_would_be_seen(tmp_path):
    assert growth(await run(tmp_path, DAYS, busy=False, leaks=True), "blocks") > MOST
