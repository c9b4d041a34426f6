"""Policies: kept as numbers alone, and refused where anything is wrong (FAULTS 29)."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.adjuster import about
from engine.learning.features import FEATURES
from engine.learning.policy import BEST_SCALE, BEST_VOLATILITY
from engine.learning.policy_files import BadPolicy, load_policy, save_policy
from engine.learning.shipped import SHIPPED
from engine.learning.verifying import verified
from tests.fakes.policies import COUNT, any_policy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    saved = tmp_path / "learnt.json"
    save_policy(any_policy(), saved)
    return saved


def repacked(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Write other arrays, with the hash that goes with them: as somebody would who means harm."""
    with np.load(file.with_suffix(".npz")) as found:
        arrays = dict(found)
    change(arrays)
    np.savez(file.with_suffix(".npz"), **arrays)
    rewritten(file, sha256=hashlib.sha256(file.with_suffix(".npz").read_bytes()).hexdigest())


def rewritten(file: Path, **changed: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))


def test_what_was_saved_answers_the_same(file: Path) -> None:
    kept, asked = load_policy(file), np.random.default_rng(3).normal(0, 2, (100, COUNT))
    np.testing.assert_array_equal(kept.act(asked), any_policy().act(asked))
    assert kept.card == any_policy().card


class Canary:
    """Whoever unpickles it leaves a file behind."""

    def __init__(self, sings: Path) -> None:
        self._sings = sings

    def __reduce__(self) -> Any:
        return Path.touch, (self._sings,)


def test_a_pickle_within_is_never_executed(file: Path, tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    repacked(file, lambda arrays: arrays.update(mean=np.array([Canary(sung)], dtype=object)))
    with pytest.raises(BadPolicy, match=r"learnt\.npz holds no plain arrays"):
        load_policy(file)
    assert not sung.exists()
    np.load(file.with_suffix(".npz"), allow_pickle=True)["mean"]
    assert sung.exists()  # it would have been


def test_a_pickle_in_its_place_is_never_executed(file: Path, tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    packed = pickle.dumps(Canary(sung))
    file.with_suffix(".npz").write_bytes(packed)
    rewritten(file, sha256=hashlib.sha256(packed).hexdigest())
    with pytest.raises(BadPolicy, match="holds no plain arrays"):
        load_policy(file)
    assert not sung.exists()


def test_one_of_other_features_is_refused_and_the_feature_named(file: Path) -> None:
    rewritten(file, features=[*list(FEATURES)[:-1], "moon_phase"])
    with pytest.raises(BadPolicy, match="other features than this program has, such as moon_phase"):
        load_policy(file)


@pytest.mark.parametrize("features", [None, 5, "var_95", {}, [["var_95"]]])
def test_features_that_are_no_list_of_names_are_refused_in_words(file: Path, features: object) -> None:
    rewritten(file, features=features)
    with pytest.raises(BadPolicy, match="other features"):
        load_policy(file)


def test_one_of_the_same_features_in_another_order_is_refused(file: Path) -> None:
    rewritten(file, features=list(FEATURES)[::-1])
    with pytest.raises(BadPolicy, match="other features"):
        load_policy(file)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_missing_file_is_named(file: Path, suffix: str) -> None:
    file.with_suffix(suffix).unlink()
    with pytest.raises(BadPolicy, match=rf"learnt\{suffix} cannot be read: No such file"):
        load_policy(file)


def test_a_changed_byte_is_found(file: Path) -> None:
    packed = bytearray(file.with_suffix(".npz").read_bytes())
    packed[len(packed) // 2] ^= 1
    file.with_suffix(".npz").write_bytes(packed)
    with pytest.raises(BadPolicy, match="is not the file that was written with its JSON"):
        load_policy(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": np.full(COUNT, np.nan)}, "holds what is no number in mean"),
        ({"weight_0": np.zeros((8, COUNT + 1), dtype=np.float32)}, "has no weight_0 of the right shape"),
        ({"weight_1": np.full((3, 8), np.inf, dtype=np.float32)}, "holds what is no number in weight_1"),
        ({"low": np.full(COUNT, 200.0)}, "has a range that ends before it begins"),
        ({"bias_1": np.zeros(4, dtype=np.float32), "weight_1": np.zeros((4, 8), dtype=np.float32)}, "has 4 answers"),
        ({"more": np.zeros(1)}, "does not hold the layers of a policy"),
    ],
)
def test_arrays_that_are_no_policys_are_refused(file: Path, change: dict[str, Any], message: str) -> None:
    repacked(file, lambda arrays: arrays.update(change))
    with pytest.raises(BadPolicy, match=message):
        load_policy(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is no JSON of a policy"),
        ("{", "is no JSON of a policy"),
        ("[" * 100_000, "is no JSON of a policy"),
    ],
)
def test_a_json_that_is_none_is_refused(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(BadPolicy, match=message):
        load_policy(file)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "is not of format 1"),
        ({"bounds": {"max_scale": 3.0, "max_shift": 0.1, "min_stop_share": 0.5}}, "bounds out of range"),
        ({"figures": {"gain": "high"}}, "is no JSON of a policy"),
        ({"hook": "os.system"}, "has hook, which no policy has"),
    ],
)
def test_a_json_that_says_something_else_is_refused(file: Path, changed: dict[str, Any], message: str) -> None:
    rewritten(file, **changed)
    with pytest.raises(BadPolicy, match=message):
        load_policy(file)


def test_a_bomb_is_not_unpacked(file: Path) -> None:
    np.savez_compressed(file.with_suffix(".npz"), mean=np.zeros(10**7))
    rewritten(file, sha256=hashlib.sha256(file.with_suffix(".npz").read_bytes()).hexdigest())
    with pytest.raises(BadPolicy, match="is larger than a policy"):
        load_policy(file)


def test_the_policy_that_comes_with_the_program_is_whole_and_says_what_it_is_worth() -> None:
    policy = load_policy(SHIPPED["hourly"])
    assert verified(policy).answers == 2_000
    card = policy.card
    assert (card.begins[:4], card.ends[:4], card.tested_from) == ("2017", "2021", "2023-01-01 00:00")
    assert card.seeds == (1, 2, 3)
    assert {BEST_SCALE, BEST_VOLATILITY, "test_growth", "validation_reward"} <= card.figures.keys()
    assert about(card)[1].startswith(
        "Tested once from 2023-01-01 on: -12.50%; no improvement is shown over constant scale 0"
    )
