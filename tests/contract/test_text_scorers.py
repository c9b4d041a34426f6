"""What everybody who scores texts must keep: one score in [-1, 1] a text, in order, the same for the same text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.ai.text_scoring import ModelScorer
from engine.ports import TextScorer
from engine.sentiment.scorers import FirstThatWorks, classifier, vader
from tests.fakes.text_rater import rating_manager


def one_behind_another() -> TextScorer:
    return FirstThatWorks(classifier(), vader())


def language_model() -> TextScorer:
    return ModelScorer(manager=rating_manager(), otherwise=classifier())


every_scorer = pytest.mark.parametrize(
    "make", [classifier, vader, one_behind_another, language_model], ids=lambda each: each.__name__
)
Make = Callable[[], TextScorer]
GOOD, BAD = "Bitcoin rallies, a great and bullish week", "Terrible crash, hackers steal everything"
ODD = ["", " ", "\u4e0a\u6da8", "🚀" * 40, "a" * 5_000, "\x00\ufffd", "$" * 300, "100%", "<b>", "\u202e", "not " * 600]


@every_scorer
async def test_good_is_above_bad_and_scores_are_in_their_bounds(make: Make) -> None:
    scores = await make().score([GOOD, BAD, *ODD])
    assert len(scores) == 2 + len(ODD)
    assert all(score is None or -1 <= score <= 1 for score in scores)
    good, bad, *_ = scores
    assert good is not None
    assert bad is not None
    assert good > 0.2 > -0.2 > bad


@every_scorer
async def test_a_text_is_scored_by_itself_whatever_is_beside_it(make: Make) -> None:
    scorer = make()
    together = await scorer.score([GOOD, BAD, GOOD])
    assert together == (*await scorer.score([GOOD]), *await scorer.score([BAD]), *await make().score([GOOD]))


@every_scorer
async def test_no_text_has_no_score(make: Make) -> None:
    assert await make().score([]) == ()
    assert await make().score(["", "  "]) == (None, None)


@every_scorer
async def test_it_has_a_name(make: Make) -> None:
    assert make().name in {"classifier", "vader", "llm"}
    assert make().trouble == ""
