"""Strategies that look ahead are found out, with the candle and the column; honest ones are left in peace."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.look_ahead import LookAhead, Peek, cut_after, refuse_peeking
from engine.domain.errors import StrategyError
from engine.domain.market import Candles, Timeframe, from_millis
from engine.ports import Frames
from engine.simulation.frames import resample
from engine.strategies.guarded import GuardedStrategy
from engine.strategies.ma_cross import MovingAverageCross
from tests.fakes import backtests
from tests.fakes.own_strategies import loaded, with_trigger
from tests.fakes.series import walk

SERIES = walk(5, 800, sigma=0.01)
PEEKS = {
    "shift(-1)": "candles.close.shift(-1) > candles.close * 1.01",
    "normalised": "(candles.close - candles.close.mean()) / candles.close.std() > 1",
    "bfill": "candles.close > candles.close.where(candles.close > candles.close.shift(1) * 1.015).bfill()",
    "centred": "candles.close > candles.close.rolling(9, center=True).mean() * 1.01",
    "iloc[-1]": "candles.close < candles.close.iloc[-1]",
}
RARER = {
    "three candles on": "candles.close.shift(-3) > candles.close * 1.03",
    "highest of all": "candles.high > candles.high.max() * 0.97",
    "ranked": "candles.volume.rank(pct=True) > 0.95",
    "turned round": "candles.close < candles.close[::-1].cummin()[::-1] * 1.0001",
    "interpolated": "candles.close > candles.close.where(candles.time.dt.hour % 6 == 0).interpolate() * 1.01",
    "gradient": "np.gradient(candles.close) > 1.5",
}
HONEST = {
    "shift(1)": "candles.close > candles.close.shift(1) * 1.01",
    "mean so far": "candles.close > candles.close.expanding().mean() * 1.02",
    "never": "candles.close < 0",
    "ffill": "candles.close > candles.close.where(candles.close > candles.close.shift(1) * 1.015).ffill()",
}


def whole(strategy: GuardedStrategy, series: Candles = SERIES) -> Frames:
    analyzer = TechnicalAnalyzer()
    return {each: analyzer.whole(resample(series, each)) for each in strategy.timeframes}


def found_by(look: LookAhead, rows: list[int]) -> Peek | None:
    return next((found for row in rows if (found := look.at(row))), None)


def every(formulas: dict[str, str], *marks: pytest.MarkDecorator) -> list[Any]:
    return [pytest.param(formula, id=name, marks=marks) for name, formula in formulas.items()]


def peeking(folder: Path, formula: str) -> GuardedStrategy:
    return loaded(folder, ("import annotations\n", "import annotations\nimport numpy as np\n"), with_trigger(formula))


@pytest.mark.parametrize("formula", [*every(PEEKS), *every(RARER, pytest.mark.slow)])
def test_a_look_ahead_is_found_on_a_sample_with_its_candle_and_column(tmp_path: Path, formula: str) -> None:
    strategy = peeking(tmp_path, formula)
    look = LookAhead(strategy, whole(strategy))
    found = found_by(look, look.sample())
    assert found is not None
    assert (found.column, found.symbol, found.timeframe) == ("entry", "BTC/USDT", Timeframe.H1)
    row = int((found.at - Timeframe.H1.duration - from_millis(int(SERIES.open_ms[0]))) / timedelta(hours=1))
    assert found.knowing == ("yes" if look.said.entry[row] else "no") != found.before
    assert found.at <= found.cut_at


@pytest.mark.parametrize("formula", every(HONEST))
def test_what_looks_back_alone_is_left_in_peace_at_every_candle(tmp_path: Path, formula: str) -> None:
    strategy, series = peeking(tmp_path, formula), SERIES.cut(0, 250)
    look = LookAhead(strategy, whole(strategy, series))
    look.demand(look.sample())
    look.demand(islice(look.all(), 30))


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        (
            'sight.reading("volume_ratio")',
            "np.roll(sight.candles.volume, -1) / sight.candles.volume",
            "the condition 'volume behind it'",
        ),
        ('sight.reading(f"ma_{self.length}")', "np.full(len(sight), sight.candles.close.mean())", "exit"),
        (
            "    def triggers(",
            "    def stops(self, sight):\n        return np.append(sight.candles.high[1:], 1e9)\n\n    def triggers(",
            "stop_distance",
        ),
        ('"volume behind it"', 'f"{len(sight)} candles"', "the list of its conditions"),
    ],
    ids=["condition", "exit", "stop", "names"],
)
def test_it_is_found_in_every_column(tmp_path: Path, old: str, new: str, column: str) -> None:
    imports = ("import annotations\n", "import annotations\nimport numpy as np\n")
    strategy = loaded(tmp_path, imports, (old, new), max_candles=None)
    look = LookAhead(strategy, whole(strategy))
    found = found_by(look, look.sample())
    assert found is not None
    assert found.column == column


def test_a_longer_candle_that_is_still_open_is_the_future(tmp_path: Path) -> None:
    open_one = """        days = sight.frames.get(Timeframe.D1, sight.frames[Timeframe.H1]).candles
        rows = days.open_ms.searchsorted(sight.candles.open_ms, side="right") - 1
        return (Sign(shows=(rows >= 0) & (sight.candles.close > days.low[rows] * 1.02), words=lambda row: said),)
"""
    strategy = loaded(tmp_path, with_trigger("X"), ("        candles = sight.frame()\n", open_one))
    look = LookAhead(strategy, whole(strategy))
    found = found_by(look, look.sample())
    assert found is not None
    assert found.column == "entry"


def test_what_is_cut_off_is_not_there_by_any_way() -> None:
    frames = whole(loaded_momentum := MovingAverageCross())  # type: ignore[arg-type]
    cut = cut_after(frames, loaded_momentum.timeframe, 100)
    at = from_millis(int(SERIES.open_ms[100])) + timedelta(hours=1)
    for timeframe, frame in cut.items():
        assert frame.candles.closed_at <= at < frame.candles.closed_at + timeframe.duration
        assert (frame.columns.count, frame.columns.series) == (len(frame.candles), None)
        assert frame.candles.within is None
        assert frame.signals.at == frame.candles.closed_at
    assert Timeframe.D1 in cut
    assert set(cut_after(frames, Timeframe.H1, 2)) == {Timeframe.H1}


def test_chance_is_not_taken_for_a_look_ahead(tmp_path: Path) -> None:
    strategy = peeking(tmp_path, "np.random.random(len(sight)) > 0.5")
    with pytest.raises(StrategyError, match="something else each time it is asked"):
        LookAhead(strategy, whole(strategy))


def test_all_rows_are_every_row_once_and_any_part_of_them_is_spread() -> None:
    look = LookAhead(MovingAverageCross(), whole(MovingAverageCross(), SERIES.cut(0, 700)))  # type: ignore[arg-type]
    rows = list(look.all())
    assert sorted(rows) == list(range(700))
    assert np.diff(sorted([0, *rows[:20], 699])).max() < 100


def test_a_backtest_refuses_it_in_words_that_name_the_way_out(tmp_path: Path) -> None:
    strategy = peeking(tmp_path, PEEKS["shift(-1)"])
    with pytest.raises(StrategyError) as refused:
        refuse_peeking(backtests.setup(strategy, SERIES))
    message = str(refused.value)
    assert message.startswith("The strategy breakout looks ahead: on BTC/USDT, at the 1h candle that closes 2024-01-")
    assert "UTC, entry is yes once later candles are known, and no with those up to 2024-01-" in message
    assert "no shift(-1)" in message
    refuse_peeking(backtests.setup(peeking(tmp_path / "other", HONEST["shift(1)"]), SERIES))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rsi_14", "Did you mean rsi?"),
        ("ADX_14", "What is under indicators in the settings adds others."),
        ("ma_x", ""),
    ],
)
def test_a_reading_that_is_not_there_is_told_for_nothing_would_be_known_of_it(
    tmp_path: Path, name: str, said: str
) -> None:
    strategy = loaded(tmp_path, ('sight.reading("rsi")', f'sight.reading("{name}")'))
    with pytest.raises(StrategyError) as refused:
        LookAhead(strategy, whole(strategy))
    assert refused.value.message == f"The strategy breakout asks for the reading {name}, which there is not."
    assert said in refused.value.remedy
