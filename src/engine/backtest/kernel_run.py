"""A backtest by the compiled kernel, and what it came to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.setup import BacktestSetup, BareTerms
from engine.backtest.short_entries import short_entries
from engine.backtest.slots import Shared, Slot, slots_of
from engine.backtest.tape import tape_of
from engine.domain.backtests import BacktestResult, BacktestTrade, DailyEquity, HeldAtEnd
from engine.domain.market import from_millis
from engine.simulation import intrabar, tapes
from engine.simulation.compiled import compiled
from engine.simulation.tapes import Tape

if TYPE_CHECKING:
    from engine.simulation.tapes import Row

REASONS = {intrabar.STOP: "stop", intrabar.TARGET: "target", tapes.SIGNAL: "signal", tapes.TIME: "time"}
"""What closes a trade, in words."""


def backtest(setup: BacktestSetup) -> BacktestResult:
    """Go over a setup's candles.

    Raises:
        DataError: They cannot be traded on.
    """
    return _result(setup, *traded(setup))


def traded(setup: BacktestSetup, shared: Shared | None = None) -> tuple[tuple[Slot, ...], Tape, tuple[float, float]]:
    """Go over a setup's candles: the slots, what the kernel left, and what it took to have the kernel, and to run it.

    Args:
        setup: The setup.
        shared: What it has in common with others.

    Raises:
        DataError: The candles cannot be traded on.
    """
    slots = slots_of(setup, shared)
    tape, asked = tape_of(setup, slots, shared), time.perf_counter()
    kernel, begun = compiled(), time.perf_counter()
    kernel(tape)
    return slots, tape, (begun - asked, time.perf_counter() - begun)


def _result(setup: BacktestSetup, slots: Sequence[Slot], tape: Tape, took: tuple[float, float]) -> BacktestResult:
    """What a tape that was gone over came to; ``took`` is for having the kernel, and for the kernel."""
    account, is_held = tape.account[0], tape.slots["lots"] > 0
    traded = [each for each in tape.markets if each["first"] < each["end"]]
    ends = max(int(tape.open_ms[each["end"] - 1] + each["span"]) for each in traded)
    held = tuple(_held(setup, slot, tape, k) for k, slot in enumerate(slots) if is_held[k])
    worth = sum(each.quantity * each.price for each in held)
    equity = float(account["cash"]) + worth
    trades = tape.trades[: account["trades"]]
    return BacktestResult(
        quote=setup.quote,
        begins=from_millis(min(int(tape.open_ms[each["first"]]) for each in traded)),
        ends=from_millis(ends),
        candles=sum(int(each["end"] - each["first"]) for each in traded),
        cash=float(setup.cash),
        final_equity=equity,
        read_trades=lambda: tuple(_trade(setup, slots[each["slot"]], each) for each in trades),
        read_short=lambda result: short_entries(setup, slots, result),
        held=held,
        daily=_daily(tape, ends, equity, worth),
        fees=float(trades["fees"].sum() + tape.slots["fees"][is_held].sum()),
        slippage=float(trades["slip"].sum() + tape.slots["slip"][is_held].sum()),
        entries_ended=from_millis(account["ended"]) if account["ended"] else None,
        seconds=took[1],
        compile_seconds=took[0],
    )


def _daily(tape: Tape, ends: int, equity: float, worth: float) -> DailyEquity:
    """The days that ended, and the end of the run, which may be one of a day."""
    days = tape.days[: tape.account[0]["days"]]
    return DailyEquity(
        at_ms=np.append(days["at"], ends),
        equity=np.append(days["equity"], equity),
        exposure=np.append(days["exposure"], worth),
    )


def _trade(setup: BacktestSetup, slot: Slot, row: Row) -> BacktestTrade:
    return BacktestTrade(
        context=slot.context.name,
        symbol=slot.symbol,
        opened_at=from_millis(row["opened"]),
        closed_at=from_millis(row["closed"]),
        quantity=float(row["lots"]) * lot_of(setup, slot.symbol),
        entry_price=float(row["entry"]),
        exit_price=float(row["exit"]),
        fees=float(row["fees"]),
        slippage=float(row["slip"]),
        reason=REASONS[int(row["reason"])],
    )


def _held(setup: BacktestSetup, slot: Slot, tape: Tape, k: int) -> HeldAtEnd:
    row, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
    return HeldAtEnd(
        context=slot.context.name,
        symbol=slot.symbol,
        opened_at=from_millis(row["since"]),
        quantity=float(row["lots"]) * lot_of(setup, slot.symbol),
        entry_price=float(row["cost"] / row["bought"] * market["tick"]),
        price=float(tape.close[market["end"] - 1] * market["tick"]),
    )


def lot_of(setup: BacktestSetup, symbol: str) -> float:
    """What a lot is in the base currency; a bare run has none."""
    return 1.0 if isinstance(setup.terms, BareTerms) else float(setup.markets[symbol].lot)
