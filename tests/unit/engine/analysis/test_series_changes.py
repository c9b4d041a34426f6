"""Where a series becomes another thing's, and where it is only wild, thin or full of holes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.quality import DataQualityMonitor, QualityLimits, check
from engine.analysis.series_changes import changes
from engine.domain.market import Candles, Timeframe
from tests.fakes.series import BEGIN, candles, real, walk

LIMITS = QualityLimits()


def series(
    closes: list[float], *, volumes: list[float] | None = None, hours: list[int] | None = None,
    timeframe: Timeframe = Timeframe.H1,
) -> Candles:  # fmt: skip
    """Flat candles at these closes."""
    begin = int(BEGIN.timestamp() * 1000)
    times = np.array([begin + step * timeframe.millis for step in hours or range(len(closes))])
    return candles(
        opens=closes, highs=closes, lows=closes, closes=closes, volumes=volumes or [70.0] * len(closes),
        timeframe=timeframe, open_ms=times,
    )  # fmt: skip


def kinds(found: Candles) -> list[str]:
    return [change.kind for change in changes(found, LIMITS.changes)[1]]


@pytest.mark.parametrize(
    ("before", "after"), [(5e-05, 8.56), (8.56, 8e-07), (1.0, 1000.0), (3000.0, 3.0), (1.0, 700.0), (988.0, 1.0)]
)
def test_a_factor_of_about_a_thousand_between_two_closes_is_another_thing(before: float, after: float) -> None:
    found = series([before] * 60 + [after] * 3)
    rest, (change,) = changes(found, LIMITS.changes)
    assert (change.kind, change.at) == ("jump", BEGIN + timedelta(hours=60))
    assert rest.close.tolist() == [after] * 3
    assert "e-" not in change.detail
    assert "2024-01-03 12:00 UTC" in change.detail


def test_a_crash_that_takes_days_is_none() -> None:
    assert kinds(series([80, 60, 8, 1, 0.02, 0.0003, 0.00005, 0.0001])) == []


@pytest.mark.parametrize("factor", [0.00001, 100_000])
def test_a_bad_tick_is_none_wherever_it_stands(factor: float) -> None:
    assert kinds(series([100.0] * 30 + [100.0 * factor] + [100.0] * 30)) == []


def test_a_newest_bad_tick_is_told_apart_from_a_change_by_the_next_candle() -> None:
    quiet = walk(1, 120).close.tolist()
    now = BEGIN + timedelta(hours=121)
    _, doubtful = check(series([*quiet, quiet[-1] * 5000]), now, LIMITS)
    assert [issue.kind for issue in doubtful.refused] == ["spike"]
    assert doubtful.changes == ()
    later = now + timedelta(hours=1)
    _, gone = check(series([*quiet, quiet[-1] * 5000, quiet[-1]]), later, LIMITS)
    assert (gone.usable, gone.changes) == (True, ())
    _, stays = check(series([*quiet, quiet[-1] * 5000, quiet[-1] * 5000]), later, LIMITS)
    assert [change.kind for change in stays.changes] == ["jump"]


@pytest.mark.parametrize(
    ("timeframe", "missing", "changed"),
    [
        (Timeframe.H1, 33, False),
        (Timeframe.H1, 7 * 24 - 1, False),
        (Timeframe.H1, 7 * 24, True),
        (Timeframe.M5, 7 * 24 * 12, True),
        (Timeframe.D1, 6, False),
        (Timeframe.D1, 20, True),
        (Timeframe.W1, 2, False),
        (Timeframe.W1, 3, True),
    ],
)
def test_weeks_of_nothing_are_a_change_and_an_outage_is_none(
    timeframe: Timeframe,
    missing: int,
    changed: bool,  # noqa: FBT001 - a table
) -> None:
    hours = [*range(60), *range(60 + missing, 63 + missing)]
    found = series([100.0] * 63, hours=hours, timeframe=timeframe)
    assert kinds(found) == (["gone"] if changed else [])
    assert len(changes(found, LIMITS.changes)[0]) == (3 if changed else 63)


@pytest.mark.parametrize(
    ("timeframe", "idle", "of", "changed"),
    [
        (Timeframe.H1, 5, 300, False),
        (Timeframe.H1, 23, 300, False),
        (Timeframe.H1, 24, 300, True),
        (Timeframe.D1, 2, 300, False),
        (Timeframe.D1, 3, 300, True),
        (Timeframe.M1, 299, 300, False),
        (Timeframe.M1, 300, 300, True),
        (Timeframe.M1, 2, 2, False),
    ],
)
def test_a_market_in_which_nothing_is_traded_any_more_has_ended(
    timeframe: Timeframe,
    idle: int,
    of: int,
    changed: bool,  # noqa: FBT001 - a table
) -> None:
    found = series([100.0] * of, volumes=[70.0] * (of - idle) + [0.0] * idle, timeframe=timeframe)
    assert kinds(found) == (["idle"] if changed else [])


def test_the_gate_says_it_again_however_often_it_is_asked() -> None:
    gate, found = DataQualityMonitor(), series([100.0] * 60 + [200_000.0] * 60)
    now = BEGIN + timedelta(hours=120)
    first, again = (gate.check(found, now + timedelta(minutes=minutes))[1] for minutes in (0, 1))
    assert [change.kind for change in first.changes] == ["jump"]
    assert again.changes == first.changes


def test_what_comes_after_a_change_is_all_that_indicators_see() -> None:
    mended, report = check(series([100.0] * 60 + [200_000.0] * 20), BEGIN + timedelta(hours=80), LIMITS)
    assert len(mended) == 20
    assert [issue.kind for issue in report.refused] == ["too few"]


@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_a_market_that_only_wanders_never_changes(seed: int, thin: int) -> None:
    found = walk(seed, 300, sigma=0.05)
    volumes = [70.0] * (300 - thin) + [0.0] * thin
    same = candles(opens=found.open, highs=found.high, lows=found.low, closes=found.close, volumes=volumes)
    assert kinds(same) == []


@pytest.mark.parametrize("name", ["BTCUSDT-1h", "ETHUSDT-1h", "BNBUSDT-1h", "LINKUSDT-1h", "XRPUSDT-1h"])
def test_no_real_market_is_taken_for_another_thing(name: str) -> None:
    assert kinds(real(name)) == []


def test_times_are_in_utc() -> None:
    (change,) = changes(series([1.0] * 5 + [5000.0]), LIMITS.changes)[1]
    assert change.at == datetime(2024, 1, 1, 5, tzinfo=UTC)
