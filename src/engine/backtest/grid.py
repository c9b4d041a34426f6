"""What a sweep varies: parameters with the values of each, and all combinations of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from engine.domain.errors import BadInput

Params = Mapping[str, Any]
"""The values of some parameters, by their names."""
_MOST = 1_000_000
_RANGE = (2, 3)
"""How many parts a range has: from, to and perhaps the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A parameter and the values that are tried of it, in their order."""

    name: str
    values: tuple[Any, ...]

    @property
    def is_ordered(self) -> bool:
        """Whether the values are numbers that rise: what is near to a good one may be good."""
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in self.values)
        return numbers and list(self.values) == sorted(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """All combinations of the values of some axes."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def combinations(self) -> Iterator[Params]:
        """All of them; the last axis goes round first."""
        names = [axis.name for axis in self.axes]
        return (dict(zip(names, values, strict=True)) for values in product(*(axis.values for axis in self.axes)))

    def values(self) -> dict[str, tuple[Any, ...]]:
        """The values of each axis, by its name."""
        return {axis.name: axis.values for axis in self.axes}


def grid_of(texts: Sequence[str], value_of: Callable[[str], Any], *, most: int = _MOST) -> Grid:
    """The grid that people write: ``fast=10:50:5`` from 10 to 50 in steps of 5, ``slow=60,90,120`` these values.

    Args:
        texts: One for each parameter.
        value_of: Reads a single value.
        most: How many combinations there may be.

    Raises:
        BadInput: There is none, one cannot be read, or there are too many combinations.
    """
    if not texts:
        raise BadInput("Nothing is varied.", "Say what, and in which values: --grid fast=10:50:5 --grid slow=60,90.")
    axes = tuple(_axis(text, value_of) for text in texts)
    twice = {axis.name for axis in axes if sum(axis.name == each.name for each in axes) > 1}
    if twice:
        raise BadInput(f"--grid {min(twice)} is there twice.", "Write all its values together.")
    grid = Grid(axes=axes)
    if len(grid) > most:
        raise BadInput(f"That is {len(grid):,} combinations.", f"Vary less, at most {most:,}, or choose by --trials N.")
    return grid


def _axis(text: str, value_of: Callable[[str], Any]) -> Axis:
    name, given, said = text.partition("=")
    if not name.strip() or not given or not said.strip():
        raise BadInput(f"--grid {text} gives no values.", "Write it like fast=10:50:5 or slow=60,90,120.")
    parts = said.split(":")
    if len(parts) in _RANGE:
        values = tuple(_numbers(text, parts))
    else:
        values = tuple(dict.fromkeys(value_of(each.strip()) for each in said.split(",") if each.strip()))
    return Axis(name=name.strip(), values=values)


def _numbers(text: str, parts: Sequence[str]) -> list[int | float]:
    """From the first to the last one, which is there where a step ends on it; whole ones stay whole."""
    try:
        first, last, step = (Decimal(each) for each in (*parts, "1")[:3])
        count = int((last - first) / step) if step > 0 else -1
    except (InvalidOperation, OverflowError, ValueError):
        count = -1
    if count < 0:
        raise BadInput(f"--grid {text} is no range.", "Write it like fast=10:50:5, from the lowest to the highest.")
    if count >= _MOST:
        raise BadInput(f"--grid {text} has {count + 1:,} values.", "Take larger steps.")
    found = [first + step * number for number in range(count + 1)]
    return [int(each) if first == int(first) and step == int(step) else float(each) for each in found]
