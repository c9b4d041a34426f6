"""Where means cross, for numba: what ``analysis.flags.crossing`` says, in one pass and without anything in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.flags import ROUNDING

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Floats


def mark_crossing(fast: Floats, slow: Floats, rose: Bools, below: Bools) -> None:
    """Write down where a fast mean rose above a slow one, and where it is below it (see ``Crossing``)."""
    up, down = 1 + ROUNDING, 1 - ROUNDING
    if len(slow) > 0:
        rose[0], below[0] = False, fast[0] < slow[0] * down
    for i in range(1, len(slow)):
        rose[i] = (fast[i] > slow[i] * up) & (fast[i - 1] <= slow[i - 1] * up)
        below[i] = fast[i] < slow[i] * down
