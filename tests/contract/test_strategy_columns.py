"""What a strategy says of a whole frame: never of the future, and at each row what live would have said there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.indicators import IndicatorSpec
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.columns import SignalColumns
from engine.domain.market import Candles, Market, Timeframe, from_millis
from engine.domain.positions import Position
from engine.ports import Frames, Strategy
from engine.simulation.frames import resample
from engine.simulation.generator import GeneratedMarket, MarketGenerator
from engine.strategies.conditions import ColumnCondition
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.examples import examples
from tests.fakes.series import real, walk

pytestmark = pytest.mark.slow

SPECS = (
    IndicatorSpec(name="ema", parameters={"length": 200}),
    IndicatorSpec(name="adx"),
    IndicatorSpec(name="obv"),
    IndicatorSpec(name="dpo"),
)
"""One that remembers long, one that remembers shortly, one that never forgets, and one that fills in the past."""
FURTHER = (
    ColumnCondition(column="close", above="EMA_200"),
    ColumnCondition(column="ADX_14", above=20, timeframe=Timeframe.H4),
    ColumnCondition(column="OBV", above=0.0),
    ColumnCondition(column="DPO_20", above=0.0),
)
STRATEGIES: tuple[Strategy, ...] = (
    MovingAverageCross(),
    Momentum(),
    MeanReversion(),
    MovingAverageCross(fast=7, slow=350, further=FURTHER[:2]),
    Momentum(breakout=1, higher=(Timeframe.H4,)),
    SmaCross(fast=5, slow=13),
    RsiBands(rsi_low=35.0, max_candles=30),
)
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: type(each).__name__)
LONGER = (Timeframe.H4, Timeframe.D1)


def frames_of(series: Candles, analyzer: TechnicalAnalyzer, *, newest: int | None = None) -> Frames:
    """What is known at the newest close: all candles, or so many of each length, as live asks for them."""
    now = series.closed_at
    known = {series.timeframe: series} | {longer: resample(series, longer).closed(now) for longer in LONGER}
    count = newest or len(series)
    return analyzer.frames(
        {each: columns.cut(max(0, len(columns) - count), len(columns)) for each, columns in known.items()}
    )


def generated(count: int, seed: int = 20) -> Candles:
    """A market with regimes, fat tails and crashes."""
    recipe = GeneratedMarket(market=Market(symbol="BTC/USDT"), start_price=60_000.0, volatility=0.9)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    generator = MarketGenerator(markets=[recipe], timeframe=Timeframe.H1, seed=seed, start=start)
    return generator.candles("BTC/USDT", start + timedelta(hours=count)).cut(0, count)


def past(said: SignalColumns, rows: int) -> tuple[object, ...]:
    """Everything that is said of the first rows, to the last bit."""
    columns = (said.entry, said.exit, said.conditions, said.stop_distance, said.target_distance, said.confidence)
    return (said.names, said.weights, said.max_candles, *(column[:rows].tobytes() for column in columns))


def demand_the_same_past(strategy: Strategy, series: Candles, cut: int) -> None:
    specs = SPECS[:2] if getattr(strategy, "further", ()) else ()
    whole = strategy.columns(frames_of(series, TechnicalAnalyzer(indicators=specs)))
    early = strategy.columns(frames_of(series.cut(0, cut), TechnicalAnalyzer(indicators=specs)))
    assert (len(whole), len(early)) == (len(series), cut)
    assert past(whole, cut) == past(early, cut)


@every_strategy
@examples(15)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 700), sigma=st.floats(0.001, 0.03))
def test_columns_cut_at_any_row_have_the_same_past(*, strategy: Strategy, seed: int, cut: int, sigma: float) -> None:
    demand_the_same_past(strategy, walk(seed, 700, sigma=sigma), cut)


@every_strategy
@pytest.mark.parametrize("cut", [301, 2222, 3999])
def test_on_a_generated_market_as_well(*, strategy: Strategy, cut: int) -> None:
    demand_the_same_past(strategy, generated(4000), cut)


@every_strategy
@pytest.mark.parametrize("name", ["BTCUSDT-1h", "DOGEUSDT-1h"])
def test_and_on_real_candles(*, strategy: Strategy, name: str) -> None:
    history = real(name).cut(10_000, 16_000)
    for cut in (777, 5003):
        demand_the_same_past(strategy, history, cut)


def position(opened_at: datetime) -> Position:
    return Position(
        venue="paper",
        id="P1",
        context="test",
        symbol="BTC/USDT",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        opened_at=opened_at,
    )


def demand_what_live_says(
    strategy: Strategy, series: Candles, rows: list[int], specs: tuple[IndicatorSpec, ...]
) -> None:
    """Each row is what a cycle at its close says, which sees no more candles than it asks for."""
    analyzer = TechnicalAnalyzer(indicators=specs)
    wanted = max(analyzer.history, strategy.history)
    whole = strategy.columns(frames_of(series, analyzer))
    for row in rows:
        seen = frames_of(series.cut(0, row + 1), analyzer, newest=wanted)
        said = strategy.generate_signals(seen)
        assert [each.name for each in said.conditions] == list(whole.names)
        assert [each.holds for each in said.conditions] == whole.conditions[row].tolist()
        assert [each.weight for each in said.conditions] == list(whole.weights)
        assert (said.triggered, said.confidence) == (whole.entry[row], whole.confidence[row])
        for distance, column in (
            (said.stop_distance, whole.stop_distance),
            (said.target_distance, whole.target_distance),
        ):
            np.testing.assert_allclose(np.nan if distance is None else distance, column[row], rtol=1e-6)
        opened = from_millis(int(series.open_ms[row])) + timedelta(hours=1)
        assert bool(strategy.update_positions([position(opened)], seen)) == whole.exit[row]


@every_strategy
def test_each_row_is_what_live_says_there(strategy: Strategy) -> None:
    specs, series = (SPECS[:2] if getattr(strategy, "further", ()) else ()), generated(3600)
    fired = np.flatnonzero(strategy.columns(frames_of(series, TechnicalAnalyzer(indicators=specs))).entry)
    assert len(fired)
    demand_what_live_says(strategy, series, [0, 40, 200, 299, *range(3000, 3600, 29), *fired[-5:].tolist()], specs)


@pytest.mark.parametrize("name", ["BTCUSDT-1h", "SOLUSDT-1h"])
def test_each_row_is_what_live_says_there_on_real_candles(name: str) -> None:
    series = real(name).cut(12_000, 17_000)
    strategy = MovingAverageCross(further=FURTHER[:2])
    demand_what_live_says(strategy, series, [*range(4000, 5000, 91)], SPECS[:2])


def test_what_never_forgets_or_fills_in_the_past_is_read_as_live_reads_it() -> None:
    series, strategy = walk(7, 450), Momentum(further=FURTHER[2:])
    demand_what_live_says(strategy, series, [10, 299, 301, 449], SPECS[2:])


def test_a_longer_candle_is_known_once_it_has_closed() -> None:
    series = walk(3, 24 * 60)
    frames = frames_of(series, TechnicalAnalyzer())
    strategy = MovingAverageCross(higher=(Timeframe.H4,))
    trend = strategy.columns(frames).conditions[:, 0]
    longer = frames[Timeframe.H4]
    means = (longer.columns.reading("ma_20"), longer.columns.reading("ma_50"))
    up = (longer.candles.close > means[1]) & (means[0] > means[1])
    assert up.any()
    assert not up.all()
    assert trend[3::4].tolist() == up.tolist()
    assert trend[4::4].tolist() == trend[3:-1:4].tolist()
    assert trend[6::4].tolist() == trend[3:-3:4].tolist()
