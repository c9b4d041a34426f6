"""Entries that a strategy wanted, and that were left out for their confidence alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.entries import entries_of
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.slots import Slot
from engine.domain.backtests import BacktestResult
from engine.domain.market import to_millis

if TYPE_CHECKING:
    from engine.domain.market import Millis

_NEVER = 2**62


def short_entries(setup: BacktestSetup, slots: Sequence[Slot], result: BacktestResult) -> int | None:
    """At how many closes an entry fell short of the confidence that it takes, while its market was not held.

    ``None`` where confidence does not decide, in a bare run and where people are asked; and where predictions had to be
    made to know.
    """
    if not isinstance(setup.terms, RiskTerms) or setup.terms.people is not None or setup.reads_predictions:
        return None
    return sum(_short(setup, slots, slot, result, setup.terms.confidence) for slot in slots)


def _short(setup: BacktestSetup, slots: Sequence[Slot], slot: Slot, result: BacktestResult, confidence: float) -> int:
    wanted = entries_of(setup, slots, slot) & (slot.said.confidence < confidence)
    closes = slot.open_ms[wanted] + slot.context.timeframe.millis
    closes = closes[(closes >= to_millis(result.begins)) & (closes < to_millis(result.ends))]
    return len(closes) - int(_held_at(closes, slot, result).sum())


def _held_at(closes: Millis, slot: Slot, result: BacktestResult) -> np.ndarray:
    """At which closes a slot holds something: one position at a time, so beginnings and ends take turns."""
    own = [each for each in result.trades if (each.context, each.symbol) == (slot.context.name, slot.symbol)]
    spans = [(to_millis(each.opened_at), to_millis(each.closed_at)) for each in own]
    spans += [
        (to_millis(each.opened_at), _NEVER)
        for each in result.held
        if (each.context, each.symbol) == (slot.context.name, slot.symbol)
    ]
    begins, ends = np.array(sorted(spans), dtype=np.int64).reshape(-1, 2).T
    before = begins.searchsorted(closes, side="left") - 1
    known = before >= 0
    held: np.ndarray = known & (closes <= np.append(ends, 0)[np.where(known, before, -1)])
    return held
