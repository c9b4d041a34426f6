"""A strategy over candles that are known already: rows to come are reckoned together, and told one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from engine.domain.columns import SignalColumns, TechnicalSeries
from engine.domain.decisions import Exit, Frame, Signals
from engine.domain.market import Timeframe
from engine.domain.positions import Position
from engine.ports import Frames
from engine.strategies.base import Said, StrategyBase
from engine.strategies.context import StrategyContexts
from engine.strategies.sight import Sight

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS = 64
"""How many rows are reckoned at a time: few enough that what is made row by row holds nothing up, nor much memory."""


class ReadingAhead:
    """Says what its strategy says. Columns are causal: rows that are made ahead change nothing but how long it takes.

    For a replay, where the candles to come lie in the same series; where they do not, each row is made when it is due.

    Args:
        strategy: What speaks.
        rows: How many rows are reckoned at a time.
    """

    def __init__(self, strategy: StrategyBase, rows: int = ROWS) -> None:
        self._strategy = strategy
        self._rows = rows
        self._blocks: dict[str, _Block] = {}

    @property
    def name(self) -> str:
        """The strategy's."""
        return self._strategy.name

    @property
    def warmup(self) -> int:
        """The strategy's."""
        return self._strategy.warmup

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The strategy's."""
        return self._strategy.timeframes

    @property
    def reads_predictions(self) -> bool:
        """The strategy's."""
        return self._strategy.reads_predictions

    @property
    def history(self) -> int:
        """The strategy's."""
        return self._strategy.history

    def columns(self, frames: Frames) -> SignalColumns:
        """See ``Strategy``."""
        return self._strategy.columns(frames)

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        """See ``Strategy``."""
        return self._strategy.update_positions(held, frames)

    def generate_signals(self, frames: Frames) -> Signals:
        """See ``Strategy``."""
        block, row = self._found(frames)
        return self._strategy.generate_signals(frames) if row is None else block.said.signals(row)

    def silent(self, frames: Frames, *, held: bool) -> int:
        """For how many closes it enters nothing: this one, and those that follow it in the same series.

        Args:
            frames: What is seen at this one.
            held: Whether it must not want to leave either.

        Returns:
            As far as it is known; 0 where it speaks now.
        """
        block, row = self._found(frames)
        if row is None:
            return 0
        said = block.said.columns
        speaks = said.entry[row:] | said.exit[row:] if held else said.entry[row:]
        return int(speaks.argmax()) if speaks.any() else len(speaks)

    def longest(self, position: Position) -> datetime | None:
        """When it leaves a position because it was held for so long; ``None`` for never."""
        candles = self._strategy.max_candles
        return None if candles is None else position.opened_at + candles * self._strategy.timeframe.duration

    def _found(self, frames: Frames) -> tuple[_Block, int | None]:
        """What was said of these frames, and at which row; no row where they have to be read by themselves."""
        symbol = self._strategy.own(frames).candles.symbol
        block = self._blocks.get(symbol)
        if block is None or (row := block.row_of(frames)) is None:
            block = self._blocks[symbol] = self._look_ahead(frames)
            row = block.row_of(frames)
        return block, row

    def _look_ahead(self, frames: Frames) -> _Block:
        own, strategy = self._strategy.own(frames), self._strategy
        looks_back = own.columns.count if strategy.looks_back is None else strategy.looks_back
        since = max(0, own.columns.count - looks_back)
        until = own.columns.newest + (self._rows if strategy.looks_back is not None else 0)
        further = {
            timeframe: _further(frames[timeframe], (until - own.columns.newest) // ratio + 1)
            for timeframe in strategy.timeframes
            if (ratio := timeframe.duration // strategy.timeframe.duration) and timeframe in frames
        }
        sight = Sight(frames=further, timeframe=strategy.timeframe, since=since)
        return _Block(
            timeframe=strategy.timeframe,
            series={
                timeframe: further[timeframe].columns.series if timeframe in further else None
                for timeframe in strategy.timeframes
            },
            start=own.columns.start,
            since=own.columns.start + since,
            first=own.columns.newest,
            warmup=strategy.warmup,
            newest={timeframe: sight.closed(timeframe) + frame.columns.start for timeframe, frame in further.items()},
            said=strategy.say(sight),
        )


def read_ahead(contexts: StrategyContexts, rows: int = ROWS) -> StrategyContexts:
    """The same contexts, each strategy of the house reading so many rows ahead: their columns are shown to be causal.

    One of somebody's own is guarded (``GuardedStrategy``) and stays as it is: it sees what live would see. So does one
    that reads predictions: those of rows to come are not made yet.
    """
    return StrategyContexts(
        contexts=tuple(
            replace(context, strategy=ReadingAhead(context.strategy, rows))
            if isinstance(context.strategy, StrategyBase) and not context.strategy.reads_predictions
            else context
            for context in contexts
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """What was said of some rows of a series, and of which series it was said."""

    timeframe: Timeframe
    series: Mapping[Timeframe, TechnicalSeries | None]
    start: int
    since: int
    first: int
    warmup: int
    newest: Mapping[Timeframe, NDArray[np.int64]]
    said: Said

    def row_of(self, frames: Frames) -> int | None:
        """The row that is the newest of some frames; ``None`` where it was said of others, or not at all."""
        own = frames[self.timeframe].columns
        row = own.newest - self.since
        if own.newest < self.first or row >= len(self.said.columns):
            return None
        if own.start != self.start and own.count < self.warmup:  # it may be warm here, and not there
            return None
        for timeframe, series in self.series.items():
            frame = frames.get(timeframe)
            if (frame.columns.series if frame is not None else None) is not series:
                return None
            if frame is not None and frame.columns.newest != self.newest[timeframe][row]:
                return None
        return row


def _further(frame: Frame, rows: int) -> Frame:
    """The same with up to so many rows more, as far as its series goes on."""
    columns = frame.columns
    if columns.series is None:
        return frame
    stop = min(columns.newest + 1 + rows, len(columns.series.candles))
    return replace(
        frame, candles=columns.series.candles.cut(columns.start, stop), columns=columns.series.part(columns.start, stop)
    )
