"""A context is renamed, removed or loses a market between two runs, while it holds something; and it comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot.app import App
from bot.doctor import Case, Line, Verdict, examine
from config.settings import Settings
from engine.timing.clocks import wall
from tests.fakes.plain import PLAIN
from tests.fakes.program import CHAT, TOKEN, Files, address, browser, running, settings_of
from tests.fakes.telegram import FakeTelegram
from tests.scenario.test_failover import press_in_browser, until

CONTEXT = {"name": "trend", "strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": []}
OTHER = {**CONTEXT, "name": "other", "strategy": "mean_reversion"}
RENAMED = [{**CONTEXT, "name": "trend_2"}]
REMOVED = [OTHER]
WITHOUT = [{**CONTEXT, "markets": ["ETH/USDT"]}, OTHER]
"""A program needs a context for its market: another one has it."""
GONE = "there is no context called trend"
MOVED = "the context trend does not trade BTC/USDT"


def settings_for(folder: Path, fake: FakeTelegram, contexts: list[dict[str, Any]]) -> Settings:
    return settings_of(folder, fake, approval={"auto_above": 0}, contexts=contexts)


async def hold(folder: Path, fake: FakeTelegram) -> Files:
    """A first run, in which the context has bought."""
    files = Files(folder=folder)
    async with running(settings_for(folder, fake, [CONTEXT])):
        await until(lambda: bool(files.events("PositionProtected")) and files.is_quiet(), "something is held")
    return files


def cards(fake: FakeTelegram) -> list[str]:
    """The cards about what no strategy manages, as they are now."""
    words = ("no strategy manages", "managed by")
    return [text for text in fake.texts(CHAT) if any(word in text.partition("\n")[0] for word in words)]


async def start(folder: Path, fake: FakeTelegram, contexts: list[dict[str, Any]]) -> list[str]:
    """A run of its own, from its start until everything is shown; what it said at the terminal."""
    said: list[str] = []
    async with running(settings_for(folder, fake, contexts), announce=said.append) as app:
        await until(lambda: bool(app.program) and Files(folder=folder).is_quiet(), "everything is shown")
    return said


async def get(app: App, path: str) -> Any:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=address(app), headers=headers, verify=PLAIN) as client:
        return (await client.get(path)).json()


def doctors(settings: Settings) -> Line:
    lines = examine(Case(settings=settings, wall=wall))
    return next(line for line in lines if line.name == "positions")


@pytest.mark.parametrize(
    ("contexts", "why"),
    [
        pytest.param(RENAMED, GONE, marks=pytest.mark.slow),
        (REMOVED, GONE),
        pytest.param(WITHOUT, MOVED, marks=pytest.mark.slow),
    ],
    ids=["renamed", "removed", "lost market"],
)
async def test_what_it_held_is_named_with_the_ways_on_once_until_it_is_back(
    tmp_path: Path, contexts: list[dict[str, Any]], why: str
):
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        await hold(tmp_path, fake)
        assert cards(fake) == []
        for _ in range(2):
            with capture_logs() as logs:
                said = await start(tmp_path, fake, contexts)
            assert [line["position"] for line in logs if line["event"] == "no strategy manages a position"] == ["T1"]
            assert any(line.startswith("No strategy manages T1 (BTC/USDT, opened by trend)") for line in said), said
            (card,) = cards(fake)
            for words in ("T1: no strategy manages", why, "stop and target stay", "/close T1", "leave it to its stop"):
                assert words in card, card
        line = await asyncio.to_thread(doctors, settings_for(tmp_path, fake, contexts))
        assert (line.verdict, why in line.text, "T1 (" in line.text) == (Verdict.WRONG, True, True)
        assert "/close T1" in line.remedy

        await start(tmp_path, fake, [CONTEXT])
        (card,) = cards(fake)
        assert card.startswith("T1 is managed by its strategy again: trend")
        line = await asyncio.to_thread(doctors, settings_for(tmp_path, fake, [CONTEXT]))
        assert (line.verdict, line.text) == (Verdict.OK, "1 open; each of the bot's own has its strategy")


async def test_its_stop_stays_and_closing_it_by_hand_ends_the_card(tmp_path: Path):
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        files = await hold(tmp_path, fake)
        async with running(settings_for(tmp_path, fake, RENAMED)) as app:
            await fake.wait_for(lambda: bool(cards(fake)), 20)
            assert (await get(app, "/api/status"))["unmanaged"] == ["T1"]
            (row,) = await get(app, "/api/positions?status=open")
            assert (row["unmanaged"], row["protected"]) == ("context", True)
            assert files.complaints() == []
            await say(app, "/close T1")
            await until(lambda: bool(files.rows("SELECT * FROM settings WHERE key LIKE 'closing.%'")), "it is asked")
            await press_in_browser(app, "p1", "close:C1")
            await until(lambda: "it was closed" in cards(fake)[0], "the card has ended")
        assert files.complaints() == []
        assert await asyncio.to_thread(doctors, settings_for(tmp_path, fake, RENAMED)) == Line(
            name="positions", verdict=Verdict.OK, text="none are open"
        )


async def say(app: App, text: str) -> None:
    async with browser(app, "p1") as page:
        answer = await page.post(
            "/chat/say", json={"text": text, "delivery_id": "00000000-0000-4000-8000-00000000000a"}
        )
        assert answer.status_code == 204, answer.text
