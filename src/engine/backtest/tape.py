"""From a setup to what the kernel goes over."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import numpy as np

from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, RiskTerms
from engine.backtest.whole_units import in_ticks, offered_lots
from engine.domain.decisions import Frame
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Candles, Timeframe, from_millis, to_millis
from engine.ports import Frames, Strategy
from engine.risk.limits import RiskLimits
from engine.risk.market_rules import refused_at_close
from engine.risk.stats import KNOWN, known_volumes, measure
from engine.risk.units import ppm_down, ppm_up
from engine.simulation.frames import resample
from engine.simulation.intrabar import Intrabar
from engine.simulation.tapes import ACCOUNT, DAY, MARKET, SLOT, TRADE, Tape, Terms
from engine.strategies.context import StrategyContext

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.columns import Bools, Cross, SignalColumns
    from engine.domain.market import Floats, Millis
    from engine.simulation.tapes import Row, Table

    Number = TypeVar("Number", np.float64, np.int64, np.bool_)

_DAY = timedelta(days=1) // timedelta(milliseconds=1)
_NONE = np.empty(0)
_DISTANCES = ("stop_distance", "target_distance")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slot:
    """One market of one context, and what its strategy says of each of its closes."""

    context: StrategyContext
    symbol: str
    candles: Candles
    said: SignalColumns

    @property
    def open_ms(self) -> Millis:
        """When each of its candles opens."""
        return self.candles.open_ms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """What runs over the same candles have in common, made once: for setups that differ in their strategies alone.

    Attributes:
        frames: What is read off the candles of each market and timeframe.
        grounds: Some markets as the kernel goes over them.
        cross: Compares means (see ``TechnicalColumns``).
    """

    frames: dict[tuple[str, Timeframe], Frame] = field(default_factory=dict)
    grounds: dict[tuple[str, ...], _Ground] = field(default_factory=dict)
    cross: Cross | None = None
    _begins: dict[tuple[str, Timeframe], int] = field(default_factory=dict)
    _volumes: dict[tuple[str, Timeframe], Floats] = field(default_factory=dict)

    def begins(self, slot: Slot) -> int:
        """When the first of a slot's candles opens; below 0 where some are missing."""
        key = slot.symbol, slot.context.timeframe
        if key not in self._begins:
            self._begins[key] = _begins(slot.open_ms, slot.context.timeframe.millis)
        return self._begins[key]

    def volumes(self, slot: Slot) -> Floats:
        """What a day has traded at each of a slot's closes, in the quote currency."""
        key = slot.symbol, slot.context.timeframe
        if key not in self._volumes:
            self._volumes[key] = known_volumes(slot.candles, np.arange(len(slot.candles)))
        return self._volumes[key]

    @property
    def values(self) -> int:
        """How many numbers the readings are."""
        known = (frame.columns for frame in self.frames.values())
        return sum(each.count * each.series.columns_made for each in known if each.series)


def slots_of(setup: BacktestSetup, shared: Shared | None = None) -> tuple[Slot, ...]:
    """Have every strategy say what it says; what is read off candles is shared among them.

    Raises:
        DataError: There are no candles of a market or timeframe that a context trades.
    """
    common = shared or Shared()
    found = []
    for context in setup.contexts:
        for symbol in context.markets:
            said = context.strategy.columns(_frames(setup, common, symbol, context.strategy.timeframes))
            own = common.frames[symbol, context.timeframe].candles
            found.append(Slot(context=context, symbol=symbol, candles=own, said=said))
    return tuple(found)


def frames_of(setup: BacktestSetup, strategy: Strategy, symbol: str) -> Frames:
    """Everything that a strategy sees of a market, whole.

    Raises:
        DataError: There are no candles of the market.
    """
    return _frames(setup, Shared(), symbol, strategy.timeframes)


def _frames(
    setup: BacktestSetup,
    shared: Shared,
    symbol: str,
    timeframes: Iterable[Timeframe],
) -> Frames:
    seen = {each: _frame(setup, shared, symbol, each) for each in timeframes}
    return {timeframe: frame for timeframe, frame in seen.items() if frame}


def _frame(setup: BacktestSetup, shared: Shared, symbol: str, timeframe: Timeframe) -> Frame | None:
    key = symbol, timeframe
    if key not in shared.frames:
        candles = resample(candles_of(setup, symbol), timeframe)
        if not len(candles):
            return None
        shared.frames[key] = setup.analyzer.whole(candles, shared.cross)
    return shared.frames[key]


def candles_of(setup: BacktestSetup, symbol: str) -> Candles:
    """A market's candles up to the end of the run.

    Raises:
        DataError: There are none.
    """
    candles = setup.candles[symbol]
    if setup.end is not None:
        candles = candles.cut(0, int(candles.open_ms.searchsorted(to_millis(setup.end))))
    if not len(candles):
        raise DataError(
            f"There are no candles of {symbol} before {setup.end:%Y-%m-%d %H:%M} UTC.", "Set a later --end."
        )
    return candles


def span_of(setup: BacktestSetup) -> tuple[datetime, datetime]:
    """From when to when it goes: from its start, or from its first candle, to the close of its last.

    Raises:
        DataError: There are no candles of a market.
    """
    candles = [candles_of(setup, symbol) for symbol in setup.candles]
    first = from_millis(min(int(each.open_ms[0]) for each in candles))
    return max(setup.start or first, first), max(each.closed_at for each in candles)


def demand_candles(setup: BacktestSetup) -> None:
    """See that there are candles of all that is looked at, and some to trade on.

    Raises:
        DataError: There are none.
    """
    for context in setup.contexts:
        for symbol, timeframe in product(context.markets, context.strategy.timeframes):
            candles = candles_of(setup, symbol)
            if timeframe.millis < candles.timeframe.millis:
                resample(candles, timeframe)
    last = max(int(candles_of(setup, symbol).open_ms[-1]) for symbol in setup.candles)
    if setup.start is not None and last < to_millis(setup.start):
        raise _nothing_to_trade()


def _nothing_to_trade() -> DataError:
    return DataError("There are no candles within --start and --end.", "Set them within the candles.")


def tape_of(setup: BacktestSetup, slots: Sequence[Slot], shared: Shared | None = None) -> Tape:
    """Everything that the kernel needs, and room for what it leaves.

    Raises:
        DataError: A price cannot be told in the ticks of its market, or nothing is left to trade on.
    """
    _demand_whole_limits(setup)
    symbols = tuple(dict.fromkeys(slot.symbol for slot in slots))
    common = shared or Shared()
    ground = common.grounds.get(symbols)
    if ground is None:
        ground = common.grounds[symbols] = _ground(setup, symbols)
    stops, targets = ([bool(_strides(getattr(s.said, each))) for s in slots] for each in _DISTANCES)
    entries = [entries_of(setup, slots, slot) for slot in slots]
    account = np.zeros(1, ACCOUNT)
    account["cash"] = account["peak"] = float(setup.cash)
    return Tape(
        terms=_terms(setup),
        open_ms=ground.columns.open_ms,
        open=ground.columns.open,
        high=ground.columns.high,
        low=ground.columns.low,
        close=ground.columns.close,
        offered=ground.columns.offered,
        day_close=ground.day_close,
        said_ms=_joined([slot.open_ms for slot in slots]),
        entry=_joined(entries),
        exit=_joined([slot.said.exit for slot in slots]),
        confidence=_frozen(_NONE)
        if isinstance(setup.terms, BareTerms)
        else _joined([s.said.confidence for s in slots]),
        stop=_joined([slot.said.stop_distance for slot in slots]) if any(stops) else _frozen(_NONE),
        target=_joined([slot.said.target_distance for slot in slots]) if any(targets) else _frozen(_NONE),
        traded=_traded(setup, slots, entries, shared),
        markets=ground.markets.copy(),
        slots=_slots(setup, common, slots, symbols, stops, targets),
        account=account,
        trades=np.zeros(sum(int(np.count_nonzero(slot.said.entry)) for slot in slots), TRADE),
        days=np.zeros(ground.days + 2, DAY),
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


class _Ground(NamedTuple):
    """Some markets: their candles one after another, where each begins, their closes by day, and how many days."""

    columns: _Columns
    markets: Table
    day_close: Floats
    days: int


def _ground(setup: BacktestSetup, symbols: Sequence[str]) -> _Ground:
    each = [_columns_of(setup, symbol) for symbol in symbols]
    markets, joined = _markets(setup, symbols, each), _Columns(*map(_joined, zip(*each, strict=True)))
    first, last = _reach(markets, joined.open_ms)
    traded = markets[markets["first"] < markets["end"]]
    midnights = np.arange(first - first % _DAY + _DAY, int(joined.open_ms[traded["end"] - 1].max()) + 1, _DAY)
    return _Ground(
        columns=joined,
        markets=markets,
        day_close=_joined([_closes_at(midnights, each, joined) for each in markets]),
        days=(last - first) // _DAY,
    )


def _closes_at(midnights: Millis, market: Row, columns: _Columns) -> Floats:
    """The last close of a market at each midnight; no number before its first."""
    known = slice(int(market["first"]), int(market["end"]))
    rows = columns.open_ms[known].searchsorted(midnights)
    return np.concatenate(([np.nan], columns.close[known]))[rows]


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


def _traded(setup: BacktestSetup, slots: Sequence[Slot], entries: Sequence[Bools], shared: Shared | None) -> Floats:
    """What a day has traded where slots enter; for runs that share it at every close, once for all of them."""
    if isinstance(setup.terms, BareTerms) or setup.terms.limits.max_daily_volume is None:
        return _frozen(_NONE)
    if shared is not None:
        return _joined([shared.volumes(slot) for slot in slots])
    columns = []
    for slot, entry in zip(slots, entries, strict=True):
        column, rows = np.zeros(len(slot.candles)), np.flatnonzero(entry)
        column[rows] = known_volumes(slot.candles, rows)
        columns.append(column)
    return _joined(columns)


def _ready(setup: BacktestSetup, slot: Slot) -> int:
    """When a slot has enough candles: at the close of the last of them."""
    least = setup.terms.min_candles if isinstance(setup.terms, RiskTerms) else 1
    if len(slot.open_ms) < least:
        return 2**62
    return int(slot.open_ms[least - 1]) + slot.context.timeframe.millis


def _strides(column: Floats) -> int:
    """0 for a column of one value throughout, which is how a strategy says that it has none."""
    return column.strides[0]


class _Columns(NamedTuple):
    """A market's candles as the kernel has them."""

    open_ms: Millis
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    offered: Floats


def _columns_of(setup: BacktestSetup, symbol: str) -> _Columns:
    """A market's columns; where it is traded in lots and ticks, in these."""
    candles = candles_of(setup, symbol)
    plain = _Columns(candles.open_ms, candles.open, candles.high, candles.low, candles.close, _NONE)
    if isinstance(setup.terms, BareTerms):
        return plain
    market = setup.markets[symbol]
    whole = _Columns(
        open_ms=candles.open_ms,
        open=in_ticks(candles.open, market),
        high=in_ticks(candles.high, market),
        low=in_ticks(candles.low, market),
        close=in_ticks(candles.close, market),
        offered=offered_lots(candles.volume, market, setup.model),
    )
    return _with_closes(whole, candles.timeframe.millis)


def _with_closes(columns: _Columns, span: int) -> _Columns:
    """Where candles are missing, a row of no length at the last close: live trades there, as long as it has a price."""
    gaps = np.flatnonzero(np.diff(columns.open_ms) > span)
    at, close = gaps + 1, columns.close[gaps]
    return _Columns(
        open_ms=np.insert(columns.open_ms, at, columns.open_ms[gaps] + span),
        open=np.insert(columns.open, at, close),
        high=np.insert(columns.high, at, close),
        low=np.insert(columns.low, at, close),
        close=np.insert(columns.close, at, close),
        offered=np.insert(columns.offered, at, columns.offered[gaps]),
    )


def _markets(setup: BacktestSetup, symbols: Sequence[str], tapes: Sequence[_Columns]) -> Table:
    markets = np.zeros(len(symbols), MARKET)
    lengths = [len(tape.open_ms) for tape in tapes]
    coins = tuple(dict.fromkeys(setup.markets[symbol].base for symbol in symbols))
    bare = isinstance(setup.terms, BareTerms)
    limits = RiskLimits() if isinstance(setup.terms, BareTerms) else setup.terms.limits
    sectors = tuple(limits.sectors)
    for number, symbol in enumerate(symbols):
        market, row, begin = setup.markets[symbol], markets[number], sum(lengths[:number])
        skipped = int(tapes[number].open_ms.searchsorted(to_millis(setup.start))) if setup.start else 0
        row["first"] = row["row"] = begin + skipped
        row["end"] = begin + lengths[number]
        row["span"] = setup.candles[symbol].timeframe.millis
        row["begins"] = _begins(tapes[number].open_ms[skipped:], int(row["span"]))
        row["tick"], row["grain"] = (1.0, 1.0) if bare else (float(market.tick), float(market.tick * market.lot))
        row["least"] = float(market.min_notional)
        row["coin"] = coins.index(market.base)
        row["sector"] = sectors.index(sector) if (sector := limits.sector_of(market.base)) else -1
    return markets


def _reach(markets: Table, open_ms: Millis) -> tuple[int, int]:
    """When the first traded candle opens, and the last one closes."""
    traded = [each for each in markets if each["first"] < each["end"]]
    if not traded:
        raise _nothing_to_trade()
    return (
        min(int(open_ms[each["first"]]) for each in traded),
        max(int(open_ms[each["end"] - 1] + each["span"]) for each in traded),
    )


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


def _begins(open_ms: Millis, span: int) -> int:
    """When the first candle opens, where each of them opens as the one before it ends; else below 0."""
    is_whole = len(open_ms) > 0 and bool((np.diff(open_ms) == span).all())
    return int(open_ms[0]) if is_whole else -1


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


def _joined(columns: Sequence[NDArray[Number]]) -> NDArray[Number]:
    """Columns one after another; a single one is not copied."""
    return _frozen(columns[0] if len(columns) == 1 else np.concatenate(columns))


def _frozen(column: NDArray[Number]) -> NDArray[Number]:
    """The same, read-only: numba would compile anew for one that is not."""
    view = np.ascontiguousarray(column).view()
    view.setflags(write=False)
    return view
