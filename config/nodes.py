"""Values that remember where they were written: what every source of configuration is read into."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KeyPath = tuple[str | int, ...]
"""The names, and the numbers in lists, that lead to a value."""

_SPEAKABLE = re.compile(r"(?=(?:\D*\d){0,3}\D*$)[A-Za-z0-9_./ -]{1,40}")
"""Names of settings have few digits and are short; tokens have many and are long."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written.

    Attributes:
        source: A file as people know it, or ``command line``, or ``environment``.
        line: Counted from 1; 0 where lines mean nothing.
        variable: The environment variable, where it was one.
    """

    source: str
    line: int = 0
    variable: str = ""

    def __str__(self) -> str:
        text = f"{self.source}, line {self.line}" if self.line else self.source
        return f"{text} ({self.variable})" if self.variable else text


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. Mappings hold nodes by name, lists are tuples of nodes, the rest is plain."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration."""

    key: str
    message: str
    place: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.message) if part)


def grow(value: Any, place: Place) -> Node:
    """Turn plain mappings, lists and values into nodes that all have one place."""
    match value:
        case Mapping():
            return Node({str(name): grow(child, place) for name, child in value.items()}, place)
        case list() | tuple():
            return Node(tuple(grow(child, place) for child in value), place)
        case _:
            return Node(value, place)


def plant(path: KeyPath, node: Node) -> Node:
    """A mapping that holds a node at a path, and nothing else."""
    for name in reversed(path):
        node = Node({name: node}, node.place)
    return node


def merge(lower: Node, upper: Node) -> Node:
    """Lay one source over another: mappings merge, name by name; anything else replaces what was there."""
    if not isinstance(lower.value, dict) or not isinstance(upper.value, dict):
        return upper
    both = {name: merge(lower.value[name], upper.value[name]) for name in lower.value.keys() & upper.value.keys()}
    return Node({**lower.value, **upper.value, **both}, upper.place)


def plain(node: Node) -> Any:
    """The values without their places."""
    match node.value:
        case dict() as children:
            return {name: plain(child) for name, child in children.items()}
        case tuple() as children:
            return [plain(child) for child in children]
        case value:
            return value


def find(node: Node, path: KeyPath) -> tuple[KeyPath, Place]:
    """Follow a path as far as it goes, and say how far that was and where the value there was written."""
    for depth, name in enumerate(path):
        match node.value, name:
            case dict() as children, str() if name in children:
                node = children[name]
            case tuple() as children, int() if name < len(children):
                node = children[name]
            case _:
                return path[:depth], node.place
    return path, node.place


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it, e.g. ``people.0.role``."""
    return ".".join(map(speakable, path))


def speakable(name: str | int) -> str:
    """A name as it may be repeated to people; one that could be a mistyped secret may not."""
    text = str(name)
    return text if _SPEAKABLE.fullmatch(text) else "(a name that is not shown)"


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The known name that looks most like a word; ``None`` where none does."""
    by_fold = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of a sentence that offers the nearest known name; empty where none is near."""
    near = nearest(word, names)
    return f"; did you mean {near}?" if near else ""
