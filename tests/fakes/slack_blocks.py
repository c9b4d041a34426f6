"""Block Kit as Slack's server checks it, in the server's words, and what people read of it.

The limits are those of docs.slack.dev (reference/block-kit). ``MOST_BLOCK_TEXT`` is not documented: 9,597 characters
of text in a message's blocks were seen accepted, 11,341 refused (slackapi/bolt-js issue 2867).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MOST_BLOCK_TEXT = 10_000
IDENTIFIER = 255
CONSTRUCT = re.compile(r"<(?:[@#!][^<>]+|(?:https?|mailto|tel)[^<>]+)>")
CODE = re.compile(r"(```.+?```|`[^`\n]+`)", re.DOTALL)


class InvalidBlocks(Exception):
    """Blocks the server refuses; ``messages`` say where and why."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class BlocksTooLong(Exception):
    """More text than the blocks of one message may carry."""


@dataclass
class _Check:
    """What was found wrong in one list of blocks, and the ids in it."""

    faults: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)

    def fault(self, words: str, path: str) -> None:
        self.faults.append(f"[ERROR] {words} [json-pointer:{path}]")

    def keys(self, value: Json, path: str, *, needs: str = "", may: str = "") -> bool:
        """Whether a thing has what it needs; what it must not have is a fault too."""
        needed, known = needs.split(), {*needs.split(), *may.split(), "type"}
        for key in needed:
            if value.get(key) is None:
                self.fault(f"missing required field: {key}", path)
        for key in value.keys() - known:
            self.fault(f"invalid additional property: {key}", path)
        return all(value.get(key) is not None for key in needed)

    def length(self, text: object, most: int, path: str, *, least: int = 1) -> None:
        if not isinstance(text, str):
            self.fault("must provide a string", path)
        elif len(text) > most:
            self.fault(f"must be less than {most + 1} characters", path)
        elif len(text) < least:
            self.fault(f"must be more than {least - 1} characters", path)

    def count(self, items: object, most: int, path: str) -> list[Any]:
        if not isinstance(items, list):
            self.fault("must provide an array", path)
            return []
        if len(items) > most:
            self.fault(f"no more than {most} items allowed", path)
        if not items:
            self.fault("no less than 1 items allowed", path)
        return items

    def text(self, value: Any, most: int, path: str, *, kinds: str = "plain_text mrkdwn") -> None:
        """A text object."""
        if not isinstance(value, dict) or value.get("type") not in kinds.split():
            self.fault(f"must provide a text object of type {' or '.join(kinds.split())}", path)
            return
        extra = "emoji" if value["type"] == "plain_text" else "verbatim"
        if self.keys(value, path, needs="text", may=extra):
            self.length(value["text"], most, f"{path}/text")

    def blocks(self, blocks: object, most: int) -> None:
        if not isinstance(blocks, list):
            self.fault("must provide an array", "/blocks")
            return
        if len(blocks) > most:
            self.fault(f"no more than {most} items allowed", "/blocks")
        for index, block in enumerate(blocks):
            self.block(block, f"/blocks/{index}")

    def block(self, block: Any, path: str) -> None:
        kind = block.get("type") if isinstance(block, dict) else None
        checker = BLOCKS.get(kind or "")
        if checker is None:
            self.fault(f"unsupported type: {kind}", f"{path}/type")
            return
        self._block_id(block.get("block_id"), f"{path}/block_id")
        checker(self, block, path)

    def _block_id(self, block_id: object, path: str) -> None:
        if block_id is None:
            return
        self.length(block_id, IDENTIFIER, path)
        if block_id in self.block_ids:
            self.fault(f"`block_id` {block_id} already exists", path)
        self.block_ids.add(str(block_id))

    def elements(self, block: Json, most: int, path: str, kinds: dict[str, Callable[..., None]]) -> None:
        """The elements of a block; their action ids must differ."""
        seen: set[str] = set()
        for index, element in enumerate(self.count(block.get("elements"), most, f"{path}/elements")):
            self.element(element, f"{path}/elements/{index}", kinds)
            action_id = element.get("action_id") if isinstance(element, dict) else None
            if action_id in seen:
                self.fault(f"`action_id` {action_id} already exists", f"{path}/elements/{index}/action_id")
            seen |= {action_id} if action_id else set()

    def element(self, element: Any, path: str, kinds: dict[str, Callable[..., None]]) -> None:
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in kinds:
            self.fault(f"unsupported type: {kind}", f"{path}/type")
        else:
            kinds[kind](self, element, path)


def _section(check: _Check, block: Json, path: str) -> None:
    check.keys(block, path, may="block_id text fields accessory expand")
    if block.get("text") is None and block.get("fields") is None:
        check.fault("missing required field: text or fields", path)
    if block.get("text") is not None:
        check.text(block["text"], 3000, f"{path}/text")
    if block.get("fields") is not None:
        for index, each in enumerate(check.count(block["fields"], 10, f"{path}/fields")):
            check.text(each, 2000, f"{path}/fields/{index}")
    if block.get("accessory") is not None:
        check.element(block["accessory"], f"{path}/accessory", {"button": _button, "image": _image})


def _header(check: _Check, block: Json, path: str) -> None:
    if check.keys(block, path, needs="text", may="block_id"):
        check.text(block["text"], 150, f"{path}/text", kinds="plain_text")


def _divider(check: _Check, block: Json, path: str) -> None:
    check.keys(block, path, may="block_id")


def _context(check: _Check, block: Json, path: str) -> None:
    check.keys(block, path, needs="elements", may="block_id")
    check.elements(block, 10, path, {"plain_text": _context_text, "mrkdwn": _context_text, "image": _image})


def _context_text(check: _Check, element: Json, path: str) -> None:
    check.text(element, 3000, path)


def _actions(check: _Check, block: Json, path: str) -> None:
    check.keys(block, path, needs="elements", may="block_id")
    check.elements(block, 25, path, {"button": _button})


def _image_block(check: _Check, block: Json, path: str) -> None:
    if block.get("title") is not None:
        check.text(block["title"], 2000, f"{path}/title", kinds="plain_text")
    _image(check, {key: value for key, value in block.items() if key not in {"title", "block_id"}}, path)


def _image(check: _Check, element: Json, path: str) -> None:
    if check.keys(element, path, needs="image_url alt_text"):
        check.length(element["image_url"], 3000, f"{path}/image_url")
        check.length(element["alt_text"], 2000, f"{path}/alt_text")


def _button(check: _Check, element: Json, path: str) -> None:
    may = "action_id url value style confirm accessibility_label"
    if check.keys(element, path, needs="text", may=may):
        check.text(element["text"], 75, f"{path}/text", kinds="plain_text")
    for key, most in (("action_id", IDENTIFIER), ("value", 2000), ("url", 3000), ("accessibility_label", 75)):
        if element.get(key) is not None:
            check.length(element[key], most, f"{path}/{key}")
    _style(check, element, path)
    if element.get("confirm") is not None:
        _confirm(check, element["confirm"], f"{path}/confirm")


def _style(check: _Check, element: Json, path: str) -> None:
    if element.get("style") not in {None, "primary", "danger"}:
        check.fault("must be a valid enum value", f"{path}/style")


def _confirm(check: _Check, value: Any, path: str) -> None:
    if isinstance(value, dict) and check.keys(value, path, needs="title text confirm deny", may="style"):
        for key, most in (("title", 100), ("confirm", 30), ("deny", 30)):
            check.text(value[key], most, f"{path}/{key}", kinds="plain_text")
        check.text(value["text"], 300, f"{path}/text")
        _style(check, value, path)


BLOCKS: dict[str, Callable[[_Check, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "image": _image_block,
}


def checked(blocks: object, *, most: int, name: Callable[[], str]) -> list[Json]:
    """The blocks as the server keeps them: each with a block id, each button with an action id (``name`` makes them).

    Raises:
        InvalidBlocks: The server would refuse them.
        BlocksTooLong: They are right, and too much.
    """
    check = _Check()
    check.blocks(blocks, most)
    if check.faults:
        raise InvalidBlocks(check.faults)
    assert isinstance(blocks, list)
    kept: list[Json] = [{**block, "block_id": block.get("block_id") or name()} for block in blocks]
    if most == MESSAGE_BLOCKS and sum(len(text["text"]) for text in texts_of(kept)) > MOST_BLOCK_TEXT:
        raise BlocksTooLong
    return [_named(block, name) for block in kept]


def _named(block: Json, name: Callable[[], str]) -> Json:
    def named(element: Json) -> Json:
        return element if element["type"] != "button" else {**element, "action_id": element.get("action_id") or name()}

    if "elements" in block:
        return {**block, "elements": [named(element) for element in block["elements"]]}
    return {**block, "accessory": named(block["accessory"])} if block.get("accessory") else block


def texts_of(value: Any) -> Iterator[Json]:
    """Every text object in some blocks, as they are read."""
    if isinstance(value, dict):
        if value.get("type") in {"plain_text", "mrkdwn"}:
            yield value
        else:
            for inner in value.values():
                yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


# What people see


def buttons_of(blocks: list[Json]) -> list[Json]:
    """All buttons, each with its block's id beside it."""
    return [
        {**element, "block_id": block["block_id"]}
        for block in blocks
        for element in [*block.get("elements", []), *filter(None, [block.get("accessory")])]
        if element["type"] == "button"
    ]


def plain(blocks: list[Json]) -> str:
    """The blocks as people read them, a line each; buttons are not among them."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Json) -> list[str]:
    match block["type"]:
        case "divider":
            return ["---"]
        case "context":
            return [" ".join(_said(element) for element in block["elements"])]
        case "image":
            return [f"[{block['alt_text']}]"]
        case "actions":
            return []
    texts = [block["text"]] if block.get("text") else []
    return [_said(text) for text in [*texts, *block.get("fields", [])]]


def _said(element: Json) -> str:
    match element["type"]:
        case "image":
            return f"[{element['alt_text']}]"
        case "mrkdwn":
            return readable(element["text"])
    return html.unescape(element["text"])


def readable(text: str) -> str:
    """Slack's mrkdwn as people read it."""
    parts = CODE.split(text)
    return "".join(html.unescape(part.strip("`")) if index % 2 else _unmarked(part) for index, part in enumerate(parts))


def _unmarked(text: str) -> str:
    text = re.sub(r"<([^<>|]+)\|([^<>]*)>", r"\2", text)
    text = re.sub(r"<(?:!(\w+)|([^<>]+))>", lambda m: f"@{m[1]}" if m[1] else m[2], text)
    for mark in "*_~":
        text = re.sub(rf"(?<![\w{mark}])\{mark}(\S|\S[^{mark}\n]*\S)\{mark}(?![\w{mark}])", r"\1", text)
    return html.unescape(text)


def unescaped(text: str) -> bool:
    """Whether a text of mrkdwn has an ``&`` or ``<`` that should have been written ``&amp;`` or ``&lt;``."""
    rest = re.sub(r"&(?:amp|lt|gt);", "", CONSTRUCT.sub("", text))
    return "&" in rest or "<" in rest
