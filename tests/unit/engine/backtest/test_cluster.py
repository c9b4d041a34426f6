"""Work on a local cluster of Ray of two processes, one of which dies; and the same sweep and training by it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from engine.backtest.cluster import LOCAL, ClusterWorkers
from engine.backtest.setup import RiskTerms
from engine.backtest.training_ground import ground_of
from engine.data.files import write_candles
from engine.domain.errors import GreenlightError
from engine.domain.market import Timeframe
from engine.learning.splits import Stretch, splits_of
from engine.strategies.mean_reversion import MeanReversion
from tests.fakes.backtests import jumpy, setup
from tests.fakes.dying import DiesOnce, dying_strategy
from tests.fakes.series import walk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("kernel"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra cluster is not installed"),
]


def test_what_a_process_had_that_died_is_done_by_another(tmp_path: Path) -> None:
    mark = tmp_path / "died"
    with ClusterWorkers(DiesOnce(mark, deadly=7), LOCAL, 2) as pool:
        found = [each for piece in pool.each(range(40)) for each in piece]
        with pytest.raises(GreenlightError, match="-1 is below 0"):
            list(pool.each([-1]))
    assert sorted(doubled for doubled, _ in found) == [2 * each for each in range(40)]
    assert int(mark.read_text()) not in {process for _, process in found}


def test_it_stops_where_somebody_wishes(tmp_path: Path) -> None:
    with ClusterWorkers(DiesOnce(tmp_path / "died", deadly=-1), LOCAL, 2) as pool:
        assert list(pool.each(range(100), lambda: True)) == []


def told(*words: str) -> Any:
    answer = CliRunner().invoke(app, [*words, "--json", "told.json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(Path("told.json").read_text())


def test_a_sweep_comes_to_the_same_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "ETHUSDT-1h.parquet", replace(walk(51, 2_000, sigma=0.01), symbol="ETH/USDT"))
    sweep = ("sweep", "--strategy", "sma_cross", "--grid", "fast=5:20:5", "--data", "ETHUSDT-1h.parquet")
    here = told(*sweep, "--workers", "1")
    there = told(*sweep, "--cluster", "local", "--workers", "2")
    assert there["combinations"] == here["combinations"]


@pytest.mark.parametrize(
    "words",
    [("sweep", "--grid", "fast=5:20:5"), ("walkforward", "--grid", "fast=5,10", "--train", "40d", "--test", "20d")],
    ids=["sweep", "walkforward"],
)
def test_one_of_two_processes_dies_and_the_command_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The strategy is somebody's own, whose file the processes of a cluster do not have."""
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "ETHUSDT-1h.parquet", replace(walk(51, 2_000, sigma=0.01), symbol="ETH/USDT"))
    died = dying_strategy(tmp_path / "dying.py")
    asked = (*words, "--strategy", "./dying.py:Dying", "--data", "ETHUSDT-1h.parquet")
    here = told(*asked, "--workers", "1")
    assert not died.exists(), "on this machine alone nothing dies"
    there = told(*asked, "--cluster", "local", "--workers", "2")
    assert died.exists()
    took = {"seconds": 0}
    assert there | took == here | took


@pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed")
def test_a_seed_that_is_trained_on_a_cluster_is_the_same_policy() -> None:
    from bot.training import _seed_there
    from engine.learning.train import TrainingPlan, fit_scaler, train_seed

    series = jumpy(1, 6_000)
    ground = ground_of(setup(MeanReversion(timeframe=Timeframe.H1, higher=()), series, terms=RiskTerms()))
    begin = int(series.open_ms[0])
    splits = splits_of(Stretch(begin_ms=begin, end_ms=begin + len(series) * Timeframe.H1.millis), 350 * 3_600_000)
    plan = TrainingPlan(rounds=1, round_steps=4_096, count=32, length_ms=40 * 86_400_000)
    scaler = fit_scaler(ground, (splits.train,), plan)
    here = train_seed(ground, splits, plan, 2, scaler)
    with ClusterWorkers(partial(_seed_there, ground, splits, plan, scaler), LOCAL, 2) as pool:
        ((there,),) = pool.each([2])
    assert there.reward == here.reward
    assert here.policy is not None
    assert there.policy is not None
    for one, other in zip(here.policy.weights, there.policy.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nobody_at_an_address_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "ETHUSDT-1h.parquet", replace(walk(51, 500, sigma=0.01), symbol="ETH/USDT"))
    sweep = ("sweep", "--strategy", "sma_cross", "--grid", "fast=5,10", "--data", "ETHUSDT-1h.parquet")
    answer = CliRunner().invoke(app, [*sweep, "--cluster", "127.0.0.1:1"])
    assert answer.exit_code == 2
    assert "There is no cluster at 127.0.0.1:1" in answer.stderr
