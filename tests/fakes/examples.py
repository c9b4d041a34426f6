"""How many examples of a rule are tried: in CI all of them, on a laptop a part."""

from __future__ import annotations

import os

from hypothesis import settings

PART = 3
"""One in so many is tried where it is not CI."""


def examples(count: int) -> settings:
    """So many examples in CI, a third elsewhere; how long one takes proves nothing, for the first pays for imports."""
    return settings(deadline=None, max_examples=count if os.environ.get("CI") else max(5, count // PART))
