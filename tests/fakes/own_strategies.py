"""Strategies of somebody's own, as they are written by a newcomer: a good one, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

from bot.strategies.new import NewStrategy
from bot.strategies.own import guarded, own_kind
from engine.strategies.guarded import GuardedStrategy

NAME = "breakout"
KIND = "Breakout"


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The file of the strategy that ``bot strategy new`` writes, with parts replaced."""
    new = NewStrategy.of(NAME, folder)
    if not new.file.exists():
        new.write()
    text = new.file.read_text()
    for old, changed in changes:
        assert old in text, old
        text = text.replace(old, changed)
    new.file.write_text(text)
    return new.file


def loaded(folder: Path, *changes: tuple[str, str], **params: object) -> GuardedStrategy:
    """The same, put to work."""
    return guarded(own_kind(f"{written(folder, *changes)}:{KIND}")(**params))


def with_trigger(formula: str) -> tuple[str, str]:
    """The change after which it enters where a formula of candles (a pandas frame) says so."""
    good = "        return (Sign(shows=crossed_above(above_channel, 0.0), words=lambda row: said),)"
    return (
        good,
        f"        candles = sight.frame()\n        return (Sign(shows={formula}, words=lambda row: said),)",
    )


def line_of(file: Path, text: str) -> int:
    """The line, counted from 1, in which something stands first."""
    return next(number for number, line in enumerate(file.read_text().splitlines(), start=1) if text in line)


SLOWER = """
from dataclasses import dataclass
from typing import ClassVar

from engine.strategies.base import Sign
from engine.strategies.sma_cross import SmaCross


@dataclass(frozen=True, slots=True, kw_only=True)
class Slower(SmaCross):
    name: ClassVar[str] = "slower"
    lag: int = 1

    def triggers(self, sight):
        close, before = sight.reading("close"), sight.reading(f"ma_{self.lag}")
        return (Sign(shows=close > before, words=lambda _: "above"),)
"""
