from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.agents import Agent
from engine.ai.brief import brief_of
from engine.ai.prompt_files import shipped_prompt
from engine.ai.votes import agreed, agreed_trend
from engine.domain.decisions import Opinion, Verdict
from engine.domain.predictions import Trend
from tests.fakes import reports
from tests.fakes.models import BIG, FakePricing
from tests.fakes.panel import Script, a_panel, a_proposal, an_opinion

APPROVE, VETO, ABSTAIN = Verdict.APPROVE, Verdict.VETO, Verdict.ABSTAIN


def votes(*verdicts: Verdict, **more: float) -> list[Opinion]:
    return [Opinion(agent="analyst", verdict=each, by="m1", cost=Decimal(1), **more) for each in verdicts]


@pytest.mark.parametrize(
    ("said", "asked", "verdict", "confidence"),
    [
        ((APPROVE, APPROVE, APPROVE), 3, APPROVE, 1.0),
        ((APPROVE, VETO, APPROVE), 3, APPROVE, 2 / 3),
        ((APPROVE, VETO), 2, VETO, 0.5),
        ((APPROVE, APPROVE), 4, APPROVE, 0.5),
        ((ABSTAIN, ABSTAIN, APPROVE), 3, ABSTAIN, 1.0),
    ],
)
def test_the_share_of_votes_that_say_the_same_is_the_confidence(
    said: tuple[Verdict, ...], asked: int, verdict: Verdict, confidence: float
):
    found = agreed(votes(*said), asked)
    assert (found.verdict, found.confidence, found.cost) == (verdict, pytest.approx(confidence), len(said))


def test_of_those_who_agree_the_strictest_terms_hold():
    same = [*votes(APPROVE, share=0.5), *votes(APPROVE, stop=Decimal(95)), *votes(VETO, share=0.1)]
    found = agreed(same, 3)
    assert (found.share, found.stop) == (0.5, Decimal(95))


def test_what_a_provider_tells_of_probabilities_holds_where_it_is_lower():
    told = [*votes(APPROVE, confidence=0.5), *votes(APPROVE, confidence=0.7)]
    assert agreed(told, 2).confidence == pytest.approx(0.6)
    assert agreed(votes(APPROVE, APPROVE, confidence=0.9), 4).confidence == 0.5


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=9), st.integers(min_value=0, max_value=5))
def test_a_vote_that_does_not_come_never_makes_it_surer(said: list[Verdict], missing: int):
    found = agreed(votes(*said), len(said) + missing)
    assert 0 < found.confidence <= agreed(votes(*said), len(said)).confidence <= 1


async def test_each_member_is_asked_as_often_as_it_has_votes_and_all_of_them_count():
    answers = iter([an_opinion(), an_opinion("veto"), an_opinion(share=0.5)])
    script = Script(says={"analyst": lambda _: next(answers), "supervisor": an_opinion()})
    opinions = await a_panel(script, votes=3).opinions(a_proposal(), 10)
    analyst = opinions[0]
    assert (analyst.verdict, analyst.share) == (APPROVE, 0.5)
    assert analyst.confidence == pytest.approx(2 / 3)
    assert sorted(each.vote for each in script.asked if each.purpose == "analyst") == [1, 2, 3]
    assert len(script.asked) == 12


async def test_votes_that_are_late_or_not_believed_agree_with_nobody():
    answers = iter([an_opinion(), "Sure!", an_opinion()])
    script = Script(says={"analyst": lambda _: next(answers)}, takes={"supervisor": 5})
    opinions = await a_panel(script, votes=3).opinions(a_proposal(), 0.5)
    assert opinions[0].confidence == pytest.approx(2 / 3)
    assert (opinions[-1].verdict, opinions[-1].reasons) == (ABSTAIN, ("it did not answer in time",))


async def test_what_a_model_says_of_its_own_confidence_counts_nothing():
    said = an_opinion(reasons=[{"text": "I am 30 % sure", "fields": ["f1"]}])
    opinions = await a_panel(Script(says={"analyst": said})).opinions(a_proposal(), 10)
    assert opinions[0].confidence == 1


async def test_the_probability_of_its_verdict_is_the_confidence_of_a_single_answer():
    script = Script(says={"analyst": an_opinion()}, probability={"analyst": 0.62})
    opinions = await a_panel(script).opinions(a_proposal(), 10)
    assert opinions[0].confidence == 0.62
    assert {each.probability_of for each in script.asked} == {"verdict"}


async def test_what_asking_costs_counts_every_vote():
    prices = FakePricing()
    manager = replace(Script().manager(), pricing=prices, chain=lambda *_: (BIG,))
    once = Agent(name="analyst", prompt=shipped_prompt("analyst"), manager=manager)
    brief = brief_of(a_proposal())
    assert replace(once, votes=3).expected_cost(brief, "trend") == 3 * once.expected_cost(brief, "trend") > 0


@pytest.mark.parametrize(
    ("said", "asked", "direction", "confidence"),
    [
        (("bullish", "bullish", "bullish"), 3, Trend.BULLISH, 1.0),
        (("bullish", "bearish", "bullish"), 3, Trend.BULLISH, 2 / 3),
        (("bullish", "bullish"), 4, Trend.BULLISH, 0.5),
        (("bullish", "bearish"), 2, Trend.NEUTRAL, 0.0),
        (("bullish", "neutral"), 2, Trend.NEUTRAL, 0.5),
    ],
)
def test_predictions_agree_as_far_as_they_have_one_direction(
    said: tuple[str, ...], asked: int, direction: Trend, confidence: float
):
    found = agreed_trend([reports.prediction(direction=Trend(each)) for each in said], asked)
    assert (found.direction, found.confidence) == (direction, pytest.approx(confidence))


def test_of_predictions_that_agree_the_smallest_move_and_the_probability_of_all_hold():
    told = [reports.prediction(expected_move=move, confidence=sure) for move, sure in ((0.04, 0.9), (0.01, 0.5))]
    found = agreed_trend(told, 2)
    assert (found.expected_move, found.confidence) == (0.01, pytest.approx(0.7))
