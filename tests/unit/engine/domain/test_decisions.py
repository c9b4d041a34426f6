"""Confidence as an agreement, and what the records say of themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.decisions import Condition, Issue, QualityReport, Signals
from tests.fakes.reports import decision

CONDITIONS = st.lists(
    st.builds(Condition, name=st.just("c"), holds=st.booleans(), weight=st.floats(0.1, 10)), max_size=8
).map(tuple)


@given(CONDITIONS)
def test_confidence_is_a_share(conditions: tuple[Condition, ...]):
    confidence = Signals(trigger="it fired", conditions=conditions).confidence
    assert 0 <= confidence <= 1 + 1e-12
    if conditions and all(condition.holds for condition in conditions):
        assert confidence == 1


def test_conditions_count_by_their_weight():
    conditions = (Condition(name="a", holds=True, weight=3), Condition(name="b", holds=False))
    assert Signals(trigger="", conditions=conditions).confidence == 0.75


def test_without_conditions_there_is_no_confidence():
    assert Signals(trigger="it fired", conditions=()).confidence == 0


def test_agreement_counts_heads():
    assert decision().agreement == "1 of 2 agree"


def test_mended_data_is_usable_and_refused_data_is_not():
    issue = Issue(kind="gap", detail="three candles are missing")
    assert QualityReport(repaired=(issue,)).usable
    assert not QualityReport(refused=(issue,)).usable
