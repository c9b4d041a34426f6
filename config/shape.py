"""Which settings there are, read off the models: sources are checked against it before any value is."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from config.places import KeyPath
from config.settings import Settings

MOVED: dict[KeyPath, str] = {
    ("market", "exchange"): "the name in exchanges, e.g. exchanges: {binance: {}}",
    ("market", "api_url"): "exchanges.NAME.api_url",
    ("market", "poll_every"): "exchanges.NAME.poll_every",
    ("market", "answer_within"): "exchanges.NAME.answer_within",
    ("venue", "orders"): "exchanges.NAME.orders",
}
"""Settings of earlier versions, and what they are now."""
RENAMED = {("cards", "questions"): "approvals"}
"""Words of earlier versions, each with the setting in which it was written, and what they are now."""
PREFIX = "BOT_"
SEPARATOR = "__"
_IN_SMALL_LETTERS = [("exchanges",)]
"""Mappings whose names are ids."""


def kind_at(path: KeyPath) -> Any:
    """The type of the setting at a path, without ``None`` and annotations; ``None`` where there is no such setting."""
    kind: Any = Settings
    for name in path:
        origin, inner = get_origin(kind), get_args(kind)
        if names := _names(kind):
            kind = _bare(names[name].annotation) if name in names else None
        elif (origin is dict and isinstance(name, str)) or (origin is tuple and isinstance(name, int)):
            kind = _bare(inner[origin is dict])
        else:
            return None
    return kind


def names_at(path: KeyPath) -> tuple[str, ...]:
    """The names that may stand in the section at a path; none where it is no section."""
    return tuple(_names(kind_at(path)))


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


def may_be_null(path: KeyPath) -> bool:
    """Whether the setting at a path may be none at all."""
    field = _names(kind_at(path[:-1])).get(str(path[-1]))
    return field is not None and NoneType in get_args(field.annotation)


def moved(path: KeyPath) -> str:
    """What a setting of an earlier version is now; empty for any other."""
    now = MOVED.get(path, "")
    return f"is now {now}" if now else ""


def renamed(path: KeyPath, word: object) -> str:
    """What a word in a setting is called now; empty for any that has not been renamed."""
    setting = next((name for name in reversed(path) if isinstance(name, str)), "")
    now = RENAMED.get((setting, word), "") if isinstance(word, str) else ""
    return f"{word} is now {now}" if now else ""


def variable(path: KeyPath) -> str:
    """The environment variable of a setting, e.g. ``BOT_WEB__PORT``."""
    return PREFIX + SEPARATOR.join(str(name).upper() for name in path)


def path_of(name: str) -> tuple[str, ...] | None:
    """The setting that an environment variable names; ``None`` where there is no such setting.

    Names of settings and of venues are read in any case; names of the user's own (a currency) as they stand.
    """
    path: tuple[str, ...] = ()
    for part in name.removeprefix(PREFIX).split(SEPARATOR):
        path = (*path, part.lower() if names_at(path) or path in _IN_SMALL_LETTERS else part)
    return path if path[-1] and kind_at(path) is not None else None


def _names(kind: Any) -> dict[str, Any]:
    """The fields of a section by name; of anything else none."""
    return dict(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else {}


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    members = [member for member in get_args(annotation) if member is not NoneType]
    optional = get_origin(annotation) in (Union, UnionType) and len(members) == 1
    return _bare(members[0]) if optional else annotation
