"""How fast backtests are, in processor seconds: other work on the machine does not count.

The candles are a seeded walk that ``sma_cross`` trades once in 90 of them. A plain loop compiled by numba, which knows
but one market, two bools and a fee, stands beside it: it is what any compiled backtest could be at best.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bot.backtests.asked import Asked
from bot.backtests.full import full_backtest
from bot.backtests.varying import varied
from config.loader import load
from engine.backtest.choosing import everything
from engine.backtest.combination import Merit
from engine.backtest.kept_sweep import KeptSweep
from engine.backtest.kernel_run import backtest
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.slots import slots_of
from engine.backtest.sweep import sweep
from engine.backtest.tape import tape_of
from engine.data.files import write_candles
from engine.domain.market import Candles
from engine.simulation.compiled import compiled
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.bench.conftest import Tell
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MILLION = 1_000_000
ROUNDS = 5


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The fewest processor seconds of several rounds."""
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        took.append(time.process_time() - begun)
    return min(took)


def kernel_alone(asked: BacktestSetup) -> float:
    """Processor seconds of the kernel, on a new tape each time."""
    slots, kernel, took = slots_of(asked), compiled(), []
    for _ in range(ROUNDS):
        tape = tape_of(asked, slots)
        begun = time.process_time()
        kernel(tape)
        took.append(time.process_time() - begun)
    return min(took)


def plain_loop(series: Candles, asked: BacktestSetup) -> float:
    """The same trades by the shortest loop there is."""
    import numba

    @numba.njit
    def loop(opens: np.ndarray, enter: np.ndarray, leave: np.ndarray) -> float:
        cash, units = 10_000.0, 0.0
        for i in range(1, len(opens)):
            if units > 0 and leave[i - 1]:
                cash, units = cash + units * opens[i] * 0.999, 0.0
            elif units == 0 and enter[i - 1]:
                units = 0.95 * cash / opens[i]
                cash -= units * opens[i] * 1.001
        return cash

    said = slots_of(asked)[0].said
    loop(series.open, said.entry, said.exit)
    return best(lambda: loop(series.open, said.entry, said.exit))


def test_a_million_candles(benchmark: BenchmarkFixture, tell: Tell) -> None:
    series = jumpy(1, MILLION)
    asked = setup(SmaCross(), series)
    alone, plain = kernel_alone(asked), plain_loop(series, asked)
    whole = benchmark.pedantic(lambda: best(lambda: backtest(asked)), rounds=1)
    result = backtest(asked)
    tell("backtest, sma_cross on a million, kernel alone", MILLION / alone / 1e6, "M candles/s", ">= 50")
    tell("a plain loop of numba's, the same candles", MILLION / plain / 1e6, "M candles/s", "")
    tell("backtest, sma_cross on a million, all in", MILLION / whole / 1e6, "M candles/s", ">= 30")
    tell("trades of that", len(result.trades), "trades", "")
    bands = kernel_alone(setup(RsiBands(), series))
    tell("backtest, rsi_bands on a million, kernel alone", MILLION / bands / 1e6, "M candles/s", "")
    risk = kernel_alone(setup(RsiBands(), series, terms=RiskTerms()))
    tell("backtest, the same by risk limits and a book", MILLION / risk / 1e6, "M candles/s", "")


def test_twenty_markets_on_one_portfolio(benchmark: BenchmarkFixture, tell: Tell) -> None:
    names = [f"C{number}/USDT" for number in range(20)]
    asked = setup(SmaCross(), *(jumpy(number, 100_000, symbol=name) for number, name in enumerate(names)))
    took = benchmark.pedantic(lambda: kernel_alone(asked), rounds=1)
    tell("backtest, 20 markets x 100,000, kernel alone", 2_000_000 / took / 1e6, "M candles/s", ">= 30")


OWN = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.strategies.base import Sign, StrategyBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretched(StrategyBase):
    name: ClassVar[str] = "stretched"
    length: int = 20
    far: float = 0.02
    higher: tuple = ()
    stop_atr: float | None = None
    target_atr: float | None = None
    max_candles: int | None = None

    @property
    def warmup(self):
        return self.length

    def triggers(self, sight):
        away = sight.reading("close") / sight.reading(f"ma_{self.length}") - 1
        return (Sign(shows=away < -self.far, words=lambda row: "far below its mean"),)

    def conditions(self, sight):
        return ()

    def reversals(self, sight):
        return (Sign(shows=sight.reading("close") > sight.reading(f"ma_{self.length}"), words=lambda row: "back"),)
"""


@pytest.mark.parametrize(
    ("strategy", "grid", "aim"),
    [
        ("sma_cross", ("fast=10:48:2", "slow=60:150:10"), ">= 2,000"),
        ("./own.py:Stretched", ("length=20:58:2", "far=0.01:0.1:0.01"), ">= 1,000"),
    ],
)
def test_a_sweep(
    benchmark: BenchmarkFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tell: Tell,
    strategy: str,
    grid: Any,
    aim: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    write_candles(Path("BTCUSDT-1h.parquet"), jumpy(1, 100_000))
    asked = Asked(strategy=strategy, data=(Path("BTCUSDT-1h.parquet"),), size=0.95)
    what = varied(asked, grid, load(None, None, {}, {}, tmp_path).settings)
    compiled()

    def seconds() -> float:
        """Processor seconds, workers and their start too."""
        before = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        found = sweep(what, everything(what.grid), Merit.SHARPE, KeptSweep(file=tmp_path / "kept"), workers=2)
        assert len(found.combinations) == 200
        (tmp_path / "kept").unlink()
        after = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))

    took = benchmark.pedantic(lambda: min(seconds() for _ in range(ROUNDS)), rounds=1)
    tell(f"sweep, 200 x 100,000 on two cores, {strategy.partition(':')[2] or strategy}", 2 * 200 / took, "/s", aim)


def test_the_command(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    write_candles(tmp_path / "BTCUSDT-1h.parquet", jumpy(1, 100_000))
    words = ("backtest", "--strategy", "sma_cross", "--data", "BTCUSDT-1h.parquet", "--json", "out.json")

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([Path(sys.executable).with_name("bot"), *words], cwd=tmp_path, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    run()
    took = benchmark.pedantic(lambda: min(run() for _ in range(3)), rounds=1)
    tell("bot backtest on 100,000 candles, processor time", took, "s", "<= 3")


def test_the_live_cycle(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    """Where nothing is traded, and where a trade is opened and closed in every ninetieth candle."""
    settings = load("demo", None, {}, {}, tmp_path).settings
    quiet, busy = 50_000, 5_000

    def rate(asked: BacktestSetup, count: int) -> float:
        begun = time.process_time()
        full_backtest(asked, settings)
        return count / (time.process_time() - begun)

    never = RsiBands(rsi_low=0.001)
    bare = benchmark.pedantic(lambda: rate(setup(never, jumpy(25, quiet)), quiet), rounds=1)
    tell("backtest --full, quiet candles, bare", bare, "candles/s", ">= 5,000")
    by_risk = rate(setup(never, jumpy(25, quiet), terms=RiskTerms()), quiet)
    tell("backtest --full, quiet candles, by risk limits", by_risk, "candles/s", ">= 5,000")
    tell("backtest --full, sma_cross", rate(setup(SmaCross(), jumpy(1, busy)), busy), "candles/s", "")


def test_memory(benchmark: BenchmarkFixture, tell: Tell) -> None:
    series = jumpy(1, MILLION)
    asked = setup(SmaCross(), series)
    backtest(asked)

    def peak() -> int:
        tracemalloc.start()
        backtest(asked)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    candles = sum(getattr(series, name).nbytes for name in ("open_ms", "open", "high", "low", "close", "volume"))
    took = benchmark.pedantic(peak, rounds=1)
    tell("backtest, sma_cross, memory with the candles", (took + candles) / MILLION, "bytes/candle", "<= 100")
