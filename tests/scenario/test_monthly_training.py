"""The monthly training in the whole program: a policy is really trained, proposed, adopted and taken back in chat."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from config.settings import Settings
from engine.data.files import write_candles
from engine.domain.market import to_millis
from engine.learning.policy_files import load_policy, save_policy
from tests.fakes.policies import steady_policy
from tests.fakes.program import browser, running
from tests.fakes.series import walk
from tests.scenario.test_adjuster_in_chat import MARKETS, presses, says, settings, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed"),
]
FIRST = datetime(2024, 4, 1, tzinfo=UTC)


def trains(folder: Path, hours: int) -> Settings:
    """A program that has so many hours of candles to train on, up to beyond the first of April."""
    save_policy(steady_policy(-0.5, -1.0, -1.0, name="calm"), folder / "calm.json")
    begin = to_millis(FIRST - timedelta(hours=hours - 240))
    files = []
    for seed, symbol in enumerate(MARKETS):
        series = replace(walk(60 + seed, hours, sigma=0.01), symbol=symbol)
        files.append(folder / f"{symbol.replace('/', '')}-1h.parquet")
        write_candles(files[-1], replace(series, open_ms=begin + np.arange(hours, dtype=np.int64) * 3_600_000))
    own = settings(folder, FIRST + timedelta(hours=6), stays=True, start=FIRST - timedelta(hours=12))
    anew = {"enabled": True, "data": tuple(files), "seeds": 1, "steps": 2_048}
    kept = own.backtest.model_copy(update={"trials": folder / "var/trials.jsonl"})
    ppo = own.ppo.model_copy(update={"retrain": own.ppo.retrain.model_copy(update=anew)})
    return own.model_copy(update={"ppo": ppo, "backtest": kept})


async def test_what_was_really_trained_is_adopted_and_taken_back(tmp_path: Path):
    async with running(trains(tmp_path, 6_000)) as app, browser(app, "ada") as page:
        told = await until(page, "Policy retrained-2024-04 is proposed (R1)", seconds=300)
        assert "static rules" in told
        assert "constant scale" in told
        card = load_policy(tmp_path / "var/policies/retrained-2024-04.json").card
        assert card.steps == 2_048
        assert datetime.fromisoformat(card.tested_from).replace(tzinfo=UTC) < FIRST
        assert card.contexts[0].startswith("trend: ")
        await presses(page, "policy-adopt:R1")
        await until(page, "Policy retrained-2024-04 is adopted by Ada (R1)")
        await says(page, "/ppo")
        await until(page, "Policy retrained-2024-04 ")
        await presses(page, "policy-back:R1")
        await until(page, "Policy retrained-2024-04 is taken back by Ada (R1)")
        await says(page, "/ppo")
        await until(page, "Policy calm ")


async def test_of_a_training_that_comes_to_nothing_people_are_told_why(tmp_path: Path):
    async with running(trains(tmp_path, 900)) as app, browser(app, "tom") as page:
        told = await until(page, "No policy was trained anew: retrained-2024-04 (R1)", seconds=120)
        assert "There is too little time for training. Give more candles" in told
        await says(page, "/ppo")
        await until(page, "Policy calm ")
