"""The commands, as ``/help`` lists them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.messages import Card, Role
from handlers.cards import wording
from handlers.cards.lines import entry


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


def told(command: Entry) -> str:
    """How it is written and what it does, and below that its other names."""
    also = f"also {', '.join(f'/{alias}' for alias in command.aliases)}" if command.aliases else ""
    return wording.lines(entry(command.usage, command.does), also)
