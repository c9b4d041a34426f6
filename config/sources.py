"""What a source of settings says, and where; pydantic-settings lays the sources over each other.

The environment, ``.env`` and files of secrets have a name for each setting, and each of those is a source. Texts are
taken as they stand: ``.env`` expands no ``$``, because secrets may contain it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic_settings import InitSettingsSource

from config.naming import DEFAULT, KeyPath, did_you_mean, place, problem_line, undotted
from config.settings import Settings
from config.shape import MOVED, PREFIX, SEPARATOR, is_structured, leaves, path_of, variable


@dataclass(kw_only=True, slots=True)
class Source:
    """One file, one variable or the command line.

    Attributes:
        values: What it says: plain mappings, lists and values.
        places: Where each of them is written, by path.
        problems: What is wrong with it, as people read it.
        readable: Whether it could be read; else no verdict on the values is possible.
    """

    values: dict[str, Any] = field(default_factory=dict)
    places: Mapping[KeyPath, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    readable: bool = True

    @classmethod
    def at(cls, place: str, values: dict[str, Any]) -> Source:
        """One that is written in a single place."""
        paths = {path[:depth] for path, _ in flat(values) for depth in range(1, len(path) + 1)}
        return cls(values=values, places=dict.fromkeys(paths, place))

    @classmethod
    def wrong(cls, place: str, path: KeyPath, message: str, *, readable: bool = True) -> Source:
        """One that says nothing, for something is wrong with it."""
        return cls(problems=[problem_line(place, path, message)], readable=readable)

    def take(self, name: str) -> tuple[str, str] | None:
        """Take out what names something else to read, with its place; ``None`` where nothing does."""
        value = self.values.pop(name, None)
        return None if value is None else (str(value), self.places[name,])

    def without(self, names: set[str]) -> InitSettingsSource:
        """What it says for pydantic-settings, but for some sections."""
        return InitSettingsSource(Settings, {name: said for name, said in self.values.items() if name not in names})


def environment(environ: Mapping[str, str]) -> list[Source]:
    """Every ``BOT_`` variable of an environment."""
    return _variables((name, text, place("environment", name=name)) for name, text in environ.items())


def dotenv(file: Path, shown: str) -> list[Source]:
    """Every ``BOT_`` line of a ``.env`` file, as people know it; one that does not exist says nothing."""
    said, wrong = [], []
    try:
        bindings = list(parse_stream(io.StringIO(read_text(file)))) if file.exists() else []
    except ValueError as error:
        return [Source.wrong(shown, (), str(error))]
    for each in bindings:
        name, text = each.key or "", each.original.string
        # The parser counts from the blank lines before it.
        line = each.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        if each.error or (each.value is None and name.startswith(PREFIX)):
            wrong.append(Source.wrong(place(shown, line), (), "this line is not NAME=value"))
        said.append((name, each.value or "", place(shown, line, name)))
    return [*_variables(said), *reversed(wrong)]


def secret_files(folder: Path, shown: str) -> list[Source]:
    """Every file of a folder that is named as a setting, such as ``bot_telegram__token``; others are somebody else's.

    What Docker and Kubernetes mount, links and modes included, is taken as it is.

    Raises:
        OSError: The folder cannot be read.
    """
    said, wrong = [], []
    for file in ours(folder):
        at = place(shown, name=file.name)
        try:
            said.append((PREFIX + file.name[len(PREFIX) :], read_text(file), at))
        except ValueError as error:
            wrong.append(Source.wrong(at, (), str(error)))
    return [*_variables(said), *wrong]


def ours(folder: Path) -> list[Path]:
    """The files of a folder that are named as settings are.

    Raises:
        OSError: The folder cannot be read.
    """
    return sorted(file for file in folder.iterdir() if file.name.upper().startswith(PREFIX))


def read_text(file: Path) -> str:
    """What stands in a text file.

    Raises:
        ValueError: It cannot be read; with what people read about it.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("this is not a UTF-8 text file") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def flat(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every single value in nested mappings and lists with its path; empty ones count as values."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in within:
        yield from flat(each, (*path, name))
    if not within:
        yield path, value


def find(sources: Sequence[Source], path: KeyPath) -> tuple[KeyPath, str]:
    """Follow a path as far as any source leads, and say how far that was and where the value there is written.

    Mappings merge; of a list the strongest source says all.

    Args:
        sources: The strongest first.
        path: The names that lead to a value.
    """
    named = tuple(takewhile(lambda name: isinstance(name, str), path))
    for depth in range(len(named), 0, -1):
        for source in sources:
            if named[:depth] in source.places:
                while path not in source.places:
                    path = path[:-1]
                return path, source.places[path]
    return (), DEFAULT


def places(sources: Sequence[Source], path: KeyPath, other: str = "") -> str:
    """Where a setting was written, or the section it would stand in; both places where a rule is about two settings.

    Args:
        sources: The strongest first.
        path: The setting's.
        other: The second one's key; empty where there is none.
    """
    found = (find(sources, each)[1] for each in (path, *([undotted(other)] if other else [])))
    return " and ".join(dict.fromkeys(found))


def _variables(said: Iterable[tuple[str, str, str]]) -> list[Source]:
    """A source for each of our variables that is not empty, given name, text and place.

    Of two with one name the later says it; single settings are over their sections.
    """
    used = [(name, text.strip(), at) for name, text, at in said if name.startswith(PREFIX) and text.strip()]
    return [_variable(*each) for each in sorted(used, key=lambda each: each[0].count(SEPARATOR))][::-1]


def _variable(name: str, text: str, at: str) -> Source:
    path, old = path_of(name), tuple(name.removeprefix(PREFIX).lower().split(SEPARATOR))
    if old in MOVED:
        return Source.wrong(at, old, MOVED[old])
    if path is None:
        return Source.wrong(at, (), f"there is no such setting{did_you_mean(name, map(variable, leaves()))}")
    try:
        value: Any = json.loads(text) if is_structured(path) else None if text == "null" else text
    except (ValueError, RecursionError):
        return Source.wrong(at, path, "is not valid JSON, which a list or a mapping must be here")
    return Source.at(at, reduce(lambda inner, each: {each: inner}, reversed(path), value))
