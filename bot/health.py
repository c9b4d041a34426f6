"""How each part of the program is, as the parts themselves tell it."""

from __future__ import annotations

from collections.abc import Callable

from engine.domain.reports import Part


class Health:
    """A small board: every part has a line on it; an empty text means that it is well."""

    def __init__(self) -> None:
        self._lines: dict[str, Callable[[], str]] = {}
        self._said: dict[str, str] = {}

    def watch(self, name: str, ask: Callable[[], str]) -> None:
        """Ask a part each time; it answers ``ok`` or what is wrong."""
        self._lines[name] = ask

    def teller(self, name: str) -> Callable[[str], None]:
        """A line that a part writes itself; an empty text when all is well again."""
        self._said.setdefault(name, "")
        self._lines[name] = lambda: self._said[name] or "ok"

        def tell(text: str) -> None:
            self._said[name] = text

        return tell

    def parts(self) -> tuple[Part, ...]:
        """Every part as it is now."""
        answers = {name: ask() for name, ask in self._lines.items()}
        return tuple(Part(name=name, ok=answer == "ok", detail=answer) for name, answer in answers.items())
