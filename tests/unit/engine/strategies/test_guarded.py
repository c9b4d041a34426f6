"""A strategy of somebody's own: what goes wrong in it is told with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.errors import DataError, StrategyError
from engine.domain.market import Timeframe, from_millis
from engine.ports import Frames
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.reading_ahead import ReadingAhead, read_ahead
from engine.strategies.sma_cross import SmaCross
from tests.fakes.own_strategies import line_of, loaded, with_trigger, written
from tests.fakes.series import walk

SERIES = walk(3, 400, sigma=0.01)
WHOLE: Frames = {Timeframe.H1: TechnicalAnalyzer().whole(SERIES)}


def live(row: int) -> Frames:
    return TechnicalAnalyzer().frames({Timeframe.H1: SERIES.cut(0, row + 1)})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('sight.reading("close") - self._top(sight)', "1 / 0", "ZeroDivisionError: division by zero"),
        ('sight.reading("close") - self._top(sight)', "exit('no more')", "SystemExit: no more"),
        ('sight.reading("close") - self._top(sight)', 'sight.reading("close").sort()', "ValueError: "),
        ("(*look", "[][3], (*look", "IndexError: list index out of range"),
    ],
)
def test_an_error_names_the_line_that_was_carried_out(tmp_path: Path, old: str, new: str, said: str) -> None:
    conditions = ("        return (\n            *look", "        return (*look")
    strategy = loaded(tmp_path, *([conditions] if "*look" in old else []), (old, new))
    line = line_of(tmp_path / "breakout.py", new)
    wanted = f"The strategy breakout failed: {tmp_path}/breakout.py, line {line}: {said}"
    for ask in (
        lambda: strategy.columns(WHOLE),
        lambda: strategy.generate_signals(live(399)),
    ):
        with pytest.raises(StrategyError) as refused:
            ask()
        assert refused.value.message.startswith(wanted)


def test_words_that_fail_name_their_line_too(tmp_path: Path) -> None:
    always = (
        "crossed_above(above_channel, 0.0), words=lambda row: said",
        "above_channel > -99, words=lambda row: {}[row]",
    )
    strategy = loaded(tmp_path, always)
    line = line_of(tmp_path / "breakout.py", "{}[row]")
    entries = strategy.columns(WHOLE).entry.nonzero()[0]
    with pytest.raises(StrategyError, match=rf"line {line}: KeyError: "):
        strategy.generate_signals(live(int(entries[0])))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("words=lambda row: said),)", "words=lambda row: said))", "triggers must give a tuple of Signs, (one,) or"),
        (
            "        mean = ",
            "        return None\n        mean = ",
            "reversals must give a tuple of Signs, ",
        ),
        (
            "        return (\n            *look",
            "        return (1,)\n        (\n            *look",
            "conditions must give",
        ),
        ('sight.reading("close") < mean', "[True, False]", "ValueError: operands could not be broadcast together"),
    ],
)
def test_what_a_method_gives_that_it_must_not_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    strategy = loaded(tmp_path, (old, new))
    with pytest.raises(StrategyError) as refused:
        strategy.columns(WHOLE)
    assert said in refused.value.message
    assert refused.value.remedy == "What its methods give must have a value for each candle in sight."


def test_missing_candles_are_no_failure_of_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs 1h candles"):
        loaded(tmp_path).generate_signals({})


def test_pandas_says_yes_and_no_as_well_and_what_is_not_known_yet_warns_nobody(tmp_path: Path) -> None:
    strategy = loaded(tmp_path, with_trigger("candles.close / candles.close.shift(1) > 1.02"))
    said = strategy.columns(WHOLE)
    close = SERIES.close
    rises = [row for row in range(1, 400) if close[row] / close[row - 1] > 1.02]
    assert said.entry.any()
    assert set(said.entry.nonzero()[0]) <= set(rises)


def test_a_stop_of_ones_own_is_where_it_says(tmp_path: Path) -> None:
    stops = """    def stops(self, sight):
        return sight.candles.close - sight.candles.low + 1.0

    def triggers("""
    strategy = loaded(tmp_path, ("    def triggers(", stops))
    said = strategy.columns(WHOLE)
    assert said.stop_distance.tolist() == (SERIES.close - SERIES.low + 1.0).tolist()
    assert (said.target_distance[30:] > 0).all()


def test_it_is_never_read_ahead(tmp_path: Path) -> None:
    own, of_the_house = loaded(tmp_path), SmaCross()
    contexts = [
        StrategyContext(name=str(number), venue="paper", strategy=each, markets=("BTC/USDT",), timeframe=Timeframe.H1)
        for number, each in enumerate((own, of_the_house))
    ]
    ready = read_ahead(StrategyContexts(contexts=tuple(contexts))).contexts
    assert ready[0].strategy is own
    assert isinstance(ready[1].strategy, ReadingAhead)


def test_readings_cannot_be_written_to(tmp_path: Path) -> None:
    file = written(tmp_path, ("said = f", 'sight.reading("close")[0] = 1.0; said = f'))
    with pytest.raises(StrategyError, match=rf"{file.name}, line \d+: ValueError: assignment destination is read-only"):
        loaded(tmp_path).columns(WHOLE)


def test_a_pandas_frame_has_a_row_for_each_candle_numbered_as_words_are_asked(tmp_path: Path) -> None:
    framed = """\
        frame = sight.frame()
        top = frame.high.rolling(20).max().shift(1)
        return (Sign(shows=frame.close > top, words=lambda row: f"{frame.time[row]:%H} {top[row]:.1f}"),)
"""
    strategy = loaded(tmp_path, with_trigger("X"), ("        candles = sight.frame()\n", framed))
    row = int(strategy.columns(WHOLE).entry.nonzero()[0][-1])
    hour = from_millis(int(SERIES.open_ms[row])).hour
    assert strategy.generate_signals(live(row)).trigger == f"{hour:02} {SERIES.high[row - 20 : row].max():.1f}"
