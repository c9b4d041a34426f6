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

    from engine.domain.columns import Bools
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
        self.demand_known(observation)
        return adjustment_of(self.act(observation[None, :])[0], self.card.bounds)

    def act(self, observations: Floats) -> Floats:
        """``float[n, 3]`` in [-1, 1]: its answers before they are an adjustment."""
        layer = _scaled(observations, self.mean, *self._asked)
        *inner, (weight, bias) = self._layers
        for each, own in inner:
            layer = np.tanh(layer @ each + own)
        layer = layer @ weight + bias
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
    def _layers(self) -> tuple[tuple[Weights, Weights], ...]:
        """The weights of each layer as they are multiplied by, and its biases."""
        return tuple((weight.T, bias) for weight, bias in zip(self.weights, self.biases, strict=True))

    @cached_property
    def _asked(self) -> tuple[Bools, Floats]:
        return _asked(self.deviation)

    @cached_property
    def _room(self) -> tuple[Floats, Floats, Bools]:
        """Between which values each feature may lie, and which are not looked at."""
        room = MARGIN * (self.high - self.low)
        return self.low - room, self.high + room, self.deviation <= 0


def scaled(observations: Floats, mean: Floats, deviation: Floats) -> Weights:
    """``float32[n, 17]``: observations as a network sees them; 0 where a feature is not looked at."""
    return _scaled(observations, mean, *_asked(deviation))


def _asked(deviation: Floats) -> tuple[Bools, Floats]:
    """Which features are looked at, and what each is divided by."""
    asked = deviation > 0
    return asked, np.where(asked, deviation, 1.0)


def _scaled(observations: Floats, mean: Floats, asked: Bools, divisor: Floats) -> Weights:
    found = np.where(asked, (observations - mean) / divisor, 0.0)
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
