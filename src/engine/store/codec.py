"""Domain objects to JSON and back, exactly."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(value: Any) -> str:
    """Write a domain object as JSON: decimals and times as text, enums by value."""
    return _adapter(cast("Hashable", type(value))).dump_json(value).decode()


def dump_as(kind: Any, value: Any) -> str:
    """Write what has no class of its own, such as a tuple of domain objects, as JSON."""
    return _adapter(kind).dump_json(value).decode()


def load_as(kind: Any, text: str) -> Any:
    """Read what was written as such.

    Raises:
        pydantic.ValidationError: The text is not one of these.
    """
    return _adapter(kind).validate_json(text)


def load(kind: type[T], text: str) -> T:
    """Read a domain object of a known class.

    Raises:
        pydantic.ValidationError: The text is not one of these.
    """
    loaded: T = _adapter(cast("Hashable", kind)).validate_json(text)
    return loaded
