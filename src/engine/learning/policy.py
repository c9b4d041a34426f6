"""A trained policy as numbers alone, and what it answers. Pure numpy; its files are ``policy_files``.

observation ─▶ (x - mean) / deviation, cut to [-5, 5] ─▶ tanh layers ─▶ cut to [-1, 1] ─▶ Adjustment
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.adjustments import Adjustment
from engine.domain.errors import DataError
from engine.learning.features import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Floats

    Weights = NDArray[np.float32]

BEST_SCALE, BEST_VOLATILITY = "best_constant_scale", "best_volatility_target"
"""The figures of a card that tell with what number ways of sizing that need no policy were best in its training."""
ACTIONS = ("scale", "confidence_shift", "stop_share")
STEPS = 64
"""Shares are told in so many parts of the whole, which floats and decimals both have exactly; rounded to no more."""
CUT = 5.0
"""How many deviations from the mean a scaled feature is at most."""
MARGIN = 0.5
"""How far beyond what it was shown a feature may lie, as a part of that range."""


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
        tested_from: The beginning of the time on which nothing of it was trained or chosen, likewise.
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
    tested_from: str = ""
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
        return adjustment_of(self.answer(observation), self.card.bounds)

    def answer(self, observation: Floats) -> Floats:
        """``float64[3]``: what it says of an entry before that is an adjustment, as ``act`` but for being cut.

        Raises:
            OutOfRange: There is a figure that it cannot be asked about; it is named.
        """
        asked = self._asked
        seen = observation.take(asked.which)
        if False in ((seen >= asked.lowest) & (seen <= asked.highest)).tolist():
            raise self._unknown(observation)
        return _answers(asked, seen)

    def act(self, observations: Floats) -> Floats:
        """``float[n, 3]`` in [-1, 1]: its answers before they are an adjustment."""
        found = _answers(self._asked, observations.take(self._asked.which, axis=1))
        return np.minimum(np.maximum(found, -1.0), 1.0)

    def _unknown(self, observation: Floats) -> OutOfRange:
        """Which figure it cannot be asked about: the first one."""
        asked = self._asked
        seen = observation[asked.which]
        number = int(asked.which[np.argmin((seen >= asked.lowest) & (seen <= asked.highest))])
        name, value = self.card.features[number], float(observation[number])
        if not math.isfinite(value):
            return OutOfRange(f"{name} is not known.")
        return OutOfRange(
            f"{name} is {value:.4g}: the policy knows {float(self.low[number]):.4g} to {float(self.high[number]):.4g}."
        )

    @cached_property
    def _asked(self) -> _Asked:
        which = np.flatnonzero(self.deviation > 0)
        room = MARGIN * (self.high - self.low)
        first, *later = self.weights
        return _Asked(
            which=which,
            lowest=(self.low - room)[which],
            highest=(self.high + room)[which],
            mean=self.mean[which],
            deviation=self.deviation[which],
            layers=tuple((weight.T, bias) for weight, bias in zip((first[:, which], *later), self.biases, strict=True)),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """A policy laid out for being asked: of the ``k`` features that are looked at alone.

    Attributes:
        which: ``int[k]``, their numbers.
        lowest, highest: ``float64[k]``, between which values each may lie.
        mean, deviation: ``float64[k]``.
        layers: The weights of each layer as they are multiplied by, ``float32[in, out]``, and its biases.
    """

    which: NDArray[np.intp]
    lowest: Floats
    highest: Floats
    mean: Floats
    deviation: Floats
    layers: tuple[tuple[Weights, Weights], ...]


def _answers(asked: _Asked, seen: Floats) -> Floats:
    """``float64[3]`` of ``float64[k]``, or ``float64[n, 3]`` of ``float64[n, k]``; not cut yet.

    ``dot`` of arrays of one dimension takes half of what ``@`` does.
    """
    layer = _cut((seen - asked.mean) / asked.deviation)
    *inner, (weight, bias) = asked.layers
    for each, own in inner:
        layer = np.tanh(layer.dot(each) + own)
    found: Floats = (layer.dot(weight) + bias).astype(np.float64)
    return found


def scaled(observations: Floats, mean: Floats, deviation: Floats) -> Weights:
    """``float32[n, 17]``: observations as a network sees them; 0 where a feature is not looked at."""
    asked = deviation > 0
    return _cut(np.where(asked, (observations - mean) / np.where(asked, deviation, 1.0), 0.0))


def _cut(found: Floats) -> Weights:
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
