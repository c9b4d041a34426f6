"""Cards as Slack shows them: Block Kit in messages that fit, each with the same text without blocks. Pure.

https://docs.slack.dev/reference/block-kit/blocks: 50 blocks a message, 10 fields a section, 3,000 characters a text,
2,000 a field, 150 a header, 75 a button. ``chat.update`` takes 4,000 characters of plain text, so no message has more
than that: whatever becomes of its blocks, it can be shown whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from engine.domain.approvals import Verb
from engine.domain.closing import Choice
from engine.domain.confirmations import Consent
from engine.domain.messages import Button, Card
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import ALARM, aligned, clean, sparkline
from handlers.cards.times import marked

Block = dict[str, Any]

LIMIT = 3800
"""Characters a message may have, as Slack counts them: after escaping."""
MOST_BLOCKS = 48
"""Blocks of a message, the mention before and the buttons after them aside."""
MOST_FIELDS = 10
SECTION, FIELD, HEADER, BUTTON = 2900, 1900, 150, 75

_STYLES = {Verb.APPROVE: "primary", Verb.REJECT: "danger", Choice.CLOSE: "danger", Consent.YES: "primary"}
_MARKUP = re.compile(r"[*_~`|]|:\w+:|://")
"""What Slack would take for markup, an emoji or a link."""
_INK = re.compile(r"\S(?:.*\S)?")
"""A line without the blanks at its ends, where a mark would be none."""
_FENCE = "```"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: with blocks, and the same text without, for notifications and in case the blocks are refused."""

    blocks: tuple[Block, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One block and the lines it stands for, escaped."""

    block: Block
    text: str


def render(card: Card) -> tuple[Part, ...]:
    """A card as messages, in order; none where there is nothing to show. The buttons stand under the last."""
    with_header = replace(for_phone(card), title=flowing(card.title))  # a header is one line, which Slack breaks itself
    parts = [_part(pieces) for pieces in _pages(_pieces(with_header))]
    if parts and card.buttons:
        parts[-1] = replace(parts[-1], blocks=(*parts[-1].blocks, _actions(card.buttons)))
    return tuple(parts)


def addressed(part: Part, user: str) -> Part:
    """The part with a person's name before it, for an answer that others read too."""
    mention = f"<@{user}>"
    block = {"type": "context", "elements": [{"type": "mrkdwn", "text": mention}]}
    return Part(blocks=(block, *part.blocks), text=f"{mention} {part.text}")


def size(text: str) -> int:
    """How long a text is as Slack counts it: escaped, and in UTF-16 units to be on the safe side."""
    return len(escape(text, quote=False).encode("utf-16-le")) // 2


def _pieces(card: Card) -> Iterator[_Piece]:
    yield from _title(clean(f"{ALARM if card.alarm else ''}{card.title}"))
    yield from _fields([(clean(name), clean(value)) for name, value in card.fields])
    yield from (_plain(text) for text in chunks(clean(card.text), SECTION))
    yield from _items([(clean(item.title), clean(item.text)) for item in card.items])
    if card.table:
        yield from (_code(text) for text in chunks("\n".join(aligned(card.table)), SECTION - 2 * len(_FENCE)))
    if graph := sparkline(card.graph):
        yield _plain(graph)


def _title(title: str) -> Iterator[_Piece]:
    if title.strip() and "\n" not in title and size(title) <= HEADER:
        yield _Piece(block={"type": "header", "text": _text(title)}, text=_escaped(title))
    else:
        yield from (_plain(text) for text in chunks(title, SECTION))


def _fields(fields: Sequence[tuple[str, str]]) -> Iterator[_Piece]:
    """Fields two abreast, as many as a section takes; one that is too long for that stands alone."""
    abreast: list[tuple[str, str]] = []
    for name, value in fields:
        is_long = len(f"*{_marked(name)}*\n{_marked(value)}".encode("utf-16-le")) // 2 > FIELD
        if abreast and (is_long or len(abreast) == MOST_FIELDS or _length([*abreast, (name, value)]) > SECTION):
            yield _section(abreast)
            abreast = []
        if is_long:
            yield from (_plain(text) for text in chunks(f"{name}: {value}", SECTION))
        else:
            abreast.append((name, value))
    if abreast:
        yield _section(abreast)


def _length(fields: Sequence[tuple[str, str]]) -> int:
    return sum(size(f"{name}: {value}") + 1 for name, value in fields)


def _section(fields: Sequence[tuple[str, str]]) -> _Piece:
    lines = [_escaped(f"{name}: {value}") for name, value in fields]
    return _Piece(block={"type": "section", "fields": [_field(*field) for field in fields]}, text="\n".join(lines))


def _field(name: str, value: str) -> Block:
    """A bold name over its value; not bold where something in it would be taken for markup."""
    if name.strip() and not _MARKUP.search(f"{name}{value}"):
        return {"type": "mrkdwn", "text": f"*{_marked(name.strip())}*\n{_marked(value)}", "verbatim": True}
    return _text(f"{name}\n{value}")


def _items(items: Sequence[tuple[str, str]]) -> Iterator[_Piece]:
    """Like things one below the other, as many as a section takes; one that is too long for that stands alone."""
    together: list[tuple[str, str]] = []
    for title, text in (item for item in items if "".join(item).strip()):
        is_long = _height(title, text) > SECTION
        if together and (is_long or sum(_height(*item) for item in [*together, (title, text)]) > SECTION):
            yield _listed(together)
            together = []
        if is_long:
            yield from (_plain(part) for part in chunks(f"{title}\n{text}", SECTION))
        else:
            together.append((title, text))
    if together:
        yield _listed(together)


def _height(title: str, text: str) -> int:
    """How much of a section a thing takes, with its marks."""
    return len(f"{_bold(title)}\n{_marked(text)}\n".encode("utf-16-le")) // 2


def _listed(items: Sequence[tuple[str, str]]) -> _Piece:
    """A section of things, each under its bold title; not bold where anything would be taken for markup."""
    lines = "\n".join(_escaped(f"{title}\n{text}") for title, text in items)
    if any(_MARKUP.search(f"{title}{text}") or not title.strip() for title, text in items):
        return _Piece(block={"type": "section", "text": _text("\n".join(map("\n".join, items)))}, text=lines)
    bold = "\n".join(f"{_bold(title)}\n{_marked(text)}" for title, text in items)
    return _Piece(block={"type": "section", "text": {"type": "mrkdwn", "text": bold, "verbatim": True}}, text=lines)


def _bold(title: str) -> str:
    """A title whose lines are each bold, for Slack ends what is bold with the line."""
    return "\n".join(_INK.sub(lambda ink: f"*{_marked(ink.group())}*", line) for line in title.strip().split("\n"))


def _plain(text: str) -> _Piece:
    return _Piece(block={"type": "section", "text": _text(text)}, text=_escaped(text))


def _code(text: str) -> _Piece:
    """Text of one width; as it is where it has the marks of such text in itself."""
    if "`" in text:
        return _plain(text)
    fenced = f"{_FENCE}{_escaped(text)}{_FENCE}"
    return _Piece(
        block={"type": "section", "text": {"type": "mrkdwn", "text": fenced, "verbatim": True}}, text=_escaped(text)
    )


def _text(text: str) -> Block:
    return {"type": "plain_text", "text": _escaped(text), "emoji": False}


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def _marked(text: str) -> str:
    """A text as mrkdwn, with times that each reader sees in their own zone (messaging/formatting-message-text#date)."""
    return marked(text, _escaped, lambda words, at: f"<!date^{at.timestamp():.0f}^{{date_num}} {{time}}|{words}>")


def _actions(buttons: Iterable[Button]) -> Block:
    return {"type": "actions", "elements": [_button(button) for button in buttons]}


def _button(button: Button) -> Block:
    label = next(chunks(clean(button.label), BUTTON), "…")
    style = {"style": _STYLES[button.verb]} if button.verb in _STYLES else {}
    return {"type": "button", "text": _text(label), "action_id": button.data, "value": button.data, **style}


def _pages(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Pieces on as few messages as they need; none is longer than a message."""
    pages: list[list[_Piece]] = []
    room = 0
    for piece in pieces:
        length = len(piece.text.encode("utf-16-le")) // 2 + 1
        if not pages or length > room or len(pages[-1]) == MOST_BLOCKS:
            pages.append([])
            room = LIMIT
        pages[-1].append(piece)
        room -= length
    return pages


def _part(pieces: Sequence[_Piece]) -> Part:
    return Part(blocks=tuple(piece.block for piece in pieces), text="\n".join(piece.text for piece in pieces))


def chunks(text: str, limit: int) -> Iterator[str]:
    """A text in pieces of at most ``limit`` characters as Slack counts them, cut at line ends or blanks if it can be.

    Pieces of blanks alone are left out: Slack takes none.
    """
    rest = text
    while rest:
        at = _fitting(rest, limit)
        if at < len(rest):
            cut = max(rest.rfind("\n", 0, at), rest.rfind(" ", at // 2, at))
            at = cut + 1 if cut > 0 else at
        piece, rest = rest[:at], rest[at:]
        if piece.strip():
            yield piece.rstrip("\n")


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit."""
    if size(text[: limit + 1]) <= limit:
        return len(text)
    left = limit
    for at, character in enumerate(text):
        left -= size(character)
        if left < 0:
            return at
    return len(text)
