"""Policies made by hand, and by chance."""

from __future__ import annotations

import numpy as np

from engine.learning.features import FEATURES
from engine.learning.policy import ActionBounds, Policy, PolicyCard

COUNT = len(FEATURES)


def any_policy(seed: int = 0, *, name: str = "learnt", bounds: ActionBounds | None = None) -> Policy:
    """A policy of chance that answers to everything within 100 of 0."""
    rng = np.random.default_rng(seed)
    return Policy(
        card=PolicyCard(name=name, seeds=(1, 2), seed=2, figures={"gain": 0.1}, bounds=bounds or ActionBounds()),
        mean=np.zeros(COUNT),
        deviation=np.ones(COUNT),
        low=np.full(COUNT, -100.0),
        high=np.full(COUNT, 100.0),
        weights=(_weights(rng, 8, COUNT), _weights(rng, 3, 8)),
        biases=(_weights(rng, 8), _weights(rng, 3)),
    )


def steady_policy(*answers: float, name: str = "steady", high: float = 1e6) -> Policy:
    """A policy that answers the same to everything, in [-1, 1]: scale, less confidence, tighter stop."""
    return Policy(
        card=PolicyCard(name=name),
        mean=np.zeros(COUNT),
        deviation=np.ones(COUNT),
        low=np.full(COUNT, -1e6),
        high=np.full(COUNT, high),
        weights=(np.zeros((3, COUNT), dtype=np.float32),),
        biases=(np.array(answers, dtype=np.float32),),
    )


def _weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0, 0.5, shape).astype(np.float32)
