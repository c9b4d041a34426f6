"""What one source of settings says, and where; pydantic-settings lays the sources over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from pydantic_settings import InitSettingsSource

from config.places import DEFAULT, KeyPath
from config.settings import Settings


class Source(InitSettingsSource):
    """One file, the environment or the command line.

    Attributes:
        values: What it says: plain mappings, lists and values.
        places: Where each of them is written, by path.
        problems: What is wrong with it, as people read it.
        readable: Whether it could be read; else no verdict on the values is possible.
    """

    def __init__(
        self,
        values: dict[str, Any],
        places: Mapping[KeyPath, str],
        problems: Sequence[str] = (),
        *,
        readable: bool = True,
    ) -> None:
        """See the attributes."""
        super().__init__(Settings, values)
        self.values, self.places, self.problems, self.readable = values, places, problems, readable

    def take(self, name: str) -> tuple[str, str] | None:
        """Take out what names something else to read, with its place; ``None`` where nothing does."""
        value = self.values.pop(name, None)
        return None if value is None else (str(value), self.places[name,])

    def without(self, names: set[str]) -> InitSettingsSource:
        """The same without some sections."""
        return InitSettingsSource(Settings, {name: said for name, said in self.values.items() if name not in names})


def everywhere(value: Any, place: str, path: KeyPath = ()) -> dict[KeyPath, str]:
    """One place for a value and all that is in it."""
    within = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    places = {path: place}
    for name, child in within:
        places |= everywhere(child, place, (*path, name))
    return places


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
