import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.domain.errors import NoData
from engine.domain.market import Candles, Market, Timeframe, from_millis
from engine.simulation.generator import CHUNK, GeneratedMarket, MarketGenerator

START = datetime(2024, 1, 1, tzinfo=UTC)
BTC = GeneratedMarket(market=Market(symbol="BTC/USDT"), start_price=60_000, volatility=0.6)
ETH = GeneratedMarket(market=Market(symbol="ETH/USDT", tick=Decimal("0.05")), start_price=3_000, volatility=0.8)


def generator(
    markets: Sequence[GeneratedMarket] = (BTC, ETH), seed: int = 7, timeframe: Timeframe = Timeframe.H1
) -> MarketGenerator:
    return MarketGenerator(markets=markets, timeframe=timeframe, seed=seed, start=START)


def columns(candles: Candles) -> np.ndarray:
    return np.stack([candles.open_ms, candles.open, candles.high, candles.low, candles.close, candles.volume])


def digest(candles: Candles) -> str:
    return hashlib.sha256(columns(candles).tobytes()).hexdigest()


def long_run(market: str = "BTC/USDT", seed: int = 7) -> Candles:
    return generator(seed=seed).candles(market, START + timedelta(days=1500))


def test_a_seed_makes_the_same_market_and_another_seed_another() -> None:
    assert digest(long_run()) == digest(long_run())
    assert digest(long_run()) != digest(long_run(seed=8))


def test_what_was_asked_for_before_changes_nothing() -> None:
    patient = generator()
    for day in range(0, 1500, 50):
        patient.candles("ETH/USDT", START + timedelta(days=day))
    assert digest(patient.candles("BTC/USDT", START + timedelta(days=1500))) == digest(long_run())


def test_which_other_markets_there_are_changes_nothing() -> None:
    alone = generator([ETH]).candles("ETH/USDT", START)
    assert digest(alone) == digest(generator([BTC, ETH]).candles("ETH/USDT", START))


def test_the_hash_seed_of_the_interpreter_changes_nothing() -> None:
    program = (
        "from datetime import UTC, datetime; from engine.domain.market import *;"
        "from engine.simulation.generator import *;"
        "g = GeneratedMarket(market=Market(symbol='BTC/USDT'), start_price=6e4, volatility=.6);"
        "g = MarketGenerator(markets=[g], timeframe=Timeframe.H1, seed=7, start=datetime(2024, 1, 1, tzinfo=UTC));"
        "print(g.candles('BTC/USDT', datetime(2024, 1, 2, tzinfo=UTC)).close.sum())"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1


def test_candles_are_made_as_far_as_they_are_asked_for_in_whole_chunks() -> None:
    source = generator()
    assert len(source.candles("BTC/USDT", START)) == CHUNK
    assert len(source.candles("BTC/USDT", START + CHUNK * timedelta(hours=1))) == 2 * CHUNK
    assert len(source.candles("BTC/USDT", START)) == 2 * CHUNK


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.H1, Timeframe.D1])
@pytest.mark.parametrize("recipe", [BTC, ETH])
def test_candles_are_consistent_on_tick_and_without_gaps(recipe: GeneratedMarket, timeframe: Timeframe) -> None:
    until = START + (CHUNK + 1) * timeframe.duration
    candles = generator(timeframe=timeframe).candles(recipe.market.symbol, until)
    assert set(np.diff(candles.open_ms)) == {timeframe.millis}
    assert from_millis(int(candles.open_ms[0])) == START
    assert (candles.low > 0).all()
    assert (candles.volume > 0).all()
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.open[1:] == candles.close[:-1]).all()
    prices = [*candles.high[:500], *candles.low[:500], *candles.close[:500]]
    assert all(recipe.market.price(float(price)) == Decimal(repr(float(price))) for price in prices)


def returns(candles: Candles) -> np.ndarray:
    return np.diff(np.log(candles.close))


def test_volatility_is_about_what_was_asked_for() -> None:
    yearly = np.median([returns(long_run(seed=seed)).std() * np.sqrt(24 * 365) for seed in range(5)])
    assert 0.5 < yearly < 0.9


def test_tails_are_fat_and_calm_and_wild_times_alternate() -> None:
    moves = returns(long_run())
    assert ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 > 5
    assert np.corrcoef(np.abs(moves[:-24]), np.abs(moves[24:]))[0, 1] > 0.05


def test_volume_follows_volatility() -> None:
    candles = long_run()
    assert np.corrcoef(np.abs(returns(candles)), (candles.volume * candles.close)[1:])[0, 1] > 0.4


def test_markets_move_together() -> None:
    source = generator()
    moves = [returns(source.candles(name, START + timedelta(days=1000))) for name in ("BTC/USDT", "ETH/USDT")]
    assert 0.4 < np.corrcoef(moves)[0, 1] < 0.9


def test_a_crash_comes_now_and_then_and_is_mostly_won_back() -> None:
    closes = long_run().close[::4]
    within_a_day = closes[6:] / closes[:-6] - 1
    assert (within_a_day < -0.12).any()
    assert closes[-1] > closes[0] / 5


def test_a_market_that_is_not_generated_is_no_data() -> None:
    with pytest.raises(NoData, match="DOGE/USDT"):
        generator().candles("DOGE/USDT", START)
