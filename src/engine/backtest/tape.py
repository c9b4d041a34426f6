"""From a setup to what the kernel goes over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.entries import entries_of
from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, RiskTerms
from engine.backtest.slots import Shared, Slot
from engine.backtest.tape_markets import NOTHING, frozen, joined, tape_markets
from engine.domain.errors import BadInput
from engine.domain.market import to_millis
from engine.risk.stats import known_volumes
from engine.risk.units import ppm_down, ppm_up
from engine.simulation.intrabar import Intrabar
from engine.simulation.tapes import ACCOUNT, DAY, SLOT, TRADE, Tape, Terms

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Floats
    from engine.simulation.tapes import Table

_DISTANCES = ("stop_distance", "target_distance")


def tape_of(setup: BacktestSetup, slots: Sequence[Slot], shared: Shared | None = None) -> Tape:
    """Everything that the kernel needs, and room for what it leaves.

    Raises:
        DataError: A price cannot be told in the ticks of its market, or nothing is left to trade on.
    """
    _demand_whole_limits(setup)
    symbols = tuple(dict.fromkeys(slot.symbol for slot in slots))
    common = shared or Shared()
    traded = common.markets.get(symbols)
    if traded is None:
        traded = common.markets[symbols] = tape_markets(setup, symbols)
    stops, targets = ([bool(_strides(getattr(s.said, each))) for s in slots] for each in _DISTANCES)
    entries = [entries_of(setup, slots, slot) for slot in slots]
    account = np.zeros(1, ACCOUNT)
    account["cash"] = account["peak"] = float(setup.cash)
    return Tape(
        terms=_terms(setup),
        open_ms=traded.columns.open_ms,
        open=traded.columns.open,
        high=traded.columns.high,
        low=traded.columns.low,
        close=traded.columns.close,
        offered=traded.columns.offered,
        day_close=traded.day_close,
        said_ms=joined([slot.open_ms for slot in slots]),
        entry=joined(entries),
        exit=joined([slot.said.exit for slot in slots]),
        confidence=frozen(NOTHING)
        if isinstance(setup.terms, BareTerms)
        else joined([s.said.confidence for s in slots]),
        stop=joined([slot.said.stop_distance for slot in slots]) if any(stops) else frozen(NOTHING),
        target=joined([slot.said.target_distance for slot in slots]) if any(targets) else frozen(NOTHING),
        traded=_traded(setup, slots, entries, shared),
        markets=traded.markets.copy(),
        slots=_slots(setup, common, slots, symbols, stops, targets),
        account=account,
        trades=np.zeros(sum(int(np.count_nonzero(slot.said.entry)) for slot in slots), TRADE),
        days=np.zeros(traded.days + 2, DAY),
        levels=np.empty(setup.model.levels),
        sizes=np.empty(setup.model.levels),
        adjusted=np.empty((0, 3)),
    )


def _demand_whole_limits(setup: BacktestSetup) -> None:
    """Leave out no limit in silence.

    Raises:
        BadInput: One is in force that only the live cycle can tell.
    """
    names = setup.terms.limits.live_only if isinstance(setup.terms, RiskTerms) else ()
    if names:
        listed = ", ".join(f"risk.{name}" for name in names)
        raise BadInput(
            f"{listed}: whole candles of each market alone do not tell it.",
            "bot backtest --full goes through the live cycle, which does; or leave it out of the profile.",
        )


def _traded(setup: BacktestSetup, slots: Sequence[Slot], entries: Sequence[Bools], shared: Shared | None) -> Floats:
    """What a day has traded where slots enter; for runs that share it at every close, once for all of them."""
    if isinstance(setup.terms, BareTerms) or setup.terms.limits.max_daily_volume is None:
        return frozen(NOTHING)
    if shared is not None:
        return joined([shared.volumes(slot) for slot in slots])
    columns = []
    for slot, entry in zip(slots, entries, strict=True):
        column, rows = np.zeros(len(slot.candles)), np.flatnonzero(entry)
        column[rows] = known_volumes(slot.candles, rows)
        columns.append(column)
    return joined(columns)


def _strides(column: Floats) -> int:
    """0 for a column of one value throughout, which is how a strategy says that it has none."""
    return column.strides[0]


def _slots(
    setup: BacktestSetup,
    shared: Shared,
    slots: Sequence[Slot],
    symbols: Sequence[str],
    stops: Sequence[bool],
    targets: Sequence[bool],
) -> Table:
    table, begin = np.zeros(len(slots), SLOT), 0
    for number, slot in enumerate(slots):
        row, span = table[number], slot.context.timeframe.millis
        skipped = int(slot.open_ms.searchsorted(to_millis(setup.start) - span)) if setup.start else 0
        row["market"] = symbols.index(slot.symbol)
        row["first"], row["turn"], row["end"] = begin, begin + skipped, begin + len(slot.open_ms)
        row["begins"] = shared.begins(slot)
        row["span"], row["longest"] = span, span * (slot.said.max_candles or 0)
        row["stops"], row["targets"] = stops[number], targets[number]
        row["stop"], row["target"] = -math.inf, math.inf
        row["scale"] = row["stop_share"] = 1.0
        if isinstance(setup.terms, RiskTerms):
            limits = setup.terms.limits.of(slot.context.name)
            row["risk_per_trade"] = ppm_down(limits.risk_per_trade)
            row["max_position"], row["max_exposure"] = ppm_down(limits.max_position), ppm_down(limits.max_exposure)
            row["max_open_risk"] = _share_or_none(limits.max_open_risk)
        begin += len(slot.open_ms)
    return table


def _terms(setup: BacktestSetup) -> Terms:
    fee = float(setup.model.fee)
    match setup.terms:
        case BareTerms(size=size, fill_at=fill_at):
            return Terms(bare=True, at_close=fill_at is FillAt.SIGNAL_CLOSE, worst=True, size=size, fee=fee)
        case RiskTerms(limits=limits, confidence=confidence):
            shares = setup.model.shares
            return Terms(
                bare=False,
                at_close=False,
                worst=setup.intrabar is Intrabar.WORST,
                size=0.0,
                fee=fee,
                confidence=confidence,
                whole=shares.whole,
                first=shares.first,
                step=shares.step,
                levels=setup.model.levels,
                max_drawdown=ppm_down(limits.max_drawdown),
                recovery_size=ppm_down(limits.recovery_size),
                max_total_drawdown=ppm_down(limits.max_total_drawdown),
                max_spread=ppm_down(limits.max_spread),
                max_price_gap=ppm_down(limits.max_price_gap),
                slippage_down=ppm_down(limits.max_slippage),
                slippage_up=ppm_up(limits.max_slippage),
                pause_ms=limits.drawdown_pause // timedelta(milliseconds=1),
                max_daily_volume=_share_or_none(limits.max_daily_volume),
                max_sector=_share_or_none(limits.max_sector),
                max_positions=-1 if limits.max_positions is None else limits.max_positions,
            )


def _share_or_none(share: Decimal | None) -> float:
    return -1.0 if share is None else ppm_down(share)
