"""The classifier's file: what was saved is loaded, and nothing else is; the shipped one knows what it is for."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import DataError
from engine.sentiment.classifier import SHIPPED, Model, load_model, save_model
from engine.sentiment.features import MOST

SMALL = Model(
    words={"rise": 0, "fall": 1, "the board": 2},
    pieces={" ris": 3, "al": 4},
    idf=np.array([1.0, 1.5, 2.0, 1.25, 3.0], np.float32),
    weights=np.array(
        [
            [-1, 0, 2],
            [3, 0, -1],
            [0, 2, 0],
            [-0.5, 0, 1],
            [1, 0, 0],
            [-1, 0, 1],
            [0, 0, 1],
            [1, 0, 0],
            [0, 0, 0],
            [0, 0, 0],
        ],
        np.float32,
    ),
    bias=np.array([0.1, 0.2, -0.1], np.float32),
    lexicon={"great": 3.0, "awful": -3.0},
)


@cache
def whole() -> Model:
    return load_model()


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save_model(SMALL, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    for text in (
        "sales rise",
        "sales fall",
        "the board talks",
        "rise rise fall",
        "",
        "\u4e0a\u6da8",
        "great, not great, awful",
    ):
        assert loaded.chances(text) == pytest.approx(SMALL.chances(text), abs=0.005)
    assert loaded.rate("profits rise") > 0.2 > -0.2 > loaded.rate("sales fall")


def changed(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays[name] = change(arrays[name])
        np.savez(path, **arrays)

    return spoil


def without_bias(path: Path) -> None:
    with np.load(path) as archive:
        np.savez(path, **{name: array for name, array in archive.items() if name != "bias"})


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.npy", bytes(64 * 1024 * 1024))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (changed("edition", lambda edition: edition + 1), "edition"),
        (changed("weights", lambda weights: weights[1:]), "do not fit together"),
        (changed("idf", lambda idf: idf[:-1]), "do not fit together"),
        (changed("bias", lambda bias: bias[:2]), "do not fit together"),
        (changed("weights", lambda weights: np.where(weights == weights[0], np.nan, weights)), "numbers that are none"),
        (changed("values", lambda values: values[:-1]), "is no model"),
        (changed("words", lambda words: words[words.tolist().index(ord("\n")) + 1 :]), "do not fit together"),
        (changed("words", lambda words: words.astype(np.int64)), "of the right kind"),
        (without_bias, "is no model"),
        (half, "is no model"),
        (bomb, "comes to more than"),
        (lambda path: path.write_text("hello"), "is no model"),
        (lambda path: path.write_bytes(b""), "is no model"),
        (lambda path: path.unlink(), "no such model"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_by_name(
    spoil: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.npz"
    save_model(SMALL, path)
    spoil(path)
    with pytest.raises(DataError, match=words) as refused:
        load_model(path)
    assert str(path) in str(refused.value)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_loading_executes_nothing(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    path = tmp_path / "model.npz"
    save_model(SMALL, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["bias"] = np.array([Trap(sprung)], dtype=object)
    np.savez(path, **arrays)
    with pytest.raises(DataError):
        load_model(path)
    path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(DataError):
        load_model(path)
    assert not sprung.exists()


def test_the_shipped_model_is_small_and_knows_its_trade() -> None:
    assert SHIPPED.stat().st_size < 1024 * 1024
    for text in ("Bitcoin soars to a record high", "SEC approves spot Litecoin ETF", "Bullish. I am buying more DOT"):
        assert whole().rate(text) > 0.3, text
    for text in ("Hackers drain $40M from a bridge", "Bitcoin plunges as funds flee", "Total scam, I lost everything"):
        assert whole().rate(text) < -0.3, text
    for text in ("Bitcoin", "What is Cardano?", "XRP price today", "Exchange updates its terms of service"):
        assert abs(whole().rate(text)) < 0.5, text


@given(st.text(max_size=80))
def test_any_text_has_a_score(text: str) -> None:
    chances = whole().chances(text)
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0
    assert -1 <= whole().rate(text) <= 1


def test_which_coin_it_is_about_changes_nothing() -> None:
    for text in ("{} rallies 5%", "I sold all of my {}"):
        assert whole().chances(text.format("Bitcoin")) == whole().chances(text.format("Chainlink"))
        assert whole().chances(text.format("$ADA")) == whole().chances(text.format("$SOL"))


def test_only_the_beginning_of_a_long_text_counts() -> None:
    text = "sell " * MOST
    assert whole().chances(text) == whole().chances(text[:MOST])
