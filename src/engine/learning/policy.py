"""A trained policy as numbers alone: two files of arrays and JSON, and numpy that asks it.

    NAME.json   what it is: features, range of what it was shown, window, hash of the candles, seeds, figures
    NAME.npz    its weights, and what its observations are scaled by

Nothing in either is ever executed: arrays are read without pickle, and each is held against the shape it must have. A
policy is refused where anything is not as it was written; ``BadPolicy`` names what.

    observation ─▶ (x - mean) / deviation, cut to [-5, 5] ─▶ tanh layers ─▶ cut to [-1, 1] ─▶ Adjustment
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.domain.adjustments import Adjustment
from engine.domain.errors import DataError
from engine.learning.features import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.columns import Bools
    from engine.domain.market import Floats

    Weights = NDArray[np.float32]

FORMAT = 1
"""Of the files; another one is refused."""
ACTIONS = ("scale", "confidence_shift", "stop_share")
STEPS = 64
"""Shares are told in so many parts of the whole, which floats and decimals both have exactly; rounded to no more."""
CUT = 5.0
"""How many deviations from the mean a scaled feature is at most."""
MARGIN = 0.5
"""How far beyond what it was shown a feature may lie, as a part of that range."""
_LARGEST = 4 * 2**20
_LAYERS = 8


class BadPolicy(DataError):
    """A policy's files are missing, damaged, or of another program."""


class OutOfRange(DataError):
    """An observation is nothing that a policy can answer: a figure is missing, no number, or out of its range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionBounds:
    """How far a policy may go.

    Attributes:
        max_scale: The largest share of the size, in (0, 1].
        max_shift: The most that confidence is lowered by, in [0, 1].
        min_stop_share: The least that is kept of the stop's distance, in (0, 1].
    """

    max_scale: float = 1.0
    max_shift: float = 0.2
    min_stop_share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """What is known of a policy beside its numbers.

    Attributes:
        features: Those it was trained on, in order.
        begins, ends: The window it was trained on, in ISO 8601, UTC.
        timeframe: Of the candles that it was trained on.
        data: A hash of these candles.
        seeds: All that were trained; ``seed`` is the one that was taken.
        steps: How many decisions it was trained on.
        bounds: How far it may go.
        figures: What it came to, by name; ``bot policy show`` tells them.
        degenerate: What is wrong with how it acts, such as that it never trades; empty where nothing is.
        contexts: The strategies and markets that it was trained on.
    """

    name: str
    features: tuple[str, ...] = tuple(FEATURES)
    begins: str = ""
    ends: str = ""
    timeframe: str = ""
    data: str = ""
    seeds: tuple[int, ...] = ()
    seed: int = 0
    steps: int = 0
    bounds: ActionBounds = field(default_factory=ActionBounds)
    figures: Mapping[str, float] = field(default_factory=dict)
    degenerate: str = ""
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """A policy that can be asked.

    Attributes:
        mean, deviation: ``float64[17]`` that observations are scaled by; a deviation of 0 is a feature that never
            changed in training: it is not looked at.
        low, high: ``float64[17]``, what it was shown in training.
        weights, biases: Of each layer, ``float32[out, in]`` and ``float32[out]``; all but the last end in tanh.
    """

    card: PolicyCard
    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    weights: tuple[Weights, ...]
    biases: tuple[Weights, ...]

    def adjust(self, observation: Floats) -> Adjustment:
        """What it makes of an entry.

        Args:
            observation: ``float64[17]``, in the order of ``FEATURES``.

        Raises:
            OutOfRange: There is a figure that it cannot be asked about; it is named.
        """
        self.demand_known(observation)
        return adjustment_of(self.act(observation[None, :])[0], self.card.bounds)

    def act(self, observations: Floats) -> Floats:
        """``float[n, 3]`` in [-1, 1]: its answers before they are an adjustment."""
        layer = scaled(observations, self.mean, self.deviation)
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            layer = layer @ weight.T + bias
            if number < last:
                layer = np.tanh(layer)
        answer: Floats = np.minimum(np.maximum(layer, -1.0), 1.0).astype(np.float64)
        return answer

    def demand_known(self, observation: Floats) -> None:
        """See that it can be asked.

        Raises:
            OutOfRange: It cannot.
        """
        lowest, highest, unasked = self._room
        known = (observation >= lowest) & (observation <= highest) | unasked
        if known.all():
            return
        wrong = ~known
        number = int(np.argmax(wrong))
        name, value = self.card.features[number], float(observation[number])
        if not math.isfinite(value):
            raise OutOfRange(f"{name} is not known.")
        raise OutOfRange(
            f"{name} is {value:.4g}: the policy knows {float(self.low[number]):.4g} to {float(self.high[number]):.4g}."
        )

    @cached_property
    def _room(self) -> tuple[Floats, Floats, Bools]:
        """Between which values each feature may lie, and which are not looked at."""
        room = MARGIN * (self.high - self.low)
        return self.low - room, self.high + room, self.deviation <= 0


def scaled(observations: Floats, mean: Floats, deviation: Floats) -> Weights:
    """``float32[n, 17]``: observations as a network sees them; 0 where a feature is not looked at."""
    asked = deviation > 0
    found = np.where(asked, (observations - mean) / np.where(asked, deviation, 1.0), 0.0)
    return np.minimum(np.maximum(found, -CUT), CUT).astype(np.float32)


def adjustment_of(action: Floats, bounds: ActionBounds) -> Adjustment:
    """What an answer in [-1, 1] means; one that goes beyond that goes no further than the bounds.

    Raises:
        OutOfRange: It is no number.
    """
    first, second, third = (min(max(each, -1.0), 1.0) for each in action.tolist())
    if not math.isfinite(first + second + third):
        raise OutOfRange("The policy's answer is no number.")
    return Adjustment(
        scale=math.floor((first + 1) / 2 * bounds.max_scale * STEPS) / STEPS,
        confidence_shift=0.0 - math.floor(max(second, 0.0) * bounds.max_shift * STEPS) / STEPS,
        stop_share=1 - math.floor(max(third, 0.0) * (1 - bounds.min_stop_share) * STEPS) / STEPS,
    )


def adjustments(actions: Floats, bounds: ActionBounds) -> Floats:
    """``float64[n, 3]``: as ``adjustment_of``, of many: scale, shift of confidence, share of the stop's distance."""
    cut = np.minimum(np.maximum(actions.astype(np.float64), -1.0), 1.0)
    less = np.maximum(cut[:, 1:], 0.0)
    scale = np.floor((cut[:, 0] + 1) / 2 * bounds.max_scale * STEPS) / STEPS
    shift = 0.0 - np.floor(less[:, 0] * bounds.max_shift * STEPS) / STEPS
    share = 1 - np.floor(less[:, 1] * (1 - bounds.min_stop_share) * STEPS) / STEPS
    return np.stack([scale, shift, share], axis=1)


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
