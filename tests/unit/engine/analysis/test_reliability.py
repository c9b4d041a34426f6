from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.reliability import grades, reliability
from engine.domain.outcomes import Outcome, ReliabilityBin

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def outcome(confidence: float, *, won: bool, strategy: str = "momentum", timeframe: str = "1h") -> Outcome:
    return Outcome(
        position_id="T1",
        strategy=strategy,
        timeframe=timeframe,
        confidence=confidence,
        won=won,
        heard=True,
        closed_at=NOON,
    )


PAIRS = st.lists(st.tuples(st.floats(min_value=0, max_value=1), st.booleans()), min_size=1, max_size=50)


def test_without_trades_there_is_nothing_to_say():
    assert reliability([]) is None
    assert grades([]) == ()


@settings(deadline=None)
@given(PAIRS)
def test_the_brier_score_is_that_of_scikit_learn(pairs: list[tuple[float, bool]]):
    from sklearn.metrics import brier_score_loss  # here, for every worker would wait for it while it collects

    found = reliability([outcome(confidence, won=won) for confidence, won in pairs])
    said, won = zip(*pairs, strict=True)
    assert found is not None
    assert found.brier == pytest.approx(brier_score_loss(won, said, pos_label=True))
    assert sum(each.trades for each in found.bins) == found.trades == len(pairs)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=50))
def test_with_one_confidence_a_bin_murphys_parts_make_the_score(pairs: list[tuple[float, bool]]):
    """Brier = miscalibration - resolution + uncertainty, exactly."""
    found = reliability([outcome(confidence, won=won) for confidence, won in pairs])
    assert found is not None
    share = sum(won for _, won in pairs) / len(pairs)
    resolution = sum(each.trades * (each.won - share) ** 2 for each in found.bins) / found.trades
    assert found.brier == pytest.approx(found.miscalibration - resolution + found.base)


def test_bins_hold_confidences_of_a_range_the_lowest_first():
    found = reliability([outcome(1.0, won=True), outcome(0.8, won=False), outcome(0.1, won=False)])
    assert found is not None
    assert found.bins == (
        ReliabilityBin(said=0.1, won=0.0, trades=1),
        ReliabilityBin(said=pytest.approx(0.9), won=0.5, trades=2),
    )


def test_each_strategy_and_timeframe_has_a_grade_of_its_own():
    found = grades([outcome(0.5, won=True), *[outcome(0.5, won=True, strategy="trend", timeframe="4h")] * 2])
    assert [(each.strategy, each.timeframe, each.found.trades) for each in found] == [
        ("trend", "4h", 2),
        ("momentum", "1h", 1),
    ]
