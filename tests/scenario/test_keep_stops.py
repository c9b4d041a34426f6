"""An emergency stop that keeps the stops of what is held: called in chat, over a restart with other settings, ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.fakes.database import new_file, rows_of, url_of
from tests.fakes.patience import until
from tests.fakes.program import ASKED, Files, browser, running, settings_of
from tests.scenario.test_adjuster_in_chat import says, text_of
from tests.scenario.test_adjuster_in_chat import until as until_told

pytestmark = pytest.mark.slow

TEAM = [{"name": "Ada", "role": "admin", "web": "ada"}, {"name": "Tom", "role": "trader", "web": "tom"}]
ORDERS = "SELECT purpose, status FROM orders ORDER BY id"


def settings(folder: Path, on_halt: str, hours: int) -> Settings:
    """A bot that trades alone, on a market that breaks out, played until some hours after that."""
    return settings_of(
        folder,
        people=TEAM,
        approval={"auto_above": 0, "ask_above": 0},
        emergency={"on_halt": on_halt},
        replay={"end": (ASKED + timedelta(hours=hours)).isoformat()},
    )


def orders(folder: Path) -> list[str]:
    return [f"{row['purpose']} {row['status']}" for row in rows_of(url_of(folder), ORDERS)]


def stops_at_the_venue(folder: Path) -> list[Mapping[str, Any]]:
    """The sales that the venue holds open."""
    files = Files(folder=folder)
    (position,) = rows_of(url_of(folder), "SELECT id FROM positions")
    return [
        each
        for each in files.rows("SELECT * FROM orders WHERE status = 'open'")
        if each["position_id"] == position["id"]
    ]


async def test_what_is_held_keeps_its_stop_until_people_go_on(tmp_path: Path) -> None:
    new_file(tmp_path)
    held = ["entry filled", "protection open"]
    async with running(settings(tmp_path, "keep_stops", 2)) as app:
        await until(lambda: orders(tmp_path) == held)
        async with browser(app, "tom") as page:
            await says(page, "/emergency now")
            assert "needs the role admin" in await text_of(page)
        async with browser(app, "ada") as page:
            await says(page, "/emergency now")
            told = await until_told(page, "what is held keeps its stops")
            assert "T1" in told
            await says(page, "/positions")
            assert re.search(r"T1\b.*BTC/USDT", await text_of(page))
        assert orders(tmp_path) == held, "nothing was sold, and the stop stands"
    async with running(settings(tmp_path, "sell", 4)) as app, browser(app, "ada") as page:
        told = await until_told(page, "EMERGENCY STOP: no new entries, what is held keeps its stops (H1)")
        assert "It goes on by itself until nothing waits to buy." in told
        assert orders(tmp_path) == held, "what was called is kept: other settings are no order to sell"
        await says(page, "/resume the venue works again")
        await until_told(page, "The emergency stop is over")
        assert orders(tmp_path) == held
    assert len(stops_at_the_venue(tmp_path)) == 1
    assert Files(folder=tmp_path).complaints() == []
