"""Where long lines of cards may be broken, and how they are for who shows text in lines of one length. Pure.

Cards say with ``BREAK`` where a line is broken first, and the platforms do it: the web flows by the width it has, and
what goes out as a message is laid out for a phone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from engine.domain.messages import BREAK, Card
from handlers.cards.monospace import WIDTH, folded, text_width

_INDENT = "  "
_DOT = "· "
_BETWEEN = re.compile(r"(?<=[,;]) (?=\S)| (?=· )")


def listed(text: str) -> str:
    """A list of figures that may be broken: behind its commas and between its dots, else between words.

    Args:
        text: The list: ``MACD 1.20 · MACD signal 0.80``, ``sold 2 @ 10.00, fee 0.02 USDT``.
    """
    return f"{_BETWEEN.sub(f' {BREAK}', text)}{BREAK}" if text else ""


def entry(head: str, detail: str) -> str:
    """What something is called and what is said of it, which stands below where both have no room in a line."""
    return f"{head}: {BREAK}{listed(detail)}" if detail else head


def laid_out(text: str, indent: str = "", width: int = WIDTH) -> str:
    """A text whose lines are broken where they say so, or else between words, if a phone does not show them whole.

    Args:
        text: Lines that say nothing of the kind stay as they are: a phone breaks prose by itself.
        indent: What every line begins with that goes on with the one above.
        width: Of a line.
    """
    return "\n".join(row for line in text.split("\n") for row in _rows(line, indent, width))


def flowing(text: str) -> str:
    """A text for who breaks lines by the room there is."""
    return text.replace(BREAK, "")


def for_phone(card: Card) -> Card:
    """A card for a platform whose messages are text, with its lines laid out."""
    return replace(
        card,
        title=laid_out(card.title),
        fields=tuple((flowing(name), laid_out(value)) for name, value in card.fields),
        text=laid_out(card.text, _INDENT),
        items=tuple(
            replace(item, title=laid_out(item.title, _INDENT), text=laid_out(item.text, _INDENT)) for item in card.items
        ),
    )


def _rows(line: str, indent: str, width: int) -> list[str]:
    whole = flowing(line)
    if BREAK not in line or text_width(whole) <= width:
        return [whole]
    rows: list[str] = []
    for piece in filter(None, map(str.strip, line.split(BREAK))):
        longer = f"{rows[-1]} {piece}" if rows else piece
        if text_width(longer) <= width and not (rows and rows[-1].endswith(":")):
            rows = [*rows[:-1], longer]
            continue
        rows += [f"{indent}{row}" for row in folded(piece.removeprefix(_DOT), width - len(indent))]
    return [rows[0].removeprefix(indent), *rows[1:]] if rows else [""]
