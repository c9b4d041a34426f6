"""Whether a policy answers as it may, and not the same to everything, tried on observations of chance. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.learning.evaluating import one_scale
from engine.learning.features import FEATURES
from engine.learning.policy import OutOfRange, Policy
from engine.learning.policy_files import BadPolicy

_ASKED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is known of a policy that answers as it may.

    Attributes:
        answers: How many were looked at.
        degenerate: What is wrong with how it acts, by its card or by these; empty where nothing is.
    """

    answers: int
    degenerate: str


def verified(policy: Policy) -> Verified:
    """Ask a policy about chance within its range, and about what it must not answer.

    Raises:
        BadPolicy: It answers what it must not, or goes further than it may.
    """
    rng, bounds, scales = np.random.default_rng(1), policy.card.bounds, []
    for row in rng.uniform(policy.low, policy.high, (_ASKED, len(FEATURES))):
        try:
            with np.errstate(all="ignore"):  # what comes of it is looked at
                found = policy.adjust(row)
        except OutOfRange as error:
            raise BadPolicy(f"{policy.card.name}: {error.message}", "Train it anew.") from None
        if not (0 <= found.scale <= bounds.max_scale and -bounds.max_shift <= found.confidence_shift <= 0):
            raise BadPolicy(f"{policy.card.name} goes further than it may.", "Train it anew.")
        scales.append(found.scale)
        if not bounds.min_stop_share <= found.stop_share <= 1:
            raise BadPolicy(f"{policy.card.name} moves a stop further than it may.", "Train it anew.")
    for number in np.flatnonzero(policy.deviation > 0):
        asked = policy.mean.copy()
        asked[number] = np.nan
        try:
            policy.adjust(asked)
        except OutOfRange:
            continue
        raise BadPolicy(f"{policy.card.name} answers where a figure is no number.", "Train it anew.")
    return Verified(answers=_ASKED, degenerate=policy.card.degenerate or one_scale(np.array(scales)))
