"""What is seen of a text: numbers and coins are one sign each, and a negation turns what follows."""

from __future__ import annotations

import pytest

from engine.sentiment.features import VALUES, normal, pieces, valued, words

LEXICON = {"good": 2.0, "bad": -2.0}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("BTC hits 120,000.50!", "$t hits  0 !"),
        ("$TSLA and $brk.b", "$t and $t"),
        ("Bitcoin Cash isn\u2019t Ethereum", "$t isn't $t"),
        ("https://t.co/x whether www.a.b/c", "whether"),
        ("ethereal bitcoiner", "ethereal bitcoiner"),
    ],
)
def test_a_normal_text(text: str, seen: str) -> None:
    assert normal(text).split() == seen.split()


def test_words_and_pairs() -> None:
    assert words("it isn't bad") == ["it", "isn't", "bad", "it isn't", "isn't bad"]
    assert words("") == []


def test_pieces_have_edges_and_a_short_word_is_one() -> None:
    assert pieces("up a") == [" u", "up", "p ", " up", "up ", " up ", " a", "a ", " a "]


def test_values_are_added_and_turned_by_a_negation_that_is_near() -> None:
    assert valued("", LEXICON) == (0.0,) * VALUES
    good, bad, both = (valued(text, LEXICON)[0] for text in ("good", "bad", "good bad"))
    assert good == -bad > 0 == both
    near, far = valued("not so good", LEXICON)[0], valued("not today because this is good", LEXICON)[0]
    assert bad < near < 0 < far == good
    assert valued("good", LEXICON)[1:] == pytest.approx((1.0, 0.0, 1.0986, 0.0), abs=1e-4)
