from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ai.calibration import MIN_OUTCOMES, calibrate, wilson
from engine.domain.outcomes import Outcome


def outcome(confidence: float, *, won: bool) -> Outcome:
    return Outcome(
        position_id="T1",
        strategy="momentum",
        timeframe="1h",
        confidence=confidence,
        won=won,
        heard=True,
        closed_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def outcomes(*pairs: tuple[float, bool]) -> list[Outcome]:
    return [outcome(confidence, won=won) for confidence, won in pairs]


PAIRS = st.lists(
    st.tuples(st.integers(min_value=0, max_value=20).map(lambda each: each / 20), st.booleans()),
    min_size=MIN_OUTCOMES,
    max_size=MIN_OUTCOMES + 100,
)


def test_below_so_many_trades_a_confidence_stands_as_it_is():
    assert calibrate(outcomes(*[(0.9, False)] * (MIN_OUTCOMES - 1))) is None
    assert calibrate(outcomes(*[(0.9, False)] * MIN_OUTCOMES)) is not None


@settings(max_examples=30, deadline=None)
@given(PAIRS)
def test_it_is_the_isotonic_regression_of_scikit_learn(pairs: list[tuple[float, bool]]):
    from sklearn.isotonic import IsotonicRegression  # here, for every worker would wait for it while it collects

    found = calibrate(outcomes(*pairs))
    assert found is not None
    said, won = zip(*pairs, strict=True)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(said, won)
    asked = np.linspace(-0.1, 1.1, 49)
    ours = [found.of(each, 1.0).value for each in asked]
    np.testing.assert_allclose(ours, oracle.predict(asked), atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(PAIRS, st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1))
def test_more_confidence_is_never_worth_less_and_every_value_is_within_its_interval(
    pairs: list[tuple[float, bool]], one: float, other: float
):
    found = calibrate(outcomes(*pairs))
    assert found is not None
    less, more = (found.of(each, 0.2) for each in sorted((one, other)))
    assert less.value <= more.value + 1e-12
    assert 0 <= less.low <= less.value <= less.high <= 1


def test_too_sure_a_strategy_is_brought_down_to_what_it_wins():
    found = calibrate(outcomes(*[(0.9, True)] * 120, *[(0.9, False)] * 80, *[(0.5, True)] * 40, *[(0.5, False)] * 60))
    assert found is not None
    high, low = found.of(0.9, 0.2), found.of(0.5, 0.2)
    assert (high.value, low.value, high.outcomes) == (pytest.approx(0.6), pytest.approx(0.4), 300)
    assert (high.low, high.high) == pytest.approx(wilson(120, 200))
    assert not high.is_wide


def test_where_few_trades_have_such_a_confidence_the_interval_is_wide():
    found = calibrate(outcomes(*[(0.9, True)] * 20, *[(0.9, False)] * 10, *[(0.5, False)] * 200))
    assert found is not None
    assert found.of(0.9, 0.2).is_wide
    assert not found.of(0.9, 0.5).is_wide
    assert not found.of(0.5, 0.2).is_wide


@pytest.mark.parametrize(("won", "trades"), [(0, 10), (10, 10), (3, 7), (90, 150), (1, 1)])
def test_the_interval_is_that_of_wilson(won: int, trades: int):
    from scipy.stats import binomtest  # here, for every worker would wait for it while it collects

    oracle = binomtest(won, trades).proportion_ci(0.95, method="wilson")
    assert wilson(won, trades) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
