"""Round numbers and times for axes, and room for labels. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WITH_YEAR = timedelta(days=300)
"""From this length on a time is not clear without its year."""
_EM = 0.66
"""How wide a letter is at most on average, in font sizes: that of the widest usual font."""


def ticks(low: float, high: float, most: int) -> tuple[tuple[float, str], ...]:
    """At most so many round numbers within two others, each as text with the decimals that tell them apart.

    ``60,000`` and ``60,500``; ``0.00000080`` and ``0.00000085``. None where the two are no numbers or the same.
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return ()
    power = math.floor(math.log10(span / most))
    step = next(size for each in _STEPS if span / (size := each * 10.0**power) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    found = [number * step for number in range(first, last + 1)][: most + 1]
    decimals = _decimals(step, power)
    return tuple((value, f"{value + 0.0:,.{decimals}f}") for value in found)


def _decimals(step: float, power: int) -> int:
    """How many decimals a step has; a half one more than its power."""
    mantissa = step / 10.0**power
    return max(0, -power + (1 if abs(mantissa - 2.5) < 1e-9 else -1 if abs(mantissa - 10) < 1e-9 else 0))  # noqa: PLR2004


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Middles for labels of some heights: none over another, in their order, each near where it is wanted.

    Those that would overlap are stacked around their mean. They stay within the limits as long as all have room.
    """
    stacks = list[list[int]]()
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        stacks.append([index])
        while len(stacks) > 1 and _top(stacks[-1], wanted, heights, low, high) < _bottom(
            stacks[-2], wanted, heights, low, high
        ):
            last = stacks.pop()
            stacks[-1] += last
    found = [0.0] * len(wanted)
    for stack in stacks:
        at = _top(stack, wanted, heights, low, high)
        for index in stack:
            found[index] = at + heights[index] / 2
            at += heights[index]
    return found


def _top(stack: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> float:
    """Where a stack of labels begins, so that on the whole they are nearest to where they are wanted."""
    above, total = 0.0, 0.0
    for index in stack:
        total += wanted[index] - above - heights[index] / 2
        above += heights[index]
    return max(low, min(total / len(stack), high - above))


def _bottom(stack: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> float:
    return _top(stack, wanted, heights, low, high) + sum(heights[index] for index in stack)


def moment(at: datetime, span: timedelta, zone: ZoneInfo) -> str:
    """A time on an axis of some length by a zone's clock: ``3 Jan 14:00``, or ``3 Jan 2026`` on one of a year.

    In the hour that the clocks show twice with the name of what they go by: ``25 Oct 02:30 CEST``.
    """
    there = at.astimezone(zone)
    day = f"{there.day} {_MONTHS[there.month - 1]}"
    if span >= _WITH_YEAR:
        return f"{day} {there.year}"
    twice = there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset()
    return f"{day} {there:%H:%M %Z}" if twice else f"{day} {there:%H:%M}"


def width_of(text: str, size: float) -> float:
    """About how wide a text is, rather more than less."""
    return len(text) * size * _EM
