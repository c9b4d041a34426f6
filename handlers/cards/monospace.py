"""Tables and graphs in characters of one width, for platforms that show text. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from engine.domain.messages import Table

GRAPH_WIDTH = 24
"""Characters a graph is drawn with at most: one line on a narrow phone."""

WIDTH = 38
"""Characters that a phone shows in a line."""
ALARM = "\N{LARGE RED CIRCLE} "
"""What stands before the title of an alarm where titles have no colour."""

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "  "
_WORDS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\S*|\S+")


def sparkline(values: Sequence[float], width: int = GRAPH_WIDTH) -> str:
    """Numbers over time as a row of bars, oldest first; numbers that are not finite are left out.

    Longer rows are thinned to ``width`` bars, the newest number always shown.
    """
    finite = [value for value in values if math.isfinite(value)]
    step = max(1, math.ceil(len(finite) / width))
    shown = finite[::-1][::step][::-1]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if low == high:
        return _BARS[len(_BARS) // 2] * len(shown)
    # Halves first: the span of two huge numbers may not be finite.
    scale = high / 2 - low / 2 or math.inf  # nothing: half of the smallest number
    return "".join(_BARS[min(7, int((value / 2 - low / 2) / scale * 8))] for value in shown)


def aligned(table: Table) -> list[str]:
    """A table's head and rows with their columns under one another, numbers to the right."""
    rows = [[clean(cell).replace("\n", " ") for cell in row] for row in (table.head, *table.rows)]
    columns = max(map(len, rows))
    rows = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(text_width(row[column]) for row in rows) for column in range(columns)]
    right = [all(_is_number(row[column]) for row in rows[1:]) for column in range(columns)]
    return [_GAP.join(map(_padded, row, widths, right)).rstrip() for row in rows]


def folded(text: str, width: int = WIDTH) -> list[str]:
    """A text in lines that are at most so wide, broken between words where that is possible, never within a time."""
    lines = [""]
    for word in (piece for whole in _WORDS.findall(text) for piece in _cut(whole, width)):
        longer = f"{lines[-1]} {word}".lstrip()
        lines = [*lines[:-1], longer] if text_width(longer) <= width else [*lines, word]
    return [line for line in lines if line]


def _cut(word: str, width: int) -> list[str]:
    pieces = [""]
    for character in word:
        longer = pieces[-1] + character
        pieces = [*pieces[:-1], longer] if text_width(longer) <= width else [*pieces, character]
    return pieces


def clean(text: str) -> str:
    """A text that can be sent: a lone half of a surrogate pair cannot be encoded."""
    return text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def text_width(text: str) -> int:
    """How many columns a text takes: an ideograph or an emoji takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 - mapped over columns
    blanks = " " * (width - text_width(cell))
    return blanks + cell if right else cell + blanks


def _is_number(cell: str) -> bool:
    bare = cell.strip().lstrip("+-\N{MINUS SIGN}±$€≈<>")
    return not bare or bare[0].isdigit() or bare in {"\N{EN DASH}", "—", "∞"}
