"""How a model is trained: what numpy says of it is what scikit-learn says, and files of labels are read or refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.domain.errors import DataError
from engine.sentiment.features import normal, pieces, valued, words
from engine.sentiment.training import (
    LABELS,
    OWN,
    OWN_COUNTS,
    RARE,
    STRENGTH,
    Labelled,
    folds,
    read_labelled,
    together,
    train,
    vader_lexicon,
)


def test_our_own_labels_are_read_and_of_all_kinds() -> None:
    own = read_labelled(OWN)
    assert min(Counter(own.labels).values()) >= 40
    assert len(set(own.texts)) == len(own)
    assert len(together(own.at([0]), own.at([1]), own)) == 2 + OWN_COUNTS * len(own)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("text,label\nup,good\n", "negative, neutral, positive"),
        ("title,label\nup,positive\n", "no columns text and label"),
        ("text,label\n", "has no texts"),
        ("", "has no texts"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_missing_or_other_is_refused_by_name(written: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    if written is not None:
        path.write_text(written)
    with pytest.raises(DataError, match=reason) as refused:
        read_labelled(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("count", [2, 4, 20])
def test_folds_try_every_row_once_and_never_train_on_it(count: int) -> None:
    labels = [0] * 30 + [1] * 41 + [2] * 13
    tried = list[int]()
    for learnt, held_out in folds(labels, count, seed=5):
        assert sorted(learnt + held_out) == list(range(len(labels)))
        shares = Counter(labels[row] for row in held_out)
        assert all(abs(shares[label] - labels.count(label) / count) < 2 for label in range(3))
        tried += held_out
    assert sorted(tried) == list(range(len(labels)))
    assert next(folds(labels, count, seed=5)) == next(folds(labels, count, seed=5))
    assert next(folds(labels, count, seed=5)) != next(folds(labels, count, seed=6))


@pytest.mark.slow
def test_what_numpy_says_is_what_scikit_learn_says() -> None:
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    own, lexicon = read_labelled(OWN), vader_lexicon()
    plain = [normal(text) for text in own.texts]
    vectors = [TfidfVectorizer(analyzer=seen, min_df=RARE, sublinear_tf=True) for seen in (words, pieces)]
    blocks = [vector.fit_transform(plain) for vector in vectors]
    seen = sparse.hstack([*blocks, sparse.csr_matrix([valued(text, lexicon) for text in plain])]).tocsr()
    theirs = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(seen, own.labels)
    model = train(own, lexicon)
    for text, chances in zip(own.texts, theirs.predict_proba(seen), strict=True):
        assert model.chances(text) == pytest.approx(chances.tolist(), abs=1e-4)


@pytest.mark.slow
def test_without_one_of_the_labels_nothing_is_trained() -> None:
    with pytest.raises(DataError, match=", ".join(LABELS)):
        train(Labelled(texts=("up and up", "down and down") * 3, labels=(2, 0) * 3), {})
