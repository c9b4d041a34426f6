"""A policy's story in chat: advisory, made active, its file damaged; one that was trained anew, adopted or declined."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bot.app import App
from bot.externals import EXTERNALS
from config.settings import Settings
from engine.learning.policy_files import save_policy
from tests.fakes.policies import steady_policy
from tests.fakes.program import Files, browser, running, settings_of
from tests.fakes.retraining import an_eighth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START = datetime(2024, 3, 4, tzinfo=UTC)
WEEK = START + timedelta(days=7)
TEAM = [{"name": "Ada", "role": "admin", "web": "ada"}, {"name": "Tom", "role": "trader", "web": "tom"}]
MARKETS = {
    "ETH/EUR": {"start_price": 3000, "lot": 0.0001, "tick": 0.01, "volatility": 0.9},
    "BTC/EUR": {"start_price": 60000, "lot": 0.00001, "tick": 0.01, "volatility": 0.7},
}
CONTEXT = {"name": "trend", "strategy": "momentum", "markets": list(MARKETS), "timeframe": "1h", "higher": ["4h"]}


def settings(folder: Path, end: datetime, *, stays: bool = False, start: datetime = START) -> Settings:
    """A made-up market that is played up to a time."""
    options: dict[str, Any] = {
        "people": TEAM,
        "venue": {"balances": {"EUR": 20_000}, "file": str(folder / "venue.sqlite")},
        "market": {"seed": 20, "start": start.isoformat(), "history": "30d", "markets": MARKETS},
        "contexts": [CONTEXT],
        "replay": {
            "data": [],
            "start": None,
            "wait_for_people": "0s",
            "end": end.isoformat(),
            "until_end": not stays,
        },
        "approval": {"auto_above": 0.4, "ask_above": 0.3, "expires_after": "2h"},
        "digest": {"timezone": "Asia/Kolkata"},
        "ppo": {"policy": str(folder / "calm.json"), "mode": "advisory", "max_age": None},
    }
    return settings_of(folder, **options)


async def play(folder: Path, end: datetime) -> None:
    """Play it from where it was left."""
    await App(settings(folder, end), announce=lambda _: None).run()


async def says(page: httpx.AsyncClient, text: str) -> None:
    answer = await page.post("/chat/say", json={"text": text, "delivery_id": str(uuid4())})
    assert answer.status_code < 300, answer.text


async def presses(page: httpx.AsyncClient, data: str) -> None:
    answer = await page.post("/chat/press", json={"data": data, "delivery_id": str(uuid4())})
    assert answer.status_code < 300, answer.text


async def text_of(page: httpx.AsyncClient) -> str:
    """All that can be read in the chat."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (await page.get("/")).text).replace("\u200b", ""))


def made(folder: Path) -> list[Mapping[str, Any]]:
    """What was made of each entry, oldest first."""
    query = (
        "SELECT at, json_extract(record, '$.adjustment.mode') AS mode, json_extract(record, '$.adjustment.why') AS why"
    )
    rows = Files(folder=folder).rows(f"{query} FROM decisions WHERE stance = 'enter' ORDER BY number")
    return [row for row in rows if row["mode"] is not None]


async def test_advisory_for_a_week_then_active_then_a_damaged_file_and_the_alert(tmp_path: Path):
    save_policy(steady_policy(-0.5, -1.0, -1.0, name="calm"), tmp_path / "calm.json")
    await play(tmp_path, WEEK)
    assert {row["mode"] for row in made(tmp_path)} == {"advisory"}
    async with running(settings(tmp_path, WEEK, stays=True)) as app:
        async with browser(app, "tom") as page:
            assert re.search(r"Adjuster \d+ entr(y|ies) would have been 25% of the size", await text_of(page))
            await says(page, "/ppo active")
            assert "Setting the adjuster needs the role admin" in await text_of(page)
            await says(page, "/ppo")
            assert "Adjuster: advisory" in await text_of(page)
        async with browser(app, "ada") as page:
            await says(page, "/ppo active")
            assert "Make the adjuster active? (M1)" in await text_of(page)
        async with browser(app, "tom") as page:
            await presses(page, "ppo-set:M1")
            assert "needs the role admin; yours is trader" in await text_of(page)
        async with browser(app, "ada") as page:
            await presses(page, "ppo-set:M1")
            assert "The adjuster is active now (M1)" in await text_of(page)
            await says(page, "/ppo")
            assert "Set by Ada, " in await text_of(page)
    before = len(made(tmp_path))
    await play(tmp_path, WEEK + timedelta(days=5))
    after = made(tmp_path)[before:]
    assert len(after) > 1
    assert {(row["mode"], row["why"]) for row in after} == {("active", "")}
    (tmp_path / "calm.npz").write_bytes(b"PK damaged")
    before = len(made(tmp_path))
    end = WEEK + timedelta(days=10)
    await play(tmp_path, end)
    after = made(tmp_path)[before:]
    assert len(after) > 1
    assert all(row["why"].startswith("calm.npz is not the file that was written with its JSON") for row in after)
    async with running(settings(tmp_path, end, stays=True)) as app, browser(app, "ada") as page:
        told = await text_of(page)
        assert "The static rules hold: the adjuster cannot be asked" in told
        assert re.search(r"Adjuster \d+ entr(y|ies) made 25% of the size", told)
        assert re.search(r"Adjuster \d+ entr(y|ies) by the static rules", told)
        await says(page, "/ppo")
        assert "Static rules hold calm.npz is not the file" in await text_of(page)
    assert Files(folder=tmp_path).complaints() == []


async def until(page: httpx.AsyncClient, words: str, seconds: float = 60) -> str:
    """Wait until it can be read."""
    async with asyncio.timeout(seconds):
        while words not in (told := await text_of(page)):  # noqa: ASYNC110 - read from outside
            await asyncio.sleep(0.1)
    return told


@pytest.mark.parametrize(("press", "became"), [("policy-decline", "declined"), ("policy-adopt", "adopted")])
async def test_what_was_trained_anew_is_proposed_and_an_admin_decides(tmp_path: Path, press: str, became: str):
    save_policy(steady_policy(-0.5, -1.0, -1.0, name="calm"), tmp_path / "calm.json")
    own = settings(tmp_path, datetime(2024, 4, 1, 6, tzinfo=UTC), stays=True)
    anew = own.ppo.retrain.model_copy(update={"enabled": True, "data": (tmp_path / "none.csv",)})
    kept = own.backtest.model_copy(update={"trials": tmp_path / "var/trials.jsonl"})
    changed = {"ppo": own.ppo.model_copy(update={"retrain": anew}), "backtest": kept}
    externals = replace(EXTERNALS, retrain=an_eighth)
    async with running(own.model_copy(update=changed), externals) as app:
        async with browser(app, "tom") as page:
            told = await until(page, "Policy retrained-2024-04 is proposed (R1)")
            assert "Nothing asks it yet: an admin decides." in told
            assert "static rules -5.00% 10.00%" in told
            await presses(page, f"{press}:R1")
            assert "Answering to a policy needs the role admin; yours is trader" in await text_of(page)
        async with browser(app, "ada") as page:
            await presses(page, f"{press}:R1")
            await until(page, f"Policy retrained-2024-04 is {became} by Ada (R1)")
            await says(page, "/ppo")
            now = "retrained-2024-04" if became == "adopted" else "calm"
            await until(page, f"Policy {now} ")
            await presses(page, "policy-back:R1")
            last = "taken back" if became == "adopted" else "declined"
            await until(page, f"Policy retrained-2024-04 is {last} by Ada (R1)")
            await presses(page, "policy-adopt:R1")
            assert f"R1 is {last} by Ada" in await text_of(page)
