"""How the real Bot API reads HTML: a port of ``do_parse_html`` in tdlib's MessageEntity.cpp, errors included."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-time": "date_time",
}
NAMED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
SPACES = " \t\r\n\0\v"


class CannotParse(Exception):
    """The markup is broken; the message is Telegram's."""


def utf16_units(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class _Open:
    tag: str
    offset: int
    attributes: dict[str, str]


@dataclass
class _Reader:
    text: str
    at: int = 0
    out: list[str] = field(default_factory=list)
    units: int = 0
    opened: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def read(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.text):
            if self.text[self.at] == "<":
                self._tag()
            else:
                self._character()
        if self.opened:
            raise CannotParse(f'Can\'t find end tag corresponding to start tag "{self.opened[-1].tag}"')
        return "".join(self.out), sorted(self.entities, key=lambda entity: (entity["offset"], -entity["length"]))

    def _character(self) -> None:
        character = self._decoded() if self.text[self.at] == "&" else None
        if character is None:
            character = self.text[self.at]
            self.at += 1
        self.out.append(character)
        self.units += utf16_units(character)

    def _decoded(self) -> str | None:
        end = self.text.find(";", self.at)
        name = self.text[self.at : end + 1] if end >= 0 else ""
        character = NAMED.get(name) or _numeric(name)
        if character is not None:
            self.at = end + 1
        return character

    def _tag(self) -> None:
        start = self.at
        self.at += 1
        if self._peek() == "/":
            self.at += 1
            self._close(start)
        else:
            self._open(start)

    def _open(self, start: int) -> None:
        tag = self._until(SPACES + ">").lower()
        if self.at >= len(self.text):
            raise CannotParse(f"Unclosed start tag at byte offset {self._bytes(start)}")
        if tag not in KINDS:
            raise CannotParse(f'Unsupported start tag "{tag}" at byte offset {self._bytes(start)}')
        attributes = self._attributes(tag, start)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(start)}')
        if tag == "tg-time" and not _is_time(attributes):
            raise CannotParse(f'Tag "tg-time" has no valid time at byte offset {self._bytes(start)}')
        self.opened.append(_Open(tag=tag, offset=self.units, attributes=attributes))

    def _attributes(self, tag: str, start: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._skip_spaces()
            if self._peek() == ">":
                self.at += 1
                return found
            name = self._until(SPACES + "=>").lower()
            if not name:
                raise CannotParse(f'Empty attribute name in the tag "{tag}" at byte offset {self._bytes(start)}')
            self._skip_spaces()
            found[name] = self._value() if self._peek() == "=" else ""
            if self.at >= len(self.text):
                raise CannotParse(f"Unclosed start tag at byte offset {self._bytes(start)}")

    def _value(self) -> str:
        self.at += 1
        self._skip_spaces()
        quote = self._peek()
        if quote not in ("'", '"') or not quote:
            return self._until(SPACES + ">")
        self.at += 1
        value: list[str] = []
        while (character := self._peek()) and character != quote:
            decoded = self._decoded() if character == "&" else None
            self.at += decoded is None
            value.append(decoded or character)
        self.at += 1
        return "".join(value)

    def _close(self, start: int) -> None:
        if not self.opened:
            raise CannotParse(f"Unexpected end tag at byte offset {self._bytes(start)}")
        name = self._until(SPACES + ">").lower()
        self._skip_spaces()
        if self._peek() != ">":
            raise CannotParse(f"Unclosed end tag at byte offset {self._bytes(start)}")
        self.at += 1
        last = self.opened.pop()
        if name not in ("", last.tag):
            where = f"byte offset {self._bytes(start)}"
            raise CannotParse(f'Unmatched end tag at {where}, expected "</{last.tag}>", found "</{name}>"')
        if self.units > last.offset:
            self.entities.append(_entity(last, self.units))

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _until(self, stops: str) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        return self.text[start : self.at]

    def _skip_spaces(self) -> None:
        while self._peek() and self._peek() in SPACES:
            self.at += 1

    def _bytes(self, position: int) -> int:
        return len(self.text[:position].encode())


def _numeric(name: str) -> str | None:
    digits = name[2:-1]
    base, digits = (16, digits[1:]) if digits[:1] in ("x", "X") else (10, digits)
    if not name.startswith("&#") or not digits.isalnum():
        return None
    try:
        code = int(digits, base)
    except ValueError:
        return None
    return chr(code) if 0 < code < 0x10FFFF else None


def _is_time(attributes: dict[str, str]) -> bool:
    """Bot API 9.5, #date-time-entity-formatting."""
    shape = re.fullmatch(r"r|w?[dD]?[tT]?", attributes.get("format", ""))
    return attributes.get("unix", "").isdecimal() and shape is not None


def _entity(opened: _Open, end: int) -> Entity:
    entity: Entity = {"offset": opened.offset, "length": end - opened.offset, "type": KINDS[opened.tag]}
    if opened.tag == "a":
        entity["url"] = opened.attributes.get("href", "")
    if opened.tag == "tg-time":
        entity["unix_time"] = int(opened.attributes["unix"])
        entity["date_time_format"] = opened.attributes.get("format", "")
    return entity


def parse_html(text: str) -> tuple[str, list[Entity]]:
    """Take the tags out of a text.

    Returns:
        The bare text, and its entities with offsets and lengths in UTF-16 code units.

    Raises:
        CannotParse: In Telegram's own words.
    """
    return _Reader(text).read()


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """The text without the blanks at its ends, which the server never keeps, and the entities moved along."""
    kept = text.rstrip()
    units = utf16_units(kept)
    lead = utf16_units(kept) - utf16_units(kept.lstrip())
    moved = []
    for entity in entities:
        start, end = max(entity["offset"], lead), min(entity["offset"] + entity["length"], units)
        if end > start:
            moved.append({**entity, "offset": start - lead, "length": end - start})
    return kept.lstrip(), moved
