"""How well texts are scored: measures as everybody has them, with intervals that hold them, on rows held out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.sentiment.measuring import accuracy, macro_f1, measure
from engine.sentiment.training import Labelled


def test_measures() -> None:
    labels, said = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2])
    assert accuracy(labels, said) == pytest.approx(4 / 6)
    assert macro_f1(labels, said) == pytest.approx((0.5 + 0.8 + 2 / 3) / 3)
    assert macro_f1(labels, labels) == 1
    assert macro_f1(np.array([0, 2]), np.array([0, 1])) == pytest.approx(0.5)


@pytest.mark.slow
def test_rows_are_measured_beside_vader() -> None:
    words = ("falls badly", "meets today", "rises well")
    tweets = Labelled(texts=tuple(f"{words[n % 3]} {n}" for n in range(60)), labels=tuple(n % 3 for n in range(60)))
    posts = Labelled(
        texts=tuple(f"it {words[2 * (n % 2)]}" for n in range(40)), labels=tuple(2 * (n % 2) for n in range(40))
    )
    vaders = {"plain": lambda _: 1.0, "other": lambda text: -1.0 if "falls" in text else 0.0}
    rows = list(
        measure(tweets, posts, tweets.at(range(6)), lexicon={"well": 2.0, "badly": -2.0}, vaders=vaders, seed=3)
    )
    assert [(row.scorer, row.count) for row in rows] == [
        *((scorer, 15) for scorer in ("plain", "other", "classifier")),
        *((scorer, 40) for scorer in ("plain", "other", "classifier")),
    ]
    plain, other, classifier = rows[3:]
    assert plain.gain is None
    assert plain.accuracy.value == 0.5
    assert plain.accuracy.low < 0.5 < plain.accuracy.high
    assert other.accuracy.value == classifier.accuracy.value == 1
    assert classifier.gain is not None
    assert classifier.gain.value == 0.5
