"""The page of the built-in strategies: a run of today comes to what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loader import load
from engine.backtest.registry import TrialRegistry
from tests.bench import performance_log as log
from tests.fakes.data import real_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("who", log.PEOPLE)
def test_a_steep_rise_is_what_the_page_says_of_it(tmp_path: Path, who: str) -> None:
    files = [real_file(f"candles/{name}") for name in log.FILES]
    settings = load("paper", None, {}, environ={}, directory=tmp_path).settings
    [rise] = [each for each in log.WEATHERS if each.name == "a steep rise"]
    found = log.report(settings, TrialRegistry(file=tmp_path / "trials.jsonl"), files, rise, "ma_cross", who)
    assert log.row("ma_cross", who, found) in log.PAGE.read_text().splitlines()
