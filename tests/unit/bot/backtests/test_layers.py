"""What ``bot compare --layers`` says of a layer whose models could not all answer."""

from collections import Counter

import pytest

from bot.backtests.layers import gaps
from engine.llm.tape import TapeUse


@pytest.mark.parametrize(("missing", "says"), [(1, False), (5, False), (218, True)])
def test_a_layer_whose_tape_lacks_more_than_a_few_answers_says_little(missing: int, *, says: bool):
    """Seen: by the tape of a run with a panel, predictions alone seemed to lose, for most of them were not on it."""
    found = list(gaps("+ prediction", TapeUse(answered=Counter({("local", "m"): 130}), missing=missing)))
    assert bool(found) is says
    if says:
        assert found[0].startswith("+ prediction: the tape has no answer to 218 of 348 questions")


def test_without_a_tape_nothing_is_said_of_it():
    assert list(gaps("rules", None)) == []
