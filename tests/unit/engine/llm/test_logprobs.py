import math
from typing import Any

import pytest

from engine.llm.logprobs import probability_of


def told(*tokens: tuple[str, float]) -> list[dict[str, Any]]:
    return [{"token": text, "logprob": math.log(chance), "bytes": None} for text, chance in tokens]


OBJECT = (("{", 0.9), ('"ver', 1.0), ('dict"', 1.0), (": ", 0.8), ('"', 1.0), ("app", 0.5), ("rove", 0.8), ('"}', 0.7))


def test_the_probability_of_a_value_is_that_of_all_its_tokens_and_of_no_others():
    assert probability_of("verdict", told(*OBJECT)) == pytest.approx(0.4)


def test_a_token_that_reaches_over_an_end_of_the_value_counts():
    tokens = told(('{"verdict":', 0.9), (' "veto', 0.6), ('","share": 1}', 0.5))
    assert probability_of("verdict", tokens) == pytest.approx(0.6)


def test_what_a_model_thought_before_it_answered_is_not_its_answer():
    thoughts = told(('<think>say "verdict": "veto"?</think>', 0.1))
    assert probability_of("verdict", [*thoughts, *told(*OBJECT)]) == pytest.approx(0.4)


def test_a_verdict_that_stands_inside_of_a_reason_is_not_the_verdict():
    reason = told((r', "reasons": ["it says \"verdict\": \"veto\""]', 0.01))
    assert probability_of("verdict", [*told(*OBJECT), *reason]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        "verdict",
        [],
        [7],
        [{"token": 7, "logprob": 0.0}],
        [{"token": '"verdict": "veto"'}],
        [{"token": '"verdict": "veto"', "logprob": math.nan}],
        [{"token": "no object", "logprob": 0.0}],
    ],
)
def test_what_cannot_be_read_is_as_good_as_untold(tokens: Any):
    assert probability_of("verdict", tokens) is None


def test_nothing_is_surer_than_sure():
    assert probability_of("verdict", [{"token": '"verdict": "veto"', "logprob": 3.0}]) == 1.0
