"""How each part of the program is, as the parts themselves tell it."""

from __future__ import annotations

from collections.abc import Callable

from engine.domain.halts import Halt
from engine.domain.health import STORE, Part


def _nothing() -> None:
    """There is no halt."""


class Health:
    """A small board: every part has a line on it; an empty text means that it is well."""

    def __init__(self) -> None:
        self._lines: dict[str, Callable[[], str]] = {}
        self._said: dict[str, str] = {}
        self._unwritten: Callable[[], Halt | None] = _nothing

    def watch(self, name: str, ask: Callable[[], str]) -> None:
        """Ask a part each time; it answers ``ok`` or what is wrong."""
        self._lines[name] = ask

    def watch_store(self, halt: Callable[[], Halt | None]) -> None:
        """Ask each time whether anything can be written; it answers with the halt that stands where nothing can."""
        self._unwritten = halt
        self.watch(STORE, lambda: found.reason if (found := halt()) else "ok")

    def unwritten(self) -> Halt | None:
        """The halt that stands while nothing can be written, and so is not written down."""
        return self._unwritten()

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
