"""Cards as Telegram shows them: HTML in parts of at most 4,096 UTF-16 units, each with a plain twin. Pure.

https://core.telegram.org/bots/api#html-style and #sendmessage (limits are counted after the tags are taken out).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from engine.domain.messages import Card
from handlers.cards.lines import for_phone
from handlers.cards.monospace import ALARM, WIDTH, aligned, clean, sparkline
from handlers.cards.times import marked

LIMIT = 4096
"""UTF-16 units a message may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: with markup, and the same text without, in case the markup is refused."""

    html: str
    plain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a card: ``text``, of which everything from ``bold_from`` on is bold; or fixed-width as a whole.

    What ``goes_on`` belongs to the line above, and stays on one page with it where there is room.
    """

    text: str
    bold_from: int | None = None
    fixed: bool = False
    goes_on: bool = False

    @property
    def html(self) -> str:
        if self.fixed:
            return escape(self.text)
        if self.bold_from is None or self.bold_from >= len(self.text):
            return _marked(self.text)
        plain, bold = self.text[: self.bold_from], self.text[self.bold_from :]
        return f"{_marked(plain)}<b>{_marked(bold)}</b>"

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


def _marked(text: str) -> str:
    """A text as HTML, with times that each reader sees in their own zone (#date-time-entity-formatting)."""
    return marked(text, escape, lambda words, at: f'<tg-time unix="{at.timestamp():.0f}" format="dt">{words}</tg-time>')


def utf16_units(text: str) -> int:
    """How long a text is as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def render(card: Card) -> tuple[Part, ...]:
    """A card as messages, in order; none where there is nothing to show. The buttons belong under the last."""
    return tuple(_part(lines) for lines in _pages(_lines(for_phone(card))))


def _lines(card: Card) -> list[_Line]:
    title = f"{ALARM if card.alarm else ''}{card.title}"
    lines = [_Line(text=text, bold_from=0) for text in _split(title)]
    for name, value in card.fields:
        label = clean(name).replace("\n", " ")
        first, *more = _split(value) or [""]
        apart = len(first) <= WIDTH < len(f"{label}: {first}")  # a phone shows each in one line, and both in none
        lines.append(_Line(text=f"{label}:" if apart else f"{label}: {first}", bold_from=len(label) + 2))
        lines += [_Line(text=text, bold_from=0) for text in ([first] if apart else [])]
        lines += [_Line(text=text, bold_from=0) for text in more]
    lines += [_Line(text=text) for text in _split(card.text)]
    for item in card.items:
        heading, body = _split(item.title), _split(item.text)
        lines += [_Line(text=row, bold_from=0, goes_on=index > 0) for index, row in enumerate(heading)]
        lines += [_Line(text=row, goes_on=index > 0) for index, row in enumerate(body, len(heading))]
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
            pages.append(_taken_along(pages[-1]) if line.goes_on else [])
            room = LIMIT - _length(pages[-1])
        if utf16_units(line.text) > room:
            pages.append([])
            room = LIMIT
        while utf16_units(line.text) > LIMIT:
            head, line = line.cut(LIMIT)
            pages += [[head], []]
        pages[-1].append(line)
        room -= utf16_units(line.text) + 1
    return [page for page in pages if any(line.text.strip() for line in page)]


def _taken_along(page: list[_Line]) -> list[_Line]:
    """Take what the next line goes on with from the end of a page, unless that is more than half of it."""
    begins = max((index for index, line in enumerate(page) if not line.goes_on), default=0)
    if begins <= len(page) / 2:
        return []
    taken, page[begins:] = page[begins:], []
    return taken


def _length(lines: Iterable[_Line]) -> int:
    return sum(utf16_units(line.text) + 1 for line in lines)


def _part(lines: Sequence[_Line]) -> Part:
    html: list[str] = []
    for before, line, after in zip([None, *lines], lines, [*lines[1:], None], strict=False):
        opens = "<pre>" if line.fixed and not (before and before.fixed) else ""
        closes = "</pre>" if line.fixed and not (after and after.fixed) else ""
        html.append(f"{opens}{line.html}{closes}")
    return Part(html="\n".join(html), plain="\n".join(line.text for line in lines))


def _split(text: str) -> list[str]:
    return clean(text).split("\n") if text else []


def _fitting(text: str, units: int) -> int:
    """How many characters from the start fit into so many units; never half a surrogate pair."""
    left = units
    for at, character in enumerate(text):
        left -= utf16_units(character)
        if left < 0:
            return at
    return len(text)
