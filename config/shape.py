"""Which settings there are, read off the models: sources are checked against it before any value is."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from config.nodes import KeyPath
from config.settings import Settings

Kind = Any
"""A type as a field declares it, without ``None`` and without annotations."""

PREFIX = "BOT_"
SEPARATOR = "__"


def kind_at(path: KeyPath) -> Kind | None:
    """The type of the setting at a path; ``None`` where there is no such setting."""
    kind: Kind = Settings
    for name in path:
        kind = _child(kind, name)
        if kind is None:
            return None
    return kind


def names_at(path: KeyPath) -> tuple[str, ...]:
    """The names that may stand in the section at a path; none where it is no section."""
    kind = kind_at(path)
    return tuple(kind.model_fields) if kind and _is_section(kind) else ()


def leaves(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all settings that are not sections, in the order of the models."""
    for name in names_at(path):
        here = (*path, name)
        if _is_section(kind_at(here)):
            yield from leaves(here)
        else:
            yield here


def is_secret(path: KeyPath) -> bool:
    """Whether the setting at a path is a secret."""
    return kind_at(path) is SecretStr


def is_mapping(path: KeyPath) -> bool:
    """Whether the setting at a path is a section or has names of the user's own."""
    kind = kind_at(path)
    return _is_section(kind) or _is_dict(kind)


def is_structured(path: KeyPath) -> bool:
    """Whether the setting at a path is a list or a mapping, which one line of text can only hold as JSON."""
    return is_mapping(path) or _is_list(kind_at(path))


def variable(path: KeyPath) -> str:
    """The environment variable of a setting, e.g. ``BOT_WEB__PORT``."""
    return PREFIX + SEPARATOR.join(str(name).upper() for name in path)


def path_of(name: str) -> tuple[str, ...] | None:
    """The setting that an environment variable names; ``None`` where there is no such setting.

    Names of settings are read in any case; names of the user's own (a currency) as they stand.
    """
    path: tuple[str, ...] = ()
    for part in name.removeprefix(PREFIX).split(SEPARATOR):
        kind = kind_at(path)
        path = (*path, part if _is_dict(kind) else part.lower())
        if not part or kind_at(path) is None:
            return None
    return path


def _child(kind: Kind, name: str | int) -> Kind | None:
    if _is_section(kind):
        field = kind.model_fields.get(name)
        return _bare(field.annotation) if field else None
    if _is_dict(kind) and isinstance(name, str):
        return _bare(get_args(kind)[1])
    if _is_list(kind) and isinstance(name, int):
        return _bare(get_args(kind)[0])
    return None


def _bare(annotation: Any) -> Kind:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _is_section(kind: Kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_dict(kind: Kind) -> bool:
    origin: Any = get_origin(kind)
    return origin is dict


def _is_list(kind: Kind) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple
