"""The two files of a policy: arrays, and what it is as JSON.

    NAME.json   what it is: features, range of what it was shown, window, hash of the candles, seeds, figures
    NAME.npz    its weights, and what its observations are scaled by

Nothing in either is ever executed: arrays are read without pickle, and each is held against the shape it must have. A
policy is refused where anything is not as it was written; ``BadPolicy`` names what.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from engine.domain.errors import DataError
from engine.learning.features import FEATURES
from engine.learning.policy import ACTIONS, ActionBounds, Policy, PolicyCard

FORMAT = 1
"""Of the files; another one is refused."""
_LARGEST = 4 * 2**20
_LAYERS = 8


class BadPolicy(DataError):
    """A policy's files are missing, damaged, or of another program."""


def save_policy(policy: Policy, file: Path) -> None:
    """Write a policy's two files.

    Args:
        policy: The policy.
        file: The one that ends in ``.json``; the other lies beside it.

    Raises:
        OSError: They cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(policy, name) for name in ("mean", "deviation", "low", "high")}
    for number, (weight, bias) in enumerate(zip(policy.weights, policy.biases, strict=True)):
        arrays |= {f"weight_{number}": weight, f"bias_{number}": bias}
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    told = {"format": FORMAT, **asdict(policy.card), "sha256": hashlib.sha256(packed.getvalue()).hexdigest()}
    _beside(file).write_bytes(packed.getvalue())
    file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def load_policy(file: Path) -> Policy:
    """Read a policy; nothing of what is read is executed.

    Args:
        file: The one that ends in ``.json``.

    Raises:
        BadPolicy: It cannot be used; what is wrong is named.
    """
    told = _read_json(_bytes(file), file)
    packed = _bytes(_beside(file))
    if hashlib.sha256(packed).hexdigest() != told.pop("sha256", None):
        raise _bad(_beside(file), "is not the file that was written with its JSON")
    if told.pop("format", None) != FORMAT:
        raise _bad(file, f"is not of format {FORMAT}")
    return _whole(_card(told, file), _arrays(packed, _beside(file)), _beside(file))


def _whole(card: PolicyCard, arrays: Mapping[str, Any], file: Path) -> Policy:
    """A policy of which every array has its shape and holds numbers alone."""
    count = len(FEATURES)
    scalers = {name: _array(arrays, name, (count,), np.float64, file) for name in ("mean", "deviation", "low", "high")}
    layers = sum(name.startswith("weight_") for name in arrays)
    if not 1 <= layers <= _LAYERS or len(arrays) != len(scalers) + 2 * layers:
        raise _bad(file, "does not hold the layers of a policy")
    weights, biases, before = [], [], count
    for number in range(layers):
        bias = _array(arrays, f"bias_{number}", None, np.float32, file)
        weights.append(_array(arrays, f"weight_{number}", (len(bias), before), np.float32, file))
        biases.append(bias)
        before = len(bias)
    if before != len(ACTIONS):
        raise _bad(file, f"has {before} answers in place of {len(ACTIONS)}")
    if (scalers["deviation"] < 0).any() or (scalers["low"] > scalers["high"]).any():
        raise _bad(file, "has a range that ends before it begins")
    return Policy(card=card, weights=tuple(weights), biases=tuple(biases), **scalers)


def _array(arrays: Mapping[str, Any], name: str, shape: tuple[int, ...] | None, kind: Any, file: Path) -> Any:
    found = arrays.get(name)
    if found is None or found.dtype != kind or (found.ndim != 1 if shape is None else found.shape != shape):
        raise _bad(file, f"has no {name} of the right shape")
    if not np.isfinite(found).all():
        raise _bad(file, f"holds what is no number in {name}")
    found.setflags(write=False)
    return found


def _arrays(packed: bytes, file: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as parts:
            if sum(each.file_size for each in parts.infolist()) > _LARGEST:
                raise _bad(file, "is larger than a policy")
        with np.load(io.BytesIO(packed), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except BadPolicy:
        raise
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError, MemoryError):
        raise _bad(file, "holds no plain arrays") from None


def _read_json(text: bytes, file: Path) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _bad(file, "is no JSON of a policy")
    return told


def _card(told: dict[str, Any], file: Path) -> PolicyCard:
    """What the JSON says, where it says what a policy's does."""
    names = {each.name for each in fields(PolicyCard)}
    if set(told) != names or told["features"] != list(FEATURES):
        raise _bad(file, _differs(told, names))
    try:
        bounds = ActionBounds(**told["bounds"])
        card = PolicyCard(
            **{
                **told,
                "bounds": bounds,
                "features": tuple(told["features"]),
                "seeds": tuple(map(int, told["seeds"])),
                "contexts": tuple(map(str, told["contexts"])),
                "figures": {str(name): float(value) for name, value in told["figures"].items()},
            }
        )
        sound = 0 < bounds.max_scale <= 1 and 0 <= bounds.max_shift <= 1 and 0 < bounds.min_stop_share <= 1
    except (TypeError, ValueError, AttributeError):
        raise _bad(file, "is no JSON of a policy") from None
    if not sound:
        raise _bad(file, "has bounds out of range")
    return card


def _differs(told: Mapping[str, Any], names: set[str]) -> str:
    """How a JSON differs from a policy's."""
    if missing := sorted(names - set(told)):
        return f"has no {missing[0]}"
    if more := sorted(set(told) - names):
        return f"has {more[0][:30]}, which no policy has"
    listed = told["features"] if isinstance(told["features"], list) else []
    other = next((str(each)[:30] for each in listed if str(each) not in FEATURES), "")
    return f"was trained on other features than this program has{f', such as {other}' if other else ''}"


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST:
            raise _bad(file, "is larger than a policy")
        return file.read_bytes()
    except OSError as error:
        raise _bad(file, f"cannot be read: {error.strerror}") from None


def _beside(file: Path) -> Path:
    return file.with_suffix(".npz")


def _bad(file: Path, what: str) -> BadPolicy:
    return BadPolicy(f"{file.name} {what}.", "Train one with bot train, or copy both of its files again.")
