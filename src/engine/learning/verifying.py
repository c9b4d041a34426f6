"""Whether a policy answers as it may, tried on observations of chance. Pure numpy."""

from __future__ import annotations

import numpy as np

from engine.learning.features import FEATURES
from engine.learning.policy import OutOfRange, Policy
from engine.learning.policy_files import BadPolicy

_ASKED = 2_000


def verified(policy: Policy) -> int:
    """Ask a policy about chance within its range, and about what it must not answer; how often it was asked.

    Raises:
        BadPolicy: It answers what it must not, or goes further than it may.
    """
    rng, bounds = np.random.default_rng(1), policy.card.bounds
    for row in rng.uniform(policy.low, policy.high, (_ASKED, len(FEATURES))):
        try:
            found = policy.adjust(row)
        except OutOfRange as error:
            raise BadPolicy(f"{policy.card.name}: {error.message}", "Train it anew.") from None
        if not (0 <= found.scale <= bounds.max_scale and -bounds.max_shift <= found.confidence_shift <= 0):
            raise BadPolicy(f"{policy.card.name} goes further than it may.", "Train it anew.")
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
    return _ASKED
