"""The commands, as ``/help`` lists them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.messages import Card, Role
from handlers.cards import wording
from handlers.cards.monospace import WIDTH, folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command in the manual: how it is written, what it does, and its other names."""

    usage: str
    does: str
    aliases: tuple[str, ...] = ()


def manual(groups: Sequence[tuple[Role, Sequence[Entry]]]) -> Card:
    """The commands by the role they need."""
    parts = (
        wording.lines(f"For {'an' if role == 'admin' else 'a'} {role}:", *map(told, entries))
        for role, entries in groups
        if entries
    )
    return Card(title="Commands", text="\n\n".join(parts))


def told(entry: Entry) -> str:
    """On one line where a phone shows that whole; else the command on a line of its own, and no line that is longer."""
    also = f"also {', '.join(f'/{alias}' for alias in entry.aliases)}" if entry.aliases else ""
    whole = f"{entry.usage}: {entry.does}"
    rows = (whole,) if len(whole) <= WIDTH else (f"{entry.usage}:", *folded(entry.does))
    return wording.lines(*rows, also)
