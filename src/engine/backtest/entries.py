"""Where the slots of a setup enter: at the closes at which live would, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.backtest.setup import BacktestSetup, BareTerms, RiskTerms
from engine.backtest.slots import Slot
from engine.risk.limits import RiskLimits
from engine.risk.market_rules import refused_at_close
from engine.risk.stats import KNOWN, measure

if TYPE_CHECKING:
    from engine.domain.columns import Bools


def entries_of(setup: BacktestSetup, slots: Sequence[Slot], slot: Slot) -> Bools:
    """Where a slot enters. Live enters a market once every context there has enough candles; a bare run at once."""
    if isinstance(setup.terms, BareTerms):
        return slot.said.entry
    known, own = slot.said.entry.copy(), [each for each in slots if each.symbol == slot.symbol]
    last = max(own, key=lambda each: _ready(setup, each))
    # Its halt ends when that context's turn comes: those before it have decided by then.
    side: Literal["left", "right"] = "right" if own.index(slot) < own.index(last) else "left"
    known[: int(slot.open_ms.searchsorted(_ready(setup, last) - slot.context.timeframe.millis, side=side))] = False
    return _allowed(setup.terms.limits, slot, known)


def _allowed(limits: RiskLimits, slot: Slot, entries: Bools) -> Bools:
    """Entries without those that live refuses for what a market did of late, or for the time: by the same figures."""
    if limits.max_volatility is None and limits.max_fall is None and not limits.closed_hours:
        return entries
    for row in np.flatnonzero(entries):
        seen = slot.candles.cut(max(0, int(row) + 1 - KNOWN), int(row) + 1)
        entries[row] = not refused_at_close(measure(seen, None), seen.closed_at, limits)
    return entries


def _ready(setup: BacktestSetup, slot: Slot) -> int:
    """When a slot has enough candles: at the close of the last of them."""
    least = setup.terms.min_candles if isinstance(setup.terms, RiskTerms) else 1
    if len(slot.open_ms) < least:
        return 2**62
    return int(slot.open_ms[least - 1]) + slot.context.timeframe.millis
