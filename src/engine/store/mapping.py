"""Rows to the domain's frozen objects and back: which column is which field follows from their names and types.

So a new column is a line in its table, a line in its class, and a migration.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_type_hints

from sqlalchemy import Row, Table

T = TypeVar("T")


class RowMapping(Generic[T]):
    """One class of the domain, and the table in which it is kept.

    A field is in the column of its name, an enum by its value. A field without such a column that is a frozen object
    itself is spread over the columns of its own fields; what has neither must have a default, and is not kept.

    Args:
        kind: The domain's class, a dataclass.
        table: The table.

    Raises:
        TypeError: A field has no column and no default.
    """

    def __init__(self, kind: type[T], table: Table) -> None:
        self._kind = kind
        types = get_type_hints(kind)
        own: list[Field[Any]] = [field for field in fields(kind) if field.init]  # type: ignore[arg-type]
        kept = [field.name for field in own if field.name in table.c]
        self._names = tuple(kept)
        self._enums = tuple((each, types[each]) for each in kept if _is_enum(types[each]))
        rest = [field for field in own if field.name not in table.c]
        self._parts = {
            field.name: RowMapping(types[field.name], table) for field in rest if is_dataclass(types[field.name])
        }
        lost = [field.name for field in rest if field.name not in self._parts and not _has_default(field)]
        if lost:
            raise TypeError(f"{kind.__name__} has no column in {table.name} for {', '.join(lost)}")
        self._values = attrgetter(*kept) if len(kept) > 1 else lambda row: (getattr(row, kept[0]),)

    def to_row(self, value: T) -> dict[str, Any]:
        """The columns of an object; those that are none of its fields are for the caller to add."""
        row = dict(zip(self._names, self._values(value), strict=True))
        for name, part in self._parts.items():
            row |= part.to_row(getattr(value, name))
        return row

    def from_row(self, row: Row[Any]) -> T:
        """The object that a row keeps."""
        found = dict(zip(self._names, self._values(row), strict=True))
        for name, kind in self._enums:
            found[name] = kind(found[name])
        for name, part in self._parts.items():
            found[name] = part.from_row(row)
        return self._kind(**found)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
