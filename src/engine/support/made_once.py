"""A property that is made once: ``functools.cached_property`` takes a lock for it up to Python 3.11, at each one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class made_once(Generic[T]):  # noqa: N801 - reads as the decorator it is
    """A part of an object of one thread: made when it is first asked for, and kept in the object under its name.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, owner: Any, _: type | None = None) -> T:
        if owner is None:
            raise AttributeError(self._name)
        found = owner.__dict__[self._name] = self._make(owner)
        return found
