"""What two runs have in common, one by one: the only way in which trades are paired here. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Each = TypeVar("Each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired(Generic[Each]):
    """Two sides: what is the same on both, and what only one of them has, each in the order of its own."""

    both: tuple[tuple[Each, Each], ...]
    only_first: tuple[Each, ...]
    only_second: tuple[Each, ...]


def paired(first: Iterable[Each], second: Iterable[Each], by: Callable[[Each], Hashable]) -> Paired[Each]:
    """Pair what is equal by something; of several that are, the first with the first."""
    others = tuple(second)
    waiting: dict[Hashable, deque[int]] = {}
    for number, each in enumerate(others):
        waiting.setdefault(by(each), deque()).append(number)
    both, alone = [], []
    for each in first:
        there = waiting.get(by(each))
        if there:
            both.append((each, others[there.popleft()]))
        else:
            alone.append(each)
    left = sorted(number for numbers in waiting.values() for number in numbers)
    return Paired(both=tuple(both), only_first=tuple(alone), only_second=tuple(others[number] for number in left))
