"""A picture as lines, areas, dots and words in a box, whoever paints it. Pure; y grows downwards."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from handlers.charts.scales import moment, width_of

Point = tuple[float, float]

SMALL, USUAL = 10.0, 11.0
"""Font sizes, in units of the box: readable where a unit is a pixel of a phone's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strokes:
    """Lines of one kind.

    Attributes:
        role: What they are; painters know their colours.
        lines: Each through its points.
        dashed: Whether they are broken.
    """

    kind: ClassVar = "strokes"
    role: str
    lines: tuple[tuple[Point, ...], ...]
    dashed: bool = False

    @property
    def path(self) -> str:
        """Them as the ``d`` of an SVG path."""
        return " ".join(_path(line) for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """Filled shapes of one kind, each given by its corners."""

    kind: ClassVar = "areas"
    dashed: ClassVar = False
    role: str
    shapes: tuple[tuple[Point, ...], ...]

    @property
    def path(self) -> str:
        """Them as the ``d`` of an SVG path."""
        return " ".join(f"{_path(shape)}Z" for shape in self.shapes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line of text; ``y`` is the middle of its letters' height."""

    kind: ClassVar = "words"
    role: str
    text: str
    x: float
    y: float
    size: float = SMALL
    anchor: Literal["start", "middle", "end"] = "start"


Shape = Strokes | Areas | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Shapes in a box, the undermost first; ``alt`` says in words what there is to see."""

    width: float
    height: float
    alt: str
    shapes: tuple[Shape, ...]

    @property
    def words(self) -> tuple[Words, ...]:
        """Everything that can be read."""
        return tuple(shape for shape in self.shapes if isinstance(shape, Words))


def plain(text: str) -> str:
    """A text that any painter can write in one line: without control characters, and halves of surrogate pairs."""
    sound = text.encode("utf-8", "replace").decode()
    return "".join(" " if unicodedata.category(character)[0] == "C" else character for character in sound)


def ends(
    begin: datetime, end: datetime, zone: ZoneInfo, axis: tuple[float, float], width: float, y: float
) -> tuple[Words, Words]:
    """When an axis of time begins and ends, and by whose clock; at the edges of the box where it is too short for both.

    Of a zone's name its place alone where there is no room for the whole: ``Buenos Aires``.
    """
    span, name = end - begin, str(zone)
    first, until = moment(begin, span, zone), moment(end, span, zone)
    left, right = axis
    if width_of(f"{first}{until} {name}", SMALL) > right - left - 10:
        left, right = 4, width - 4
    if width_of(f"{first}{until} {name}", SMALL) > right - left - 10:
        name = name.rpartition("/")[2].replace("_", " ")
    last = f"{until} {name}"
    return (
        Words(role="axis", text=first, x=left, y=y),
        Words(role="axis", text=last, x=right, y=y, anchor="end"),
    )


def _path(points: tuple[Point, ...]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
