from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.alignment import WEIGHTS, late_from, outlook_of, weighed
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import Trend, TrendOutlook, TrendPrediction
from tests.fakes.reports import NOON, prediction

MARKET = Listing("paper", "BTC/USDT")
ALL = (Timeframe.H1, Timeframe.H4, Timeframe.D1, Timeframe.W1)
MOVES = {Trend.BULLISH: 0.02, Trend.BEARISH: -0.03, Trend.NEUTRAL: 0.0}
TURNED = {Trend.BULLISH: Trend.BEARISH, Trend.BEARISH: Trend.BULLISH, Trend.NEUTRAL: Trend.NEUTRAL}
ANY = st.dictionaries(st.sampled_from(ALL), st.sampled_from(Trend))


def made(trends: Mapping[Timeframe, Trend]) -> dict[Timeframe, TrendPrediction]:
    return {each: prediction(each, direction=trend, expected_move=MOVES[trend]) for each, trend in trends.items()}


def outlook(newest: Mapping[Timeframe, TrendPrediction], after: timedelta = timedelta()) -> TrendOutlook:
    return outlook_of(MARKET, ALL, newest, NOON + after)


@given(ANY)
def test_alignment_is_bounded_and_the_direction_is_its_own(trends: Mapping[Timeframe, Trend]):
    found = outlook(made(trends))
    assert -1 <= found.alignment <= 1
    third = 1 / 3
    wanted = (
        Trend.BULLISH if found.alignment >= third else Trend.BEARISH if found.alignment <= -third else Trend.NEUTRAL
    )
    assert found.direction is wanted
    assert (found.expected_move > 0, found.expected_move < 0) == (wanted is Trend.BULLISH, wanted is Trend.BEARISH)
    assert {each for each, _ in found.missing} == set(ALL) - set(trends)
    assert found.confidence is None


@given(ANY)
def test_a_market_upside_down_has_the_outlook_upside_down(trends: Mapping[Timeframe, Trend]):
    there, back = outlook(made(trends)), outlook(made({each: TURNED[trend] for each, trend in trends.items()}))
    assert back.alignment == -there.alignment
    assert back.direction is TURNED[there.direction]


@given(ANY, st.sampled_from(ALL))
def test_one_more_that_is_bullish_never_lowers_the_alignment(trends: Mapping[Timeframe, Trend], one: Timeframe):
    without = {each: trend for each, trend in trends.items() if each is not one}
    assert outlook(made(without | {one: Trend.BULLISH})).alignment >= outlook(made(without)).alignment


@given(st.sampled_from(Trend))
def test_where_all_agree_it_is_theirs_in_full(trend: Trend):
    found = outlook(made(dict.fromkeys(ALL, trend)))
    assert (found.direction, abs(found.alignment)) == (trend, 0 if trend is Trend.NEUTRAL else 1)
    assert found.expected_move == pytest.approx(MOVES[trend])


def test_a_late_one_counts_nothing_and_is_named_with_the_reason():
    newest = made({Timeframe.H1: Trend.BEARISH, Timeframe.D1: Trend.BULLISH})
    in_time, late = outlook(newest, timedelta(minutes=65)), outlook(newest, timedelta(minutes=66))
    assert in_time.alignment == (WEIGHTS[Timeframe.D1] - WEIGHTS[Timeframe.H1]) / 6
    assert Timeframe.H1 not in dict(in_time.missing)
    assert late.alignment == 1
    assert dict(late.missing)[Timeframe.H1] == "it was due anew 0.1 h ago"
    assert len(late.predictions) == 2
    assert late_from(newest[Timeframe.D1]) == NOON + timedelta(hours=26.4)


def test_what_is_not_yet_known_does_not_exist():
    later = replace(prediction(), made_at=NOON + timedelta(seconds=5))
    assert outlook({Timeframe.H1: later}).predictions == ()
    assert outlook({Timeframe.H1: later}, timedelta(seconds=5)).predictions == (later,)


def test_of_confidences_the_lowest_that_was_measured_holds():
    newest = made(dict.fromkeys((Timeframe.H1, Timeframe.H4, Timeframe.D1), Trend.BULLISH))
    newest[Timeframe.H4] = replace(newest[Timeframe.H4], confidence=0.7)
    newest[Timeframe.D1] = replace(newest[Timeframe.D1], confidence=0.6)
    assert outlook(newest).confidence == 0.6


@given(ANY, st.dictionaries(st.sampled_from(ALL), st.floats(0, 1)))
def test_what_is_left_of_its_weight_counts_and_nothing_of_a_weight_is_as_if_it_was_not_there(
    trends: Mapping[Timeframe, Trend], scales: Mapping[Timeframe, float]
):
    whole = outlook(made(trends))
    less = weighed(whole, scales)
    left = {each: WEIGHTS[each] * scales.get(each, 1.0) for each in trends}
    points = {Trend.BULLISH: 1, Trend.BEARISH: -1, Trend.NEUTRAL: 0}
    total = sum(left.values())
    wanted = sum(left[each] * points[trend] for each, trend in trends.items()) / total if total else 0
    assert less.alignment == pytest.approx(wanted)
    assert (less.predictions, less.missing) == (whole.predictions, whole.missing)
    none = weighed(whole, dict.fromkeys(trends, 0.0))
    assert (none.direction, none.alignment, none.expected_move) == (Trend.NEUTRAL, 0.0, 0.0)
    assert replace(weighed(less, {}), scales=()) == whole
