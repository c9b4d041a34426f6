"""The contract of strategies can be broken: each rule finds what breaks it, and what is good breaks none."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backtest.strategy_contract import RULES, Bench, demand, made_up
from engine.domain.errors import StrategyError
from engine.domain.market import Timeframe
from engine.strategies.ai_trend import AITrend
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.own_strategies import loaded, with_trigger

BENCH = Bench(series=made_up(Timeframe.H1, seed=3, count=700))
RULE = {rule.name: rule for rule in RULES}
CONDITIONS = "names its conditions, with weights and words"
STOPS = "has a stop and a target wherever it enters, or neither at all"
MORE = "import itertools\nfrom dataclasses import replace\nimport numpy as np\n"
IMPORTS = ("import annotations\n", f"import annotations\n{MORE}")
TRIGGERS = "    def triggers("
COLUMNS = """    def columns(self, frames):
        said = super().columns(frames)
        return replace(said, CHANGED)

    def triggers("""
RSI = 'look.between("RSI strong, not hot", "RSI", sight.reading("rsi"), 50.0, 75.0)'
WORDS = 'words=lambda row: f"{said} {look.number(mean[row])}"'
MEAN = "candles.close > candles.close.expanding().mean() * 1.002"


def columns_with(change: str) -> tuple[str, str]:
    return TRIGGERS, COLUMNS.replace("CHANGED", change)


BREAKS = {
    "a row is missing": (columns_with("entry=said.entry[1:]"), "speaks of every candle, however few there are"),
    "no such reading": (('sight.reading("rsi")', 'sight.reading("rsj")'), "asks for readings that there are"),
    "before it is warm": (columns_with("entry=np.ones(len(said), dtype=bool)"), "enters nothing until it is warm"),
    "two of one name": (
        (RSI, RSI.replace("RSI strong, not hot", "volume behind it")),
        CONDITIONS,
    ),
    "a weight of 0": ((RSI, RSI.replace("75.0", "75.0, weight=0.0")), CONDITIONS),
    "none": (
        ("return (\n            *look", "return ()\n        return (\n            *look"),
        CONDITIONS,
    ),
    "a memory": ((RSI, RSI.replace('"RSI strong', 'f"{next(COUNT)} RSI strong')), "says the same of the same candles"),
    "another market": (
        (RSI, RSI.replace('"RSI', 'f"{KEPT.add(sight.candles.close[-1]) or len(KEPT)} RSI', 1)),
        "says the same of the same candles",
    ),
    "no reason": ((WORDS, "words=lambda row: ''"), "leaves only open positions, with a reason"),
    "both": (columns_with("entry=said.exit"), "never enters where it would leave"),
    "no stop": (
        columns_with("stop_distance=-said.stop_distance"),
        STOPS,
    ),
    "silent without": (
        (TRIGGERS, "    def own(self, frames):\n        return frames.get('x')\n\n    def triggers("),
        "says so when its own candles are missing",
    ),
    "needs days": (("said = f", "sight.frames[Timeframe.D1]; said = f"), "goes on when longer candles are missing"),
    "later": (with_trigger("candles.close.shift(-1) > candles.close * 1.01"), "looks at no later candle"),
    "never forgets": (with_trigger(MEAN), "says live what it says in a backtest"),
    "too short a look": (
        ("    length: int = 20", "    looks_back: ClassVar[int | None] = 1\n    length: int = 20"),
        "says live what it says in a backtest",
    ),
}


@pytest.mark.parametrize(("change", "rule"), BREAKS.values(), ids=BREAKS)
def test_each_rule_finds_what_breaks_it(tmp_path: Path, change: tuple[str, str], rule: str) -> None:
    count = ("\n\n@dataclass", "\n\nCOUNT, KEPT = itertools.count(), set()\n\n@dataclass")
    strategy = loaded(tmp_path, IMPORTS, count, change)
    with pytest.raises(StrategyError):
        RULE[rule].look(strategy, BENCH)


def test_what_is_good_breaks_none(tmp_path: Path) -> None:
    demand(loaded(tmp_path, length=13), [BENCH])
    without = loaded(tmp_path, stop_atr=None, target_atr=None, max_candles=None, higher=())
    RULE[STOPS].look(without, BENCH)


def test_what_remembers_for_longer_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"says live .* Give it a `history` as long as its formulas remember"):
        RULES[-1].look(loaded(tmp_path, with_trigger(MEAN)), BENCH)


def test_a_history_that_is_long_enough_mends_it(tmp_path: Path) -> None:
    history = "    @property\n    def history(self):\n        return 10_000\n\n    def triggers("
    RULES[-1].look(loaded(tmp_path, with_trigger(MEAN), (TRIGGERS, history)), BENCH)


def test_a_failure_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"breakout\.py, line \d+: IndexError"):
        demand(loaded(tmp_path, ("return self.length + 2", "return [][self.length]")), [BENCH])


@pytest.mark.slow
@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.H1, Timeframe.D1])
@pytest.mark.parametrize("kind", [MovingAverageCross, Momentum, MeanReversion, RsiBands, SmaCross, AITrend])
def test_the_house_keeps_it_on_the_usual_markets(kind: type, timeframe: Timeframe) -> None:
    higher = tuple(each for each in (Timeframe.H4, Timeframe.D1) if each.duration > timeframe.duration)
    demand(kind(timeframe=timeframe, higher=higher))
