"""Rows to the domain's frozen objects and back: which column is which field follows from their names and types.

So a new column is a line in its table, a line in its class, and a migration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from operator import attrgetter
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy import Row, Table

T = TypeVar("T")


class RowMapping(Generic[T]):
    """One class of the domain, and the table in which it is kept.

    A field is in the column of its name, an enum by its value. A field without such a column that is a frozen object
    itself, or ``None``, is spread over the columns of its own fields, with its name before theirs where the table has
    them so (``fee_amount``); what has neither must have a default, and is not kept.

    Args:
        kind: The domain's class, a dataclass.
        table: The table.
        prefix: What stands before the names of its columns.

    Raises:
        TypeError: A field has no column and no default.
    """

    def __init__(self, kind: type[T], table: Table, prefix: str = "") -> None:
        self._kind = kind
        types = {name: _bare(found) for name, found in get_type_hints(kind).items()}
        own: list[Field[Any]] = [field for field in fields(kind) if field.init]  # type: ignore[arg-type]
        kept = [field.name for field in own if prefix + field.name in table.c]
        self._fields = tuple(kept)
        self._columns = tuple(prefix + name for name in kept)
        self._enums = tuple((each, types[each]) for each in kept if _is_enum(types[each]))
        rest = [field for field in own if field.name not in kept]
        self._parts = {
            field.name: RowMapping(types[field.name], table, _prefix(field.name, types[field.name], table))
            for field in rest
            if is_dataclass(types[field.name])
        }
        lost = [field.name for field in rest if field.name not in self._parts and not _has_default(field)]
        if lost:
            raise TypeError(f"{kind.__name__} has no column in {table.name} for {', '.join(lost)}")
        self._of_object = _getter(self._fields)
        self._of_row = _getter(self._columns)

    def to_row(self, value: T | None) -> dict[str, Any]:
        """The columns of an object; those that are none of its fields are for the caller to add."""
        row = dict.fromkeys(self._columns) if value is None else self._own(value)
        for name, part in self._parts.items():
            row |= part.to_row(None if value is None else getattr(value, name))
        return row

    def _own(self, value: T) -> dict[str, Any]:
        return dict(zip(self._columns, self._of_object(value), strict=True))

    def from_row(self, row: Row[Any]) -> T:
        """The object that a row keeps."""
        found = dict(zip(self._fields, self._of_row(row), strict=True))
        for name, kind in self._enums:
            found[name] = kind(found[name])
        for name, part in self._parts.items():
            found[name] = part.found_in(row)
        return self._kind(**found)

    def found_in(self, row: Row[Any]) -> T | None:
        """The object that a row keeps; ``None`` where all of its columns are empty."""
        return None if all(each is None for each in self._of_row(row)) else self.from_row(row)


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*names) if len(names) > 1 else lambda each: (getattr(each, names[0]),)


def _prefix(name: str, kind: Any, table: Table) -> str:
    """What stands before the columns of a part: its name, where the table has them so."""
    return f"{name}_" if all(f"{name}_{field.name}" in table.c for field in fields(kind)) else ""


def _bare(kind: Any) -> Any:
    """A type without its ``None``."""
    others = [each for each in get_args(kind) if each is not type(None)]
    return others[0] if len(others) == 1 and get_origin(kind) in (Union, UnionType) else kind


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
