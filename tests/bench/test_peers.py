"""How fast others are with S1 on the same candles, in processor seconds; see ``peer_environments``.

A peer must come to our trades and, to a tenth, to our equity: else it would be measured at something else.
backtesting.py, nautilus_trader and freqtrade go over candles one by one, so they are asked for less.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.backtest.kernel_run import backtest
from engine.backtest.setup import BareTerms, FillAt
from engine.domain.market import Candles
from engine.strategies.sma_cross import SmaCross
from tests.bench.conftest import Tell
from tests.bench.peer_environments import PEERS, TRAINED, python_of, script_of
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

GRID = list(product(range(10, 49, 2), range(60, 151, 10)))
"""That of ``test_a_sweep``."""
LESS = dict.fromkeys(("backtesting", "nautilus_trader", "freqtrade"), (100_000, GRID[:2]))
"""Of a million candles, and of the grid."""
TERMS = {"nautilus_trader": BareTerms(fill_at=FillAt.SIGNAL_CLOSE)}
"""Those that cannot fill at the next open are held against ours at the close."""


PEER_STEPS = 8_192


class Peer:
    def __init__(self, name: str, folder: Path) -> None:
        python = python_of(name)
        if python is None:
            pytest.skip("python -m tests.bench.peer_environments makes its environment")
        self._words, self._folder = (str(python), str(script_of(name))), folder

    def run(self, series: Candles, pairs: list[tuple[int, int]], rounds: int) -> tuple[dict, float]:
        """What it says, and the processor seconds of all of it, the start of the interpreter too."""
        file = self._folder / f"{len(series)}.npz"
        if not file.exists():
            columns = ("open_ms", "open", "high", "low", "close", "volume")
            np.savez(file, **{name: getattr(series, name) for name in columns})
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = self.says(file, json.dumps(pairs), str(rounds))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return said, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def says(self, file: Path, *asked: str) -> dict:
        """What its script prints."""
        words = (*self._words, str(file), *asked)
        said = subprocess.run(words, check=True, capture_output=True, text=True, env=plain_environment()).stdout
        found: dict = json.loads(said)
        return found


def plain_environment() -> dict[str, str]:
    """Ours without what is meant for our interpreter; one thread does the work of each."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("name", PEERS)
def test_a_peer(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell, name: str) -> None:
    peer = Peer(name, tmp_path)
    count, pairs = LESS.get(name, (1_000_000, GRID))
    hundred = jumpy(1, 100_000)
    alone, whole = min((peer.run(hundred, [(20, 50)], 1) for _ in range(2)), key=lambda each: each[1])
    ours = backtest(setup(SmaCross(fast=20, slow=50), hundred, terms=TERMS.get(name, BareTerms())))
    assert alone["trades"] == len(ours.trades) + len(ours.held)
    assert alone["equity"] == pytest.approx(ours.final_equity, rel=0.1)
    long, _ = benchmark.pedantic(lambda: peer.run(jumpy(1, count), [(20, 50)], 3), rounds=1)
    many, _ = peer.run(hundred, pairs, 1)
    tell(f"sma_cross on {count:,}, all in, {name}", count / long["seconds"] / 1e3, "k candles/s", "")
    tell(f"the whole command on 100,000, {name}", whole, "s", "")
    tell(f"sweep of 100,000 on two cores, {name}", 2 * len(pairs) / many["seconds"], "/s", "")


@pytest.mark.parametrize("name", TRAINED)
def test_a_training_by_a_peer(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell, name: str) -> None:
    """A step of its is a candle, at most of which nothing is decided; ours is a decision."""
    peer = Peer(name, tmp_path)
    series = jumpy(1, 20_000)
    columns = ("open", "high", "low", "close", "volume")
    np.savez(tmp_path / "candles.npz", **{each: getattr(series, each) for each in columns})
    found = benchmark.pedantic(lambda: peer.says(tmp_path / "candles.npz", str(PEER_STEPS)), rounds=1)
    assert found["steps"] >= PEER_STEPS
    tell(f"training, {name} with PPO as it comes, on one core", found["steps"] / found["seconds"], "steps/s", "")
