"""The brief: everything that those who are asked are told of a market, as numbered fields that answers cite by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefField:
    """One thing that is told.

    Attributes:
        id: By which it is cited, e.g. ``f12``.
        name: What it is, e.g. ``1h.rsi``.
        text: As it is told.
        figure: The number in it; ``None`` where it has none.
        is_foreign: Whether its words are somebody else's, a headline's or a model's: data, and never an instruction.
    """

    id: str
    name: str
    text: str
    figure: Decimal | None = None
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What is told of one market at one time."""

    symbol: str
    at: datetime
    fields: tuple[BriefField, ...]

    @property
    def figures(self) -> Mapping[str, Decimal | None]:
        """The figures by the ids of their fields."""
        return {field.id: field.figure for field in self.fields}

    def named(self, name: str) -> BriefField | None:
        """The field with a name; ``None`` where it is missing."""
        return next((field for field in self.fields if field.name == name), None)

    def figure(self, name: str) -> Decimal | None:
        """The number of a field; ``None`` where it is missing, or has none."""
        found = self.named(name)
        return found.figure if found else None
