"""Candles for tests: a seeded random walk, hand-made rows, and the real files where they are present."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.domain.market import Candles, Timeframe, to_millis

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_DATA = Path(os.environ.get("GREENLIGHT_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def walk(seed: int, count: int, *, sigma: float = 0.005, timeframe: Timeframe = Timeframe.H1) -> Candles:
    """A random walk around 100 with consistent highs and lows and ordinary volume."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(np.clip(rng.normal(0, sigma, count), -0.09, 0.09)))
    opens = np.concatenate(([100.0], close[:-1]))[:count]
    wick = 1 + np.abs(rng.normal(0, sigma / 2, (2, count))).clip(0, 0.09)
    return candles(
        timeframe=timeframe,
        opens=opens,
        highs=np.maximum(opens, close) * wick[0],
        lows=np.minimum(opens, close) / wick[1],
        closes=close,
        volumes=rng.uniform(50, 90, count),
    )


def candles(
    *,
    opens: Sequence[float] | np.ndarray,
    highs: Sequence[float] | np.ndarray,
    lows: Sequence[float] | np.ndarray,
    closes: Sequence[float] | np.ndarray,
    volumes: Sequence[float] | np.ndarray,
    timeframe: Timeframe = Timeframe.H1,
    open_ms: np.ndarray | None = None,
) -> Candles:
    """Candles of BTC/USDT from columns, one after another from the beginning of 2024."""
    times = to_millis(BEGIN) + timeframe.millis * np.arange(len(closes)) if open_ms is None else open_ms
    columns = (np.array(column, dtype=np.float64) for column in (opens, highs, lows, closes, volumes))
    opens_, highs_, lows_, closes_, volumes_ = columns
    return Candles(
        symbol="BTC/USDT",
        timeframe=timeframe,
        open_ms=times.astype(np.int64),
        open=opens_,
        high=highs_,
        low=lows_,
        close=closes_,
        volume=volumes_,
    )


def rows(*ohlc: tuple[float, float, float, float], before: Sequence[tuple[float, float, float, float]] = ()) -> Candles:
    """Hand-made candles (open, high, low, close) after some history."""
    table = np.array([*before, *ohlc], dtype=np.float64)
    return candles(
        opens=table[:, 0], highs=table[:, 1], lows=table[:, 2], closes=table[:, 3], volumes=np.full(len(table), 70.0)
    )


def real(name: str, timeframe: Timeframe = Timeframe.H1) -> Candles:
    """One of the real candle files, e.g. ``BTCUSDT-1h``; the test is skipped where it is not present."""
    path = _DATA / "candles" / f"{name}.parquet"
    if not path.is_file():
        pytest.skip(f"no real candles at {path}; set GREENLIGHT_DATA to the folder that holds candles/")
    table = pq.read_table(path)
    opens, highs, lows, closes, volumes = (
        table[column].to_numpy() for column in ("open", "high", "low", "close", "volume")
    )
    return candles(
        timeframe=timeframe,
        open_ms=table["timestamp"].cast("int64").to_numpy(),
        opens=opens,
        highs=highs,
        lows=lows,
        closes=closes,
        volumes=volumes,
    )


def around(series: Candles, at: str, *, before: int = 300) -> Candles:
    """The candles up to and with the one that opens at a time (UTC)."""
    row = int(np.searchsorted(series.open_ms, to_millis(datetime.fromisoformat(at).replace(tzinfo=UTC))))
    return series.slice(max(0, row + 1 - before), row + 1)


def resampled(series: Candles, timeframe: Timeframe) -> Candles:
    """Longer candles made of shorter ones; the last may be incomplete."""
    key = series.open_ms // timeframe.millis
    starts = np.concatenate(([0], np.flatnonzero(np.diff(key)) + 1))
    ends = np.concatenate((starts[1:], [len(series)])) - 1
    return candles(
        timeframe=timeframe,
        open_ms=key[starts] * timeframe.millis,
        opens=series.open[starts],
        highs=np.maximum.reduceat(series.high, starts),
        lows=np.minimum.reduceat(series.low, starts),
        closes=series.close[ends],
        volumes=np.add.reduceat(series.volume, starts),
    )
