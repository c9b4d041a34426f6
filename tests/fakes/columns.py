"""Columns written by hand: one row, or as many as the readings have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.analysis.flags import FLAGS
from engine.analysis.patterns import NAMES
from engine.domain.columns import Columns, TechnicalColumns


def columns(
    readings: Mapping[str, float | Sequence[float]], *, patterns: Mapping[str, int] | None = None
) -> TechnicalColumns:
    """Columns with these readings alone, no flag, and the patterns completed at every row."""
    given = {name: np.atleast_1d(np.asarray(values, dtype=np.float64)) for name, values in readings.items()}
    count = max((len(values) for values in given.values()), default=1)
    signs = np.array([(patterns or {}).get(name, 0) for name in NAMES], dtype=np.int8)
    return TechnicalColumns(
        count=count,
        readings=Columns(given, lambda name, start, stop: given[name][start:stop], 0, count),
        flags=Columns(FLAGS, lambda _, start, stop: np.zeros(stop - start, dtype=np.bool_), 0, count),
        find_patterns=lambda: np.tile(signs, (count, 1)),
        pattern_names=NAMES,
    )
