"""The rules about a market's figures and the clock: what each passes, cuts and stops, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.hours import Hours
from engine.risk import market_rules, metrics
from engine.risk.limits import RiskLimits
from engine.risk.verdicts import Verdict
from tests.fakes.feed import BTC, START
from tests.fakes.risk import entry, portfolio, risk_stats, view

ONE = entry(quantity=Decimal(1))
SHARES = st.decimals("0.001", "1", places=3)
VALUES = st.floats(1, 1e9)


def seen(**figures: object):
    return replace(view(), stats=risk_stats(**figures))


def lots(verdict: Verdict | None) -> int:
    return int(BTC.lots(ONE.quantity)) if verdict is None else verdict.lots


def test_an_entry_is_a_hundredth_of_a_days_trading_at_most():
    verdict = market_rules.daily_volume(ONE, seen(known_volume=5_000.0), RiskLimits())
    assert verdict is not None
    assert BTC.quantity(verdict.lots) * ONE.price <= 50 < BTC.quantity(verdict.lots + 1) * ONE.price
    assert verdict.reason == "an entry is at most 1% of what a day has traded, 5,000.00 USDT: 50.00"
    assert market_rules.daily_volume(ONE, seen(known_volume=10_100.0), RiskLimits()) is None
    assert market_rules.daily_volume(ONE, seen(known_volume=0.0), RiskLimits(max_daily_volume=None)) is None


def test_without_figures_nothing_is_bought_of_a_volume_that_is_not_known():
    verdict = market_rules.daily_volume(ONE, replace(view(), stats=None), RiskLimits())
    assert verdict is not None
    assert verdict.lots == 0


@given(VALUES, VALUES, SHARES, SHARES)
def test_more_volume_or_a_larger_share_of_it_never_allows_less(one: float, other: float, share: Decimal, more: Decimal):
    few, many = sorted((one, other))
    less, most = sorted((share, more))
    found = [
        lots(market_rules.daily_volume(ONE, seen(known_volume=volume), RiskLimits(max_daily_volume=limit)))
        for volume, limit in ((few, less), (many, less), (many, most))
    ]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("atr", "volatility", "allowed"),
    [(1.0, 0.0, None), (200.0, 0.0, "0.5"), (1.0, 2 / metrics.NORMAL_95, "0.49990"), (400.0, 0.001, "0.25")],
)
def test_a_trade_is_cut_to_what_it_loses_on_a_bad_day(atr: float, volatility: float, allowed: str | None):
    """1 % of 10,000 is 100: half a coin where one moves by 200 in a day."""
    verdict = market_rules.bad_day(ONE, seen(atr=atr, volatility=volatility), RiskLimits(risk_per_day=Decimal("0.01")))
    assert (verdict and BTC.quantity(verdict.lots)) == (
        allowed and pytest.approx(Decimal(allowed), abs=Decimal("1e-3"))
    )
    if verdict:
        assert verdict.reason.startswith("a trade loses at most 1% of equity on a bad day, 100.00; BTC/USDT moves by ")


def test_a_trade_whose_bad_day_is_not_known_is_not_made():
    verdict = market_rules.bad_day(ONE, seen(volatility=None), RiskLimits(risk_per_day=Decimal("0.01")))
    assert verdict == Verdict(lots=0, reason="how far BTC/USDT moves in a day is not known yet")


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_wilder_market_never_gets_more(one: float, other: float, calm: float, wild: float):
    limits, account = RiskLimits(risk_per_day=Decimal("0.001")), portfolio()
    pairs = zip(sorted((one, other)), sorted((calm, wild)), strict=True)
    calmer, wilder = [
        lots(
            market_rules.bad_day(
                ONE, replace(view(portfolio=account), stats=risk_stats(atr=atr, volatility=volatility)), limits
            )
        )
        for atr, volatility in pairs
    ]
    assert wilder <= calmer


@pytest.mark.parametrize(("volatility", "stops"), [(0.0999, False), (0.1, False), (0.1001, True)])
def test_a_market_that_moves_more_than_allowed_is_not_entered(volatility: float, stops: bool):  # noqa: FBT001 - a table
    verdict = market_rules.volatility(ONE, seen(volatility=volatility), RiskLimits(max_volatility=Decimal("0.1")))
    assert (verdict is not None) is stops
    if verdict:
        assert verdict.reason == "the volatility of BTC/USDT is 10.01% a day; 10% is allowed"
    assert market_rules.volatility(ONE, seen(volatility=volatility), RiskLimits()) is None


@pytest.mark.parametrize(
    ("returns", "told"),
    [
        ([], ""),
        ([0.0, 0.0, -0.10], "fallen by 10.00% within a 1h candle; less than 10% is allowed"),
        ([0.0, -0.10, 0.0], ""),
        ([0.0, 0.0, -0.0999], ""),
        ([0.0, 0.0, 0.2], ""),
    ],
)
def test_what_has_just_fallen_is_not_entered(returns: list[float], told: str):
    verdict = market_rules.flash_crash(ONE, seen(returns=np.array(returns)), RiskLimits(max_fall=Decimal("0.1")))
    assert (verdict.reason if verdict else "") == (told and f"BTC/USDT has {told}")


def test_a_fall_is_of_as_many_candles_as_the_time_has_room_for():
    limits = RiskLimits(max_fall=Decimal("0.1"), fall_within=timedelta(minutes=90))
    fell = seen(returns=np.array([0.0, -0.06, -0.06]))
    verdict = market_rules.flash_crash(ONE, fell, limits)
    assert verdict is not None
    assert "within 2 candles of 1h" in verdict.reason
    assert market_rules.flash_crash(ONE, fell, replace(limits, fall_within=timedelta(minutes=60))) is None


@given(st.lists(st.floats(-0.5, 0.5), max_size=30))
def test_a_fall_is_from_the_highest_close(returns: list[float]):
    path = [1.0]
    for each in returns:
        path.append(path[-1] * (1 + each))
    assert metrics.fall_from_highest(np.array(returns)) == pytest.approx(1 - path[-1] / max(path), abs=1e-12)


@pytest.mark.parametrize(
    ("utc", "told"),
    [
        ("2024-01-05 20:59", ""),
        ("2024-01-05 21:00", "nothing is entered 22:00-01:00 (Europe/Berlin); it is 22:00"),
        ("2024-01-05 23:59", "nothing is entered 22:00-01:00 (Europe/Berlin); it is 00:59"),
        ("2024-01-06 00:00", "nothing is entered sat 00:00-06:30 (Europe/Berlin); it is 01:00"),
        ("2024-01-06 05:30", ""),
        ("2024-07-05 20:00", "nothing is entered 22:00-01:00 (Europe/Berlin); it is 22:00"),
    ],
)
def test_nothing_is_entered_in_closed_hours_by_the_clocks_of_their_zone(utc: str, told: str):
    hours = (Hours(tuple(range(7)), time(22), time(1)), Hours((5,), time(0), time(6, 30)))
    limits = RiskLimits(closed_hours=hours, hours_zone=ZoneInfo("Europe/Berlin"))
    verdict = market_rules.trading_hours(ONE, view(now=datetime.fromisoformat(utc).replace(tzinfo=UTC)), limits)
    assert (verdict.reason if verdict else "") == told


@given(st.sets(st.integers(0, 6), min_size=1), st.times(), st.times(), st.integers(0, 7 * 1440 - 1))
def test_hours_are_those_after_their_begin_by_less_than_their_length(days: set[int], begins: time, ends: time, at: int):
    week, midnight = timedelta(days=7), datetime(2024, 1, 1, tzinfo=UTC)
    now = midnight + timedelta(minutes=at)
    length = (datetime.combine(midnight, ends) - datetime.combine(midnight, begins)) % timedelta(days=1)
    length = length or timedelta(days=1)
    starts = [datetime.combine(midnight + timedelta(days=day), begins, UTC) for day in days]
    assert Hours(tuple(days), begins, ends).has(now) is any((now - start) % week < length for start in starts)


def test_at_a_close_a_backtest_is_refused_what_live_is():
    limits = RiskLimits(max_volatility=Decimal("0.1"), max_fall=Decimal("0.2"))
    assert market_rules.refused_at_close(risk_stats(), START, limits) == ""
    assert "volatility" in market_rules.refused_at_close(risk_stats(volatility=0.2), START, limits)
    assert "fallen" in market_rules.refused_at_close(risk_stats(returns=np.array([-0.2])), START, limits)
