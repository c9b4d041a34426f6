"""Digests of a running program, as its people see them in the web chat: one for each local day, whatever clocks do."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from config.settings import Settings
from tests.fakes.program import ASKED, Files, browser, running, settings_of, write_market
from tests.fakes.reckoning import time_of

MARKET = {"BTC/USDT": {"start_price": 60000, "lot": 0.00001, "tick": 0.01, "volatility": 0.6}}
CONTEXT = {"name": "trend", "strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": ["4h"]}


def settings(folder: Path, start: datetime, end: datetime, digest: dict[str, str]) -> Settings:
    """A made-up market that is played up to a time."""
    options: dict[str, Any] = {
        "market": {"seed": 20, "start": start.isoformat(), "history": "30d", "markets": MARKET},
        "contexts": [CONTEXT],
        "replay": {"data": [], "start": None, "end": end.isoformat(), "wait_for_people": "0s", "until_end": True},
        "approval": {"auto_above": 0.5, "ask_above": 0.3, "expires_after": "2h"},
        "digest": digest,
    }
    return settings_of(folder, **options)


async def play(folder: Path, start: datetime, end: datetime, digest: dict[str, str]) -> None:
    """Play it from where it was left."""
    await App(settings(folder, start, end, digest), announce=lambda _: None).run()


async def told(folder: Path, start: datetime) -> list[str]:
    """The dates of the digests in the web chat, from the top."""
    looking = settings(folder, start, start + timedelta(hours=1), {})
    stays = looking.model_copy(update={"replay": looking.replay.model_copy(update={"until_end": False})})
    async with running(stays) as app, browser(app, "p1") as client:
        page = (await client.get("/")).text
    return re.findall(r"(\d{4}-\d\d-\d\d): \S+ USDT(?: \(\S+%\))?</h2>", page)


def dates(first: str, last: str) -> list[str]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def is_tiled(folder: Path) -> bool:
    """Whether every day begins when the one before ended."""
    query = "SELECT json_extract(figures, '$.begins') AS begins, json_extract(figures, '$.ends') AS ends FROM digests"
    rows = Files(folder=folder).rows(f"{query} ORDER BY digests.ends")
    return all(before["ends"] == row["begins"] for before, row in pairwise(rows))


async def test_what_is_hit_within_the_candle_that_a_day_ends_in_is_in_the_figures_of_that_day(tmp_path: Path):
    """In a zone that is half an hour from the hour, days always end within a candle."""
    file = write_market(tmp_path)
    falling = ASKED + timedelta(hours=3)
    rows = file.read_text().splitlines()
    hit = next(number for number, row in enumerate(rows) if row.startswith(falling.isoformat()))
    opened = float(rows[hit].split(",")[1])
    rows[hit] = f"{falling.isoformat()},{opened},{opened},{opened * 0.9},{opened * 0.9},900"
    file.write_text("\n".join(rows))
    alone = {"auto_above": 0, "ask_above": 0}
    end = {"end": (falling + timedelta(hours=3)).isoformat(), "until_end": True}
    told = {"at": (falling + timedelta(hours=6, minutes=29)).strftime("%H:%M"), "timezone": "Asia/Kolkata"}
    await App(settings_of(tmp_path, approval=alone, replay=end, digest=told), announce=lambda _: None).run()
    (trade,) = Files(folder=tmp_path).rows("SELECT * FROM positions")
    (row,) = Files(folder=tmp_path).rows("SELECT * FROM digests")
    day = json.loads(row["figures"])
    assert trade["closed_by"] == "stop"
    assert falling < time_of(trade["closed_at"]) < time_of(row["ends"]) < falling + timedelta(hours=1)
    assert (day["opened"], day["closed"], day["open_positions"]) == (1, 1, 0)
    assert Decimal(day["realised"]) == Decimal(day["net"]) < 0


slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("zone", "at", "start", "first", "last"),
    [
        ("America/New_York", "02:30", datetime(2026, 3, 6, tzinfo=UTC), "2026-03-06", "2026-03-11"),
        # The others differ in what tests/unit/engine/test_digests.py tries of every zone and time.
        slow("Europe/Berlin", "18:00", datetime(2026, 10, 23, tzinfo=UTC), "2026-10-23", "2026-10-28"),
        slow("Europe/Berlin", "18:00", datetime(2026, 3, 27, tzinfo=UTC), "2026-03-27", "2026-04-01"),
        slow("Europe/Berlin", "00:00", datetime(2026, 3, 27, tzinfo=UTC), "2026-03-27", "2026-03-31"),
        slow("America/New_York", "02:30", datetime(2026, 10, 30, tzinfo=UTC), "2026-10-30", "2026-11-04"),
        slow("Australia/Lord_Howe", "02:15", datetime(2026, 4, 3, tzinfo=UTC), "2026-04-04", "2026-04-09"),
    ],
)
async def test_each_local_day_has_one_digest_through_a_change_of_clocks(
    tmp_path: Path, zone: str, at: str, start: datetime, first: str, last: str
):
    await play(tmp_path, start, start + timedelta(days=5, hours=20), {"at": at, "timezone": zone})
    assert await told(tmp_path, start) == dates(first, last)
    assert is_tiled(tmp_path)


@pytest.mark.slow
async def test_a_program_that_is_stopped_around_the_hour_and_set_anew_loses_no_day_and_tells_none_twice(
    tmp_path: Path,
):
    start = datetime(2026, 3, 28, tzinfo=UTC)
    berlin, evening = {"at": "18:00", "timezone": "Europe/Berlin"}, datetime(2026, 3, 29, 16, tzinfo=UTC)
    for end in (evening - timedelta(minutes=1), evening, evening + timedelta(minutes=1)):
        await play(tmp_path, start, end, berlin)
    await play(tmp_path, start, evening + timedelta(days=2), {"at": "06:30", "timezone": "America/New_York"})
    await play(tmp_path, start, evening + timedelta(days=4), {"at": "00:00", "timezone": "Asia/Kathmandu"})
    assert await told(tmp_path, start) == dates("2026-03-28", "2026-04-01")
    assert is_tiled(tmp_path)
