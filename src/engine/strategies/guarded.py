"""A strategy of somebody's own: it speaks for itself, and what goes wrong in it is told with its file and line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from engine.domain.columns import SignalColumns
from engine.domain.decisions import Exit, Signals
from engine.domain.errors import DataError, GreenlightError, StrategyError
from engine.domain.market import Timeframe
from engine.domain.positions import Position
from engine.ports import Frames
from engine.strategies.base import StrategyBase

OWN_MODULE = "strategy_"
"""What the names of modules begin with that are files of somebody's own: no other process can import them."""
_RETURNS = "What its methods give must have a value for each candle in sight."
_COLUMNS = ("entry", "exit", "stop_distance", "target_distance")


class GuardedStrategy:
    """Says what its strategy says; an error in it is a ``StrategyError``, whatever it was.

    It is never read ahead (see ``reading_ahead``): in a replay it sees what live would see, even if it peeks.

    Args:
        strategy: What speaks.
        file: Where its source is, as tracebacks name it.
        shown: Where its source is, as people know it.
    """

    def __init__(self, strategy: StrategyBase, *, file: str, shown: str) -> None:
        self.strategy = strategy
        self._file = file
        self.shown = shown

    @property
    def name(self) -> str:
        """The strategy's."""
        return self.strategy.name

    @property
    def warmup(self) -> int:
        """The strategy's."""
        with self._guarded():
            return self.strategy.warmup

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The strategy's."""
        return self.strategy.timeframes

    @property
    def reads_predictions(self) -> bool:
        """The strategy's."""
        return self.strategy.reads_predictions

    @property
    def history(self) -> int:
        """The strategy's."""
        with self._guarded():
            return self.strategy.history

    def columns(self, frames: Frames) -> SignalColumns:
        """See ``Strategy``.

        Raises:
            StrategyError: It failed.
        """
        with self._guarded():
            return self._whole(self.strategy.columns(frames), len(frames[self.strategy.timeframe].candles))

    def generate_signals(self, frames: Frames) -> Signals:
        """See ``Strategy``.

        Raises:
            StrategyError: It failed.
        """
        with self._guarded():
            return self.strategy.generate_signals(frames)

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        """See ``Strategy``.

        Raises:
            StrategyError: It failed.
        """
        with self._guarded():
            return self.strategy.update_positions(held, frames)

    def _whole(self, said: SignalColumns, count: int) -> SignalColumns:
        """The same, as a compiled loop takes it: a row for each candle, of yes and no or of numbers.

        Its conditions are read here, whoever asks for them: what fails in them is told with its line.
        """
        read = said.read_conditions()
        conditions = replace(read, holds=np.asarray(read.holds, dtype=np.bool_))
        whole = replace(
            said,
            entry=np.asarray(said.entry, dtype=np.bool_),
            exit=np.asarray(said.exit, dtype=np.bool_),
            read_conditions=lambda: conditions,
            stop_distance=np.asarray(said.stop_distance, dtype=np.float64),
            target_distance=np.asarray(said.target_distance, dtype=np.float64),
        )
        shapes = {name: getattr(whole, name).shape for name in _COLUMNS} | {"conditions": conditions.holds.shape[:1]}
        for name, shape in shapes.items():
            if shape != (count,):
                raise ValueError(f"{name} has {shape[0] if shape else 'no'} rows, and there are {count} candles")
        return whole

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What is not known yet is no number: to divide by it is no mistake."""
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                yield
        except DataError:
            raise
        except (Exception, SystemExit) as error:
            raise failure(error, f"The strategy {self.strategy.name} failed", self._file, self.shown) from error


def failure(error: BaseException, what: str, file: str, shown: str) -> StrategyError:
    """What went wrong in somebody's file, with the line of it that was being carried out."""
    line = line_of(error, file)
    said = error.message if isinstance(error, GreenlightError) else f"{type(error).__name__}: {error}".rstrip(": ")
    where = shown + (f", line {line}" if line else "")
    return StrategyError(f"{what}: {where}: {said.rstrip('.')}.", "" if line else _RETURNS)


def line_of(error: BaseException, file: str) -> int | None:
    """The line of a file that was being carried out when an error was raised; ``None`` where none was."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    return lines[-1] if lines else None
