from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.fusion import FUSION
from engine.domain.decisions import Opinion, Verdict
from engine.domain.predictions import Trend, TrendOutlook

SHARES = st.floats(min_value=0.05, max_value=1)
OPINIONS = st.lists(
    st.builds(
        Opinion,
        agent=st.sampled_from(["analyst", "risk", "devils_advocate", "macro"]),
        verdict=st.sampled_from(Verdict),
        confidence=st.floats(min_value=0, max_value=1),
        share=SHARES,
        stop=st.none() | st.decimals(min_value=1, max_value=99, places=2),
        last_word=st.just(value=False),
    ),
    max_size=4,
)


def outlook(direction: Trend, confidence: float | None) -> TrendOutlook:
    return TrendOutlook(
        venue="paper",
        symbol="BTC/USDT",
        at=datetime(2026, 3, 1, tzinfo=UTC),
        predictions=(),
        direction=direction,
        alignment=0.0,
        expected_move=0.0,
        confidence=confidence,
    )


@given(OPINIONS, OPINIONS)
def test_whoever_else_is_heard_there_is_never_more_of_it(heard: list[Opinion], more: list[Opinion]):
    fewer, all_of_them = FUSION.fuse(None, heard), FUSION.fuse(None, heard + more)
    assert all_of_them.share <= fewer.share <= 1
    assert fewer.stop is None or (all_of_them.stop is not None and all_of_them.stop >= fewer.stop)
    assert all_of_them.confidence <= fewer.confidence <= 1
    assert set(fewer.against) <= set(all_of_them.against)


@given(OPINIONS, SHARES)
def test_the_supervisor_overrules_no_veto_no_confidence_and_not_the_share_of_risk(heard: list[Opinion], share: float):
    before = FUSION.fuse(None, heard)
    last = Opinion(agent="supervisor", verdict=Verdict.APPROVE, share=share, last_word=True)
    after = FUSION.fuse(None, [*heard, last])
    assert after.against == before.against
    assert after.confidence <= before.confidence
    risks = [each.share for each in heard if each.agent == "risk" and each.verdict is not Verdict.ABSTAIN]
    assert after.share == min([share, *risks])


def test_without_the_supervisors_word_the_strictest_opinion_holds():
    heard = [
        Opinion(agent="analyst", verdict=Verdict.APPROVE),
        Opinion(agent="devils_advocate", verdict=Verdict.APPROVE, share=0.3, stop=Decimal(95)),
        Opinion(agent="supervisor", verdict=Verdict.ABSTAIN, share=0.9, last_word=True),
    ]
    left = FUSION.fuse(None, heard)
    assert (left.share, left.stop, left.against) == (0.3, Decimal(95), ())


@pytest.mark.parametrize(
    ("direction", "confidence", "left"),
    [
        (Trend.BULLISH, 0.7, 0.7),
        (Trend.BEARISH, 0.7, pytest.approx(0.3)),
        (Trend.NEUTRAL, 0.7, 1.0),
        (Trend.BEARISH, None, 1.0),
    ],
)
def test_a_prediction_counts_as_far_as_its_confidence_was_measured(direction: Trend, confidence: float, left: float):
    assert FUSION.fuse(outlook(direction, confidence), ()).confidence == left
