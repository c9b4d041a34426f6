"""Cards as Telegram shows them: HTML in parts of at most 4,096 UTF-16 units, each with a plain twin. Pure.

https://core.telegram.org/bots/api#html-style and #sendmessage (limits are counted after the tags are taken out).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from engine.domain.messages import Card, Table

LIMIT = 4096
"""UTF-16 units a message may have."""
GRAPH_WIDTH = 24
"""Characters a graph is drawn with at most: one line on a narrow phone."""

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: with markup, and the same text without, in case the markup is refused."""

    html: str
    plain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a card: ``text``, of which everything from ``bold_from`` on is bold; or fixed-width as a whole."""

    text: str
    bold_from: int | None = None
    fixed: bool = False

    @property
    def html(self) -> str:
        if self.bold_from is None or self.bold_from >= len(self.text):
            return escape(self.text)
        plain, bold = self.text[: self.bold_from], self.text[self.bold_from :]
        return f"{escape(plain)}<b>{escape(bold)}</b>"

    def cut(self, units: int) -> tuple[_Line, _Line]:
        """The longest beginning that fits into so many units, at a blank where one is near, and the rest."""
        at = _fitting(self.text, units)
        blank = self.text.rfind(" ", at // 2, at)
        at = blank + 1 if blank > 0 else at
        rest_from = None if self.bold_from is None else max(0, self.bold_from - at)
        return (
            _Line(text=self.text[:at], bold_from=self.bold_from, fixed=self.fixed),
            _Line(text=self.text[at:], bold_from=rest_from, fixed=self.fixed),
        )


def utf16_units(text: str) -> int:
    """How long a text is as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def render(card: Card) -> tuple[Part, ...]:
    """A card as messages, in order; none where there is nothing to show. The buttons belong under the last."""
    return tuple(_part(lines) for lines in _pages(_lines(card)))


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
    scale = high / 2 - low / 2
    return "".join(_BARS[min(7, int((value / 2 - low / 2) / scale * 8))] for value in shown)


def aligned(table: Table) -> list[str]:
    """A table's head and rows with their columns under one another, numbers to the right."""
    rows = [[_clean(cell).replace("\n", " ") for cell in row] for row in (table.head, *table.rows)]
    columns = max(map(len, rows))
    rows = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(_width(row[column]) for row in rows) for column in range(columns)]
    right = [all(_is_number(row[column]) for row in rows[1:]) for column in range(columns)]
    return [_GAP.join(map(_padded, row, widths, right)).rstrip() for row in rows]


def _lines(card: Card) -> list[_Line]:
    lines = [_Line(text=text, bold_from=0) for text in _split(card.title)]
    for name, value in card.fields:
        label = _clean(name).replace("\n", " ")
        first, *more = _split(value) or [""]
        lines.append(_Line(text=f"{label}: {first}", bold_from=len(label) + 2))
        lines += [_Line(text=text, bold_from=0) for text in more]
    lines += [_Line(text=text) for text in _split(card.text)]
    if card.table:
        lines += [_Line(text=text, fixed=True) for text in aligned(card.table)]
    if graph := sparkline(card.graph):
        lines.append(_Line(text=graph))
    return lines


def _pages(lines: Iterable[_Line]) -> list[list[_Line]]:
    """Lines on as few pages as they need; only a line that is longer than a page is cut."""
    pages: list[list[_Line]] = [[]]
    room = LIMIT
    for whole in lines:
        line = whole
        if utf16_units(line.text) > room:
            pages.append([])
            room = LIMIT
        while utf16_units(line.text) > LIMIT:
            head, line = line.cut(LIMIT)
            pages += [[head], []]
        pages[-1].append(line)
        room -= utf16_units(line.text) + 1
    return [page for page in pages if any(line.text.strip() for line in page)]


def _part(lines: Sequence[_Line]) -> Part:
    html: list[str] = []
    for before, line, after in zip([None, *lines], lines, [*lines[1:], None], strict=False):
        opens = "<pre>" if line.fixed and not (before and before.fixed) else ""
        closes = "</pre>" if line.fixed and not (after and after.fixed) else ""
        html.append(f"{opens}{line.html}{closes}")
    return Part(html="\n".join(html), plain="\n".join(line.text for line in lines))


def _split(text: str) -> list[str]:
    return _clean(text).split("\n") if text else []


def _clean(text: str) -> str:
    """A text that can be sent: a lone half of a surrogate pair cannot be encoded."""
    return text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def _fitting(text: str, units: int) -> int:
    """How many characters from the start fit into so many units; never half a surrogate pair."""
    left = units
    for at, character in enumerate(text):
        left -= utf16_units(character)
        if left < 0:
            return at
    return len(text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 - mapped over columns
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _is_number(cell: str) -> bool:
    bare = cell.strip().lstrip("+-\N{MINUS SIGN}±$€≈<>")
    return not bare or bare[0].isdigit() or bare in {"\N{EN DASH}", "—", "∞"}
