"""How well texts are scored: on rows that the model has not seen, beside VADER on the same rows, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.sentiment.classifier import CLASSES, Model
from engine.sentiment.training import Labelled, folds, together, train

NEGATIVE, NEUTRAL, POSITIVE = range(CLASSES)
RESAMPLES = 2_000
TWEET_FOLDS, POST_FOLDS = 4, 20
"""A quarter of the tweets is held out once; each twentieth of the posts is, in its turn."""
_NEUTRAL_BELOW = 0.05
"""VADER's own bound of what is neutral."""

Rate = Callable[[str], float]
Answers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measure with the interval that holds it 95 times in 100, by resampling rows."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How well one scorer does on one set of rows.

    Attributes:
        gain: By how much its accuracy is above plain VADER's, resampled in pairs; ``None`` for that itself.
    """

    rows: str
    count: int
    scorer: str
    accuracy: Figure
    macro_f1: Figure
    gain: Figure | None


def measure(
    tweets: Labelled,
    posts: Labelled,
    own: Labelled,
    *,
    lexicon: Mapping[str, float],
    vaders: Mapping[str, Rate],
    seed: int,
) -> Iterator[Measured]:
    """Measure the classifier, as it is trained, and VADER beside it.

    Args:
        tweets: Three labels; a quarter of them is held out.
        posts: Two labels; each twentieth of them is held out in its turn.
        own: Labelled for this program; trained on, and not measured.
        lexicon: What single words are worth.
        vaders: VADER by name, the plain one first.
        seed: Which rows are held out, and drawn.
    """
    learnt, held_out = next(folds(tweets.labels, TWEET_FOLDS, seed))
    model = train(together(tweets.at(learnt), posts, own), lexicon)
    told = {name: [_of_three(rate(text)) for text in tweets.at(held_out).texts] for name, rate in vaders.items()}
    told["classifier"] = [int(np.argmax(model.chances(text))) for text in tweets.at(held_out).texts]
    yield from _beside("finance tweets", tweets.at(held_out), told, seed)

    told = {name: [_of_two(rate(text)) for text in posts.texts] for name, rate in vaders.items()}
    told["classifier"] = _by_folds(posts, lambda part: train(together(tweets, part, own), lexicon), seed)
    yield from _beside("Reddit on crypto", posts, told, seed)


def _by_folds(rows: Labelled, trained: Callable[[Labelled], Model], seed: int) -> list[int]:
    """What a model says of each row that has seen all but a twentieth of them."""
    said = [NEUTRAL] * len(rows)
    for learnt, tried in folds(rows.labels, POST_FOLDS, seed):
        model = trained(rows.at(learnt))
        for row in tried:
            said[row] = _of_two(model.rate(rows.texts[row]))
    return said


def _of_three(score: float) -> int:
    if abs(score) < _NEUTRAL_BELOW:
        return NEUTRAL
    return POSITIVE if score > 0 else NEGATIVE


def _of_two(score: float) -> int:
    """Where people only said yes or no; who has no opinion is taken to say yes, which is VADER's better half."""
    return NEGATIVE if score < 0 else POSITIVE


def _beside(rows: str, of: Labelled, told: Mapping[str, list[int]], seed: int) -> Iterator[Measured]:
    labels = np.array(of.labels)
    plain = np.array(next(iter(told.values())))
    for index, (scorer, said) in enumerate(told.items()):
        answers = np.array(said)
        yield Measured(
            rows=rows,
            count=len(of),
            scorer=scorer,
            accuracy=_figure(accuracy, seed, labels, answers),
            macro_f1=_figure(macro_f1, seed, labels, answers),
            gain=_figure(_gain, seed, labels, answers, plain) if index else None,
        )


def accuracy(labels: Answers, said: Answers) -> float:
    """The share of rows that are right."""
    return float((labels == said).mean())


def macro_f1(labels: Answers, said: Answers) -> float:
    """The mean over the labels that there are of the harmonic mean of precision and recall."""
    table = np.bincount(labels * CLASSES + said, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    right, labelled = table.diagonal(), table.sum(axis=1)
    either = labelled + table.sum(axis=0)
    return float((2 * right[labelled > 0] / either[labelled > 0]).mean())


def _gain(labels: Answers, said: Answers, plain: Answers) -> float:
    return accuracy(labels, said) - accuracy(labels, plain)


def _figure(of: Callable[..., float], seed: int, *columns: Answers) -> Figure:
    """A measure, and what it comes to on rows drawn anew, with replacement."""
    chance = np.random.default_rng(seed)
    drawn = (chance.integers(len(columns[0]), size=len(columns[0])) for _ in range(RESAMPLES))
    low, high = np.percentile([of(*(column[rows] for column in columns)) for rows in drawn], (2.5, 97.5))
    return Figure(value=of(*columns), low=float(low), high=float(high))
