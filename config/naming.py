"""How people are told where a setting was written, and which one they may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""The names, and the numbers in lists, that lead to a value."""
COMMAND_LINE = "command line"
DEFAULT = "default"
"""The place of what nobody wrote."""

_SPEAKABLE = re.compile(r"(?=(?:\D*\d){0,3}\D*$)[A-Za-z0-9_./ -]{1,40}")
"""Names of settings have few digits and are short; tokens have many and are long."""


def place(source: str, line: int = 0, name: str = "") -> str:
    """Where something was written: a file, its line where it has some, and the variable, where it was one."""
    return source + (f", line {line}" if line else "") + (f" ({speakable(name)})" if name else "")


def problem_line(place: str, path: Iterable[str | int], message: str) -> str:
    """One thing that is wrong, as people read it."""
    return ": ".join(part for part in (place, dotted(path), message) if part)


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it, e.g. ``people.0.role``."""
    return ".".join(map(speakable, path))


def undotted(key: str) -> KeyPath:
    """The path of a dotted key."""
    return tuple(int(part) if part.isdecimal() else part for part in key.split("."))


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
