"""What a policy sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from engine.domain.market import Timeframe
from engine.domain.risk_stats import RiskStats
from engine.learning.features import (
    FEATURES,
    MARKET,
    AccountFigures,
    Shares,
    Voices,
    market_figures,
    observations,
    streak_of,
)
from engine.risk.metrics import CVaRCalculator, VaRCalculator

RETURNS = np.random.default_rng(1).normal(0, 0.01, 299)
STATS = RiskStats(
    symbol="BTC/EUR",
    timeframe=Timeframe.H1,
    as_of=datetime(2024, 1, 1, tzinfo=UTC),
    returns=RETURNS,
    volatility=0.05,
    atr=2.0,
    daily_volume=1.0,
)


def account(**changed: float) -> AccountFigures:
    told = {"drawdown": 0.0, "coin": 0.0, "gross": 0.0, "correlation": 0.0, "streak": 0.0, "idle": 9.0, **changed}
    return AccountFigures(**{name: np.array([value]) for name, value in told.items()})


def seen(market: np.ndarray, figures: AccountFigures) -> dict[str, float]:
    voices = Voices(confidence=np.array([0.7]), sentiment=np.array([0.2]), outlook=np.array([-0.5]))
    [row] = observations(market[None, :], figures, voices, Shares(risk_per_trade=0.01, max_position=0.25))
    return dict(zip(FEATURES, row.tolist(), strict=True))


def test_the_market_is_told_by_the_figures_that_risk_is_judged_by() -> None:
    found = dict(zip(MARKET, market_figures(STATS, 100.0, 98.0).tolist(), strict=True))
    assert found["var_95"] == VaRCalculator().historical(RETURNS)
    assert found["cvar_95"] == CVaRCalculator().historical(RETURNS)
    assert found["volatility"] == pytest.approx(np.log(0.05))
    assert found["trend"] == pytest.approx(1.0)
    assert found["atr"] == pytest.approx(0.02)


def test_what_is_not_known_is_no_number() -> None:
    short = replace(STATS, returns=RETURNS[:10], volatility=None, atr=None)
    assert np.isnan(market_figures(short, 100.0, None)).all()


def test_limits_count_as_used_by_what_is_held() -> None:
    market = market_figures(STATS, 100.0, 98.0)
    found = seen(market, account(coin=0.125, gross=0.5, drawdown=0.03))
    assert found["var_used"] == pytest.approx(found["var_95"] * 0.5 / 0.01)
    assert found["cvar_used"] == pytest.approx(found["cvar_95"] * 0.5 / 0.01)
    assert (found["exposure"], found["leverage"], found["drawdown"]) == (0.5, 0.5, 0.03)
    assert (found["confidence"], found["sentiment"], found["outlook"]) == (0.7, 0.2, -0.5)
    assert found["idle"] == pytest.approx(np.log(10))


def test_a_market_never_traded_is_as_one_traded_long_ago() -> None:
    market = market_figures(STATS, 100.0, 98.0)
    assert seen(market, account(idle=np.inf)) == seen(market, account(idle=500.0))


@pytest.mark.parametrize(
    ("won", "wanted"),
    [([], 0), ([True], 1), ([False, False, True], -2), ([True, False], 1), ([False] * 9, -5)],
)
def test_a_streak_is_counted_from_the_newest_trade(won: list[bool], wanted: int) -> None:
    assert streak_of(won) == wanted
