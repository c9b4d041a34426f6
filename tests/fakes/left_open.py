"""What nobody has closed, as the garbage collector finds it."""

from __future__ import annotations

import gc
import warnings


def left_open() -> set[str]:
    """What was forgotten since the last look, by the words in which its library says so."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    return {str(each.message).partition(" <")[0] for each in told if each.category is ResourceWarning}
