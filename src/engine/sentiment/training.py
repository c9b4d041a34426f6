"""How the classifier is trained: the one file that imports scikit-learn.

It is trained on texts whose licence allows it, and by the features that score them later (docs/sentiment-model.md).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import DataError, GreenlightError
from engine.domain.extras import install
from engine.sentiment.classifier import CLASSES, Model
from engine.sentiment.features import normal, pieces, valued, words

LABELS = ("negative", "neutral", "positive")
TWEETS, POSTS = "twitter_financial_news_train.csv", "surge_reddit_crypto_human.csv"
"""The files of labelled texts, with the columns ``text`` and ``label``."""
OWN = Path(__file__).with_name("own_labels.csv")
"""Texts of crypto that were made up and labelled for this program."""
OWN_COUNTS = 3
"""How often each of our own texts is taken: they are few, and alone say what is neutral in crypto."""
RARE = 2
"""In how many texts a word or piece must be at least."""
STRENGTH = 4.0
"""The inverse of how much large weights are punished."""
_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Texts with what people said of them.

    Attributes:
        labels: For each text its index in ``LABELS``.
    """

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(texts=self.texts + other.texts, labels=self.labels + other.labels)

    def at(self, rows: Sequence[int]) -> Labelled:
        """Some of them."""
        return Labelled(texts=tuple(self.texts[row] for row in rows), labels=tuple(self.labels[row] for row in rows))


def read_labelled(path: Path) -> Labelled:
    """Read a CSV file of texts and labels.

    Raises:
        DataError: It is missing, or has other columns or labels.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(row["text"], LABELS.index(row["label"])) for row in csv.DictReader(file)]
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}).", "docs/sentiment-model.md says where it is had."
        ) from None
    except (KeyError, ValueError, csv.Error) as error:
        named = ", ".join(LABELS)
        raise DataError(f"{path} has no columns text and label, with {named}: {error}.") from None
    if not rows:
        raise DataError(f"{path} has no texts.")
    return Labelled(texts=tuple(text for text, _ in rows), labels=tuple(label for _, label in rows))


def together(tweets: Labelled, posts: Labelled, own: Labelled) -> Labelled:
    """All that a model is trained on."""
    return tweets + posts + Labelled(texts=own.texts * OWN_COUNTS, labels=own.labels * OWN_COUNTS)


def vader_lexicon() -> dict[str, float]:
    """What single words are worth, in [-4, 4]: VADER's, under the MIT licence, and words of crypto.

    Raises:
        GreenlightError: VADER is not installed.
    """
    from engine.sentiment.lexicon import analyzer

    return {word: float(value) for word, value in analyzer().lexicon.items() if " " not in word and "\n" not in word}


def train(of: Labelled, lexicon: Mapping[str, float]) -> Model:
    """Train a model; each class counts alike, however many texts it has.

    Raises:
        GreenlightError: scikit-learn is not installed.
    """
    try:
        from scipy import sparse
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise GreenlightError("Training needs scikit-learn.", install("dev")) from None
    plain = [normal(text) for text in of.texts]
    vectors = [TfidfVectorizer(analyzer=seen, min_df=RARE, sublinear_tf=True) for seen in (words, pieces)]
    blocks: list[Any] = [vector.fit_transform(plain) for vector in vectors]
    blocks.append(sparse.csr_matrix([valued(text, lexicon) for text in plain]))
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=_STEPS)
    regression.fit(sparse.hstack(blocks).tocsr(), of.labels)
    return Model(
        words={name: column for column, name in enumerate(vectors[0].get_feature_names_out())},
        pieces={
            name: len(vectors[0].vocabulary_) + column for column, name in enumerate(vectors[1].get_feature_names_out())
        },
        idf=np.concatenate([vector.idf_ for vector in vectors]).astype(np.float32),
        weights=_by_class(regression.coef_.T, regression.classes_),
        bias=_by_class(regression.intercept_, regression.classes_),
        lexicon=lexicon,
    )


def _by_class(values: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float32]:
    """Numbers whose last axis is by class, for all classes."""
    if len(classes) != CLASSES:
        raise DataError(f"A model is trained on texts of all of {', '.join(LABELS)}.")
    return values.astype(np.float32)


def folds(labels: Sequence[int], count: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Rows to train on and rows to try it on, with every label in each as often as in all of them."""
    order = np.random.default_rng(seed).permutation(len(labels))
    by_label = sorted(order.tolist(), key=lambda row: labels[row])
    for fold in range(count):
        tried = set(by_label[fold::count])
        yield [row for row in range(len(labels)) if row not in tried], sorted(tried)
