"""Domain objects to JSON and back, exactly."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer
from pydantic_core.core_schema import plain_serializer_function_ser_schema, str_schema

from engine.domain.figures import plain

T = TypeVar("T")

_PLAIN = plain_serializer_function_ser_schema(plain, return_schema=str_schema(), when_used="json")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def _writer(kind: Any) -> SchemaSerializer:
    return SchemaSerializer(_with_plain_decimals(_adapter(kind).core_schema))


def _with_plain_decimals(schema: Any) -> Any:
    """The same schema, its decimals written in plain digits: pydantic would write an exponent, ``0E-8`` for nothing."""
    match schema:
        case dict():
            same = {name: _with_plain_decimals(each) for name, each in schema.items()}
            return same | {"serialization": _PLAIN} if schema.get("type") == "decimal" else same
        case list():
            return [_with_plain_decimals(each) for each in schema]
        case tuple():
            return tuple(map(_with_plain_decimals, schema))
        case _:
            return schema


def dump(value: Any, indent: int | None = None) -> str:
    """Write a domain object as JSON: decimals as text in plain digits, times as text, enums by value."""
    return _writer(cast("Hashable", type(value))).to_json(value, indent=indent).decode()


def dump_as(kind: Any, value: Any) -> str:
    """Write what has no class of its own, such as a tuple of domain objects, as JSON."""
    return _writer(kind).to_json(value).decode()


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
