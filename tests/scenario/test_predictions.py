"""The demo predicts from its first hour: the same twice over, known to decisions, and told in chat."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import build
from config.loader import load
from engine.domain.predictions import PredictionView
from engine.store import migrate
from tests.fakes.database import rows_of

TABLES = ("predictions", "decisions", "fills")


def new(folder: Path, name: str) -> Path:
    """A new folder."""
    (folder / name).mkdir()
    return folder / name


async def replayed(folder: Path, days: float) -> tuple[dict[str, list[dict[str, Any]]], PredictionView]:
    """What so many days of the demo leave behind, and what is told of a market at their end."""
    url = f"sqlite:///{folder / 'account.sqlite'}"
    over = {"database": {"url": url}, "replay": {"speed": "max"}, "web": {"enabled": False}}
    settings = load("demo", None, over, {}, folder).settings
    migrate.upgrade(url)
    program = await build(settings)
    engine = program.engine
    assert engine.predictions is not None
    await program.driver.run(settings.market.start + timedelta(days=days))  # type: ignore[union-attr]
    view = await engine.views.prediction("BTC", "")
    await engine.store.close()
    for venue in engine.venues.values():
        venue.close()
    return {table: rows_of(url, f"SELECT * FROM {table}") for table in TABLES}, view  # noqa: S608 - names of our own


@pytest.mark.slow
async def test_the_demo_predicts_the_same_twice_over_and_decides_with_it(tmp_path: Path):
    (first, view), (second, again) = [await replayed(new(tmp_path, name), 2) for name in ("one", "two")]
    assert first == second
    assert view == again
    assert len(first["predictions"]) > 3 * (48 + 12 + 2)
    assert all(row["made_at"] >= row["at"] for row in first["predictions"])
    assert sum(row["graded_at"] is not None for row in first["predictions"]) > 90
    assert any('"name":"prediction"' in row["record"] for row in first["decisions"])
    assert view.outlook.missing == ()
    assert all(each.is_offline and each.by == "offline analyst" for each in view.outlook.predictions)


@pytest.mark.slow
async def test_a_demo_that_was_stopped_goes_on_with_what_was_predicted(tmp_path: Path):
    whole, view = await replayed(new(tmp_path, "whole"), 1)
    folder = new(tmp_path, "halves")
    await replayed(folder, 0.5)
    halves, again = await replayed(folder, 1)
    assert halves == whole
    assert again.outlook == view.outlook
