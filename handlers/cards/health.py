"""How the program is, and which version of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.health import Part
from engine.domain.messages import Card, Item
from handlers.cards import wording


def health(parts: Sequence[Part]) -> Card:
    """Which parts of the program are well."""
    sick = [part.name for part in parts if not part.ok]
    return Card(
        title=f"Not well: {wording.listing(sick)}" if sick else "All is well",
        items=tuple(
            Item(
                title=f"{part.name}: {'ok' if part.ok else 'NOT OK'}",
                text=part.detail if part.detail != "ok" else "",
            )
            for part in parts
        ),
    )


def version(number: str) -> Card:
    """Which version this is."""
    return Card(title=f"Greenlight {number}")
