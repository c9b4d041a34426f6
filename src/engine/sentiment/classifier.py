"""The classifier: a logistic regression over what ``features`` sees of a text, run with numpy alone.

Its file is an archive of arrays. Nothing in it is ever executed: numpy is told to load no objects.
"""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import DataError
from engine.sentiment.features import EDITION, VALUES, normal, pieces, valued, words

SHIPPED = Path(__file__).with_name("model.npz")
MOST_BYTES = 16 * 1024 * 1024
"""What a model may come to in memory; the shipped one has a twentieth of it."""
CLASSES = 3
"""Negative, neutral, positive."""
_ARRAYS = {
    "edition": "i", "words": "u", "pieces": "u", "idf": "f", "weights": "f", "bias": "f", "lexicon": "u", "values": "f",
}  # fmt: skip
"""What a model's file has: the kind of number of each array. Texts are UTF-8, one a line."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What was learned.

    Attributes:
        words: The column of each word and pair.
        pieces: The column of each piece of a word.
        idf: How rare each of them is, by column.
        weights: What each column adds to each class, with the columns of ``valued`` at the end.
        bias: What each class begins with.
        lexicon: What words are worth, for ``valued``.
    """

    words: Mapping[str, int]
    pieces: Mapping[str, int]
    idf: Floats
    weights: Floats
    bias: Floats
    lexicon: Mapping[str, float]

    def chances(self, text: str) -> tuple[float, float, float]:
        """How likely a text is negative, neutral and positive; together 1."""
        plain = normal(text)
        logits = self.bias.astype(np.float64)
        for found, columns in ((words(plain), self.words), (pieces(plain), self.pieces)):
            logits += self._spoken(found, columns)
        logits += np.asarray(valued(plain, self.lexicon)) @ self.weights[-VALUES:]
        likely = np.exp(logits - logits.max())
        negative, neutral, positive = (likely / likely.sum()).tolist()
        return negative, neutral, positive

    def rate(self, text: str) -> float:
        """The score of a text, in [-1, 1]: how much likelier it is positive than negative."""
        negative, _, positive = self.chances(text)
        return positive - negative

    def _spoken(self, found: Sequence[str], columns: Mapping[str, int]) -> NDArray[np.float64] | float:
        """What these add to each class: their weights by frequency and rarity, in a vector of length 1."""
        counted = Counter(columns[each] for each in found if each in columns)
        if not counted:
            return 0.0
        at = np.fromiter(counted.keys(), np.intp, len(counted))
        often = np.fromiter(counted.values(), np.float64, len(counted))
        vector = (1 + np.log(often)) * self.idf[at]
        spoken: NDArray[np.float64] = (vector / math.sqrt(vector @ vector)) @ self.weights[at]
        return spoken


def load_model(path: Path = SHIPPED) -> Model:
    """Read a model's file.

    Raises:
        DataError: It is missing, damaged, or no model that this program can use.
    """
    try:
        arrays = _arrays(path)
        known_words, known_pieces = _lines(arrays["words"]), _lines(arrays["pieces"])
        spoken, values = _lines(arrays["lexicon"]), arrays["values"]
        model = Model(
            words={each: column for column, each in enumerate(known_words)},
            pieces={each: len(known_words) + column for column, each in enumerate(known_pieces)},
            idf=arrays["idf"].astype(np.float32),
            weights=arrays["weights"].astype(np.float32),
            bias=arrays["bias"].astype(np.float32),
            lexicon=dict(zip(spoken, values.astype(np.float64).tolist(), strict=True)),
        )
        _check(model, int(arrays["edition"][0]))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such model.", "bot sentiment train makes one.") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no model of sentiment: {error}.", "bot sentiment train makes one.") from None
    return model


def save_model(model: Model, path: Path) -> None:
    """Write a model's file."""
    kept: dict[str, Any] = {
        "edition": np.array([EDITION], np.int16),
        "words": _bytes(model.words),
        "pieces": _bytes(model.pieces),
        "idf": model.idf.astype(np.float16),
        "weights": model.weights.astype(np.float16),
        "bias": model.bias.astype(np.float32),
        "lexicon": _bytes(model.lexicon),
        "values": np.array(list(model.lexicon.values()), np.float16),
    }
    np.savez_compressed(path, **kept)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        if sum(each.file_size for each in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"it comes to more than {MOST_BYTES} bytes")
    with np.load(path, allow_pickle=False) as archive:
        found = {name: archive[name] for name in _ARRAYS}
    for name, kind in _ARRAYS.items():
        if found[name].dtype.kind != kind:
            raise ValueError(f"its {name} are no numbers of the right kind")
    return found


def _check(model: Model, edition: int) -> None:
    columns = len(model.words) + len(model.pieces)
    if edition != EDITION:
        raise ValueError(f"it was trained for edition {edition} of the features, and this is {EDITION}")
    if model.idf.shape != (columns,) or model.weights.shape != (columns + VALUES, CLASSES):
        raise ValueError("its arrays do not fit together")
    if model.bias.shape != (CLASSES,):
        raise ValueError("its arrays do not fit together")
    numbers = (model.idf, model.weights, model.bias, np.array(list(model.lexicon.values())))
    if not all(np.isfinite(each).all() for each in numbers) or not (model.idf > 0).all():
        raise ValueError("it has numbers that are none")


def _lines(array: NDArray[Any]) -> list[str]:
    return array.astype(np.uint8).tobytes().decode().split("\n")


def _bytes(texts: Mapping[str, object]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)
