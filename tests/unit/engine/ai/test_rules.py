import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.brief import brief_of, with_opinions, written
from engine.ai.predictor import PLACES
from engine.ai.prompt_files import NEEDED, shipped_prompt
from engine.ai.rules import RULES
from engine.ai.schemas import OpinionShape, PredictionShape
from engine.domain.briefs import Brief
from engine.domain.decisions import Opinion, TechnicalSignals, Verdict
from engine.domain.model_calls import ModelRequest
from engine.llm.validating import Facts, Unfit, Validator
from tests.fakes import reports
from tests.fakes.panel import a_proposal, said_of_it

PRICES = st.floats(min_value=1e-6, max_value=1e6)
READINGS = st.builds(
    reports.signals,
    close=PRICES,
    rsi=st.none() | st.floats(min_value=0, max_value=100),
    macd_histogram=st.none() | st.floats(min_value=-1e4, max_value=1e4),
    ma_20=st.none() | PRICES,
    ma_50=st.none() | PRICES,
    ma_200=st.none() | PRICES,
    atr=st.none() | PRICES,
    volume_ratio=st.none() | st.floats(min_value=0, max_value=100),
    supports=st.tuples() | st.tuples(PRICES),
    resistances=st.tuples() | st.tuples(PRICES),
)
ROLES = ("analyst", "risk", "devils_advocate", "supervisor")


def asked(role: str, brief: Brief, **about: str) -> Any:
    """What the rules say, as a model's answer is taken."""
    prompt = shipped_prompt(role, PLACES if about else NEEDED).asked(symbol=brief.symbol, brief=written(brief), **about)
    said = RULES[role](ModelRequest(purpose=role, model="", system_message="", prompt=prompt, max_tokens=1))
    shape = PredictionShape if role == "prediction" else OpinionShape
    facts = Facts(symbol=brief.symbol, book=None, figures=brief.figures)
    return None if said is None else Validator(shape=shape, facts=facts)(json.dumps(said))


@given(READINGS)
def test_whatever_the_market_is_like_an_answer_is_one_that_would_be_believed_of_a_model(reading: TechnicalSignals):
    brief = brief_of(a_proposal(reading))
    for role in ROLES[:3]:
        assert not isinstance(asked(role, brief), Unfit), role
    assert not isinstance(asked("prediction", brief, timeframe="1h"), Unfit)


def falling() -> TechnicalSignals:
    return reports.signals(
        close=80.0, ma_50=95.0, ma_200=110.0, macd_histogram=-1.0, rsi=45.0, atr=1.0, volume_ratio=1.0
    )


def rising() -> TechnicalSignals:
    return reports.signals(
        close=120.0, ma_50=110.0, ma_200=95.0, macd_histogram=1.0, rsi=60.0, atr=1.0, volume_ratio=1.0
    )


def test_a_trend_that_falls_is_vetoed_and_one_that_rises_is_not():
    assert asked("analyst", brief_of(a_proposal(falling()))).verdict == "veto"
    assert asked("analyst", brief_of(a_proposal(rising()))).verdict == "approve"


def test_what_takes_half_of_a_trade_away_would_have_to_go_for_the_whole_of_it():
    sullen = reports.signals(close=100.0, ma_50=101.0, ma_200=101.0, macd_histogram=-1.0, rsi=50.0, atr=1.0)
    said = asked("analyst", brief_of(a_proposal(sullen)))
    assert (said.verdict, said.share) == ("approve", Decimal("0.5"))
    assert said.flip == "its main reason no longer holds"


def test_the_advocate_names_the_strongest_evidence_against_it_even_of_what_rises():
    brief = brief_of(a_proposal(rising(), insight=said_of_it("Exchange hacked", score=-0.9)))
    said = asked("devils_advocate", brief)
    assert said.reasons[0].text == "what is said of it is bearish"
    assert brief.named("sentiment").id in said.reasons[0].fields


@pytest.mark.parametrize(
    ("changes", "verdict", "share"),
    [
        ({"atr": 0.5}, "approve", 1),
        ({"atr": 6.0}, "approve", Decimal("0.5")),
        ({"atr": 12.0}, "veto", 1),
        ({"volume_ratio": 0.1, "atr": 0.5}, "veto", 1),
    ],
)
def test_risk_makes_less_of_a_wild_market_and_nothing_of_a_dead_one(
    changes: dict[str, float], verdict: str, share: Decimal
):
    usual = {"close": 100.0, "volume_ratio": 1.0}
    said = asked("risk", brief_of(a_proposal(reports.signals(**usual | changes))))
    assert (said.verdict, said.share) == (verdict, share)


def test_the_supervisor_lets_a_veto_stand_and_takes_the_smallest_share():
    brief = brief_of(a_proposal(rising()))
    yes = Opinion(agent="analyst", verdict=Verdict.APPROVE)
    less = Opinion(agent="risk", verdict=Verdict.APPROVE, share=0.5)
    no = Opinion(agent="devils_advocate", verdict=Verdict.VETO)
    assert asked("supervisor", with_opinions(brief, (yes, less))).share == Decimal("0.5")
    against = asked("supervisor", with_opinions(brief, (yes, less, no)))
    assert (against.verdict, against.reasons[0].text) == ("veto", "devil's advocate would not make it")


def test_a_prediction_goes_where_the_evidence_of_its_timeframe_points():
    brief = brief_of(a_proposal(falling()))
    said = asked("prediction", brief, timeframe="1h")
    assert (said.direction, said.expected_move_percent < 0) == ("bearish", True)
    assert asked("prediction", brief, timeframe="4h") is None


def test_a_prediction_rests_on_what_points_its_way():
    torn = reports.signals(close=80.0, ma_50=95.0, ma_200=110.0, macd_histogram=1.0, rsi=45.0, atr=1.0)
    said = asked("prediction", brief_of(a_proposal(torn)), timeframe="1h")
    assert said.direction == "bearish"
    assert [reason.text for reason in said.reasons if "above" in reason.text] == []
