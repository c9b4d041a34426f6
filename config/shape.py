"""Which settings there are, read off the models: sources are checked against it before any value is."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from config.naming import KeyPath
from config.settings import Settings

MOVED: dict[KeyPath, str] = {
    ("market", "exchange"): "is now the name in exchanges, e.g. exchanges: {binance: {}}",
    ("market", "api_url"): "is now exchanges.NAME.api_url",
    ("market", "poll_every"): "is now exchanges.NAME.poll_every",
    ("market", "answer_within"): "is now exchanges.NAME.answer_within",
    ("venue", "orders"): "is now exchanges.NAME.orders",
}
"""Settings of earlier versions, and what people read about them."""
PREFIX = "BOT_"
SEPARATOR = "__"
_IN_SMALL_LETTERS = [("exchanges",), ("llm", "providers"), ("llm", "roles")]
"""Mappings whose names are ids."""


def kind_at(path: KeyPath) -> Any:
    """The type of the setting at a path, without ``None`` and annotations; ``None`` where there is no such setting."""
    kind: Any = Settings
    for name in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind.model_fields.get(str(name))
            kind = _bare(found.annotation) if found else None
        elif (get_origin(kind), type(name)) in ((dict, str), (tuple, int)):
            kind = _bare(get_args(kind)[get_origin(kind) is dict])
        else:
            return None
    return kind


def names_at(path: KeyPath) -> tuple[str, ...]:
    """The names that may stand in the section at a path; none where it is no section."""
    return tuple(getattr(kind_at(path), "model_fields", ()))


def leaves(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all settings that are not sections, in the order of the models."""
    for name in names_at(path):
        yield from leaves((*path, name)) if names_at((*path, name)) else [(*path, name)]


def is_secret(path: KeyPath) -> bool:
    """Whether the setting at a path is a secret."""
    return kind_at(path) is SecretStr


def is_mapping(path: KeyPath) -> bool:
    """Whether the setting at a path is a section or has names of the user's own."""
    return bool(names_at(path)) or get_origin(kind_at(path)) is dict


def is_structured(path: KeyPath) -> bool:
    """Whether the setting at a path is a list or a mapping, which one line of text can only hold as JSON."""
    return is_mapping(path) or get_origin(kind_at(path)) is tuple


def variable(path: KeyPath) -> str:
    """The environment variable of a setting, e.g. ``BOT_WEB__PORT``."""
    return PREFIX + SEPARATOR.join(str(name).upper() for name in path)


def path_of(name: str) -> tuple[str, ...] | None:
    """The setting that an environment variable names; ``None`` where there is no such setting.

    Names of settings, of venues and of providers are read in any case; names of the user's own (a currency) as they
    stand.
    """
    path: tuple[str, ...] = ()
    for part in name.removeprefix(PREFIX).split(SEPARATOR):
        path = (*path, part.lower() if names_at(path) or path in _IN_SMALL_LETTERS else part)
    return path if path[-1] and kind_at(path) is not None else None


def _bare(annotation: Any) -> Any:
    """A type without what is annotated and without ``None``."""
    members = [member for member in get_args(annotation) if member is not NoneType]
    is_one_or_none = get_origin(annotation) in (Union, UnionType) and len(members) == 1
    return _bare(members[0]) if is_one_or_none or get_origin(annotation) is Annotated else annotation
