"""How models write numbers, JSON and the words around it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TypeAlias


@dataclass(frozen=True)
class Num:
    """A JSON number, written as it shall stand in the text."""

    text: str


def significant(value: Decimal, digits: int, rounding: str) -> Decimal:
    """Round a number to so many significant digits."""
    if value == 0 or len(value.normalize().as_tuple().digits) <= digits:
        return value
    step = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return value.quantize(step, rounding=rounding)


def plain(value: Decimal) -> str:
    """Write a number without exponent and without zeros at its end."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def _exponent(rng: random.Random, value: Decimal) -> str:
    """Write a number with an exponent."""
    digits = "".join(str(digit) for digit in value.normalize().as_tuple().digits)
    power = value.adjusted()
    if len(digits) > 1 and rng.random() < 0.15:
        mantissa = digits
        power -= len(digits) - 1
    else:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else ".0")
        if mantissa.endswith(".0") and rng.random() < 0.5:
            mantissa = digits
    sign = "-" if value < 0 else ""
    letter = rng.choice(("e", "e", "E"))
    power_sign = "-" if power < 0 else rng.choice(("", "+"))
    width = rng.choice((1, 2))
    return f"{sign}{mantissa}{letter}{power_sign}{abs(power):0{width}d}"


def zero(rng: random.Random) -> Num:
    """Write zero in one of its forms."""
    return Num(rng.choice(("0", "0", "0", "0.0", "0.0", "0.00", "-0.0", "0e0")))


def number_of(rng: random.Random, value: Decimal) -> Num:
    """Write a number in one of the forms that JSON allows, exactly."""
    if value == 0:
        return zero(rng)
    chance = rng.random()
    far = value.adjusted() <= -5
    if chance < (0.45 if far else 0.07):
        return Num(_exponent(rng, value))
    text = plain(value)
    if chance > 0.90 and len(text) < 16:
        if "." in text:
            return Num(text + "0" * rng.randint(1, 2))
        return Num(text + rng.choice((".0", ".00")))
    if chance > 0.75:
        return Num(format(value, "f"))
    return Num(text)


_HALVES = (ROUND_HALF_UP, ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN)


def repeated(rng: random.Random, figure: Decimal) -> Decimal:
    """Return a figure as an honest model repeats it: exact, or rounded."""
    if figure == 0:
        return figure
    chance = rng.random()
    half = rng.choice(_HALVES)
    if chance < 0.45:
        return figure
    if chance < 0.62:
        return significant(figure, 4, half)
    if chance < 0.80:
        return significant(figure, 3, half)
    if chance < 0.86:
        return significant(figure, rng.choice((5, 6)), half)
    if chance < 0.90:
        return significant(figure, rng.choice((4, 5)), ROUND_DOWN)
    if chance < 0.92:
        return Decimal(repr(float(figure) * (1 + 2.3e-16)))
    places = rng.randint(0, 3)
    rounded = figure.quantize(Decimal(1).scaleb(-places), rounding=half)
    if figure.adjusted() + places >= 2:
        return rounded
    return figure


Json: TypeAlias = "str | Num | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True)
class _Style:
    """How the JSON text is laid out."""

    indent: str | None
    colon: str
    comma: str
    ascii_only: bool
    escape_slash: bool


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(text: str, style: _Style) -> str:
    """Write a text as a JSON string."""
    parts: list[str] = []
    for char in text:
        code = ord(char)
        if char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif char == "/" and style.escape_slash:
            parts.append("\\/")
        elif code < 0x20 or (style.ascii_only and code > 0x7E):
            if code > 0xFFFF:
                code -= 0x10000
                parts.append(f"\\u{0xD800 + (code >> 10):04x}")
                code = 0xDC00 + (code & 0x3FF)
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(char)
    return '"' + "".join(parts) + '"'


def written(value: Json, style: _Style, depth: int = 0) -> str:
    """Write a value as JSON."""
    if value is None:
        return "null"
    if isinstance(value, Num):
        return value.text
    if isinstance(value, str):
        return _quoted(value, style)
    if isinstance(value, Mapping):
        opening, closing = "{", "}"
        items = [_quoted(key, style) + style.colon + written(item, style, depth + 1) for key, item in value.items()]
    else:
        opening, closing = "[", "]"
        items = [written(item, style, depth + 1) for item in value]
    if not items:
        return opening + closing
    short = not isinstance(value, Mapping) and all(isinstance(i, str) for i in value)
    if style.indent is None or short:
        return opening + style.comma.join(items) + closing
    inner = "\n" + style.indent * (depth + 1)
    outer = "\n" + style.indent * depth
    return opening + inner + ("," + inner).join(items) + outer + closing


def style_of(rng: random.Random) -> _Style:
    """Choose a layout."""
    indent = rng.choice((None, None, "  ", "  ", "    ", "\t"))
    compact = indent is None and rng.random() < 0.4
    return _Style(
        indent=indent,
        colon=":" if compact else ": ",
        comma="," if compact else ", ",
        ascii_only=rng.random() < 0.3,
        escape_slash=rng.random() < 0.06,
    )


_BEFORE = (
    "Here is my answer:",
    "Here is the JSON you asked for:",
    "Based on the brief, I decided as follows.",
    "Sure! My assessment of this trade is below:",
    "After weighing the 12 most recent candles, my answer is:",
)

_AFTER = (
    "Let me know if you need more detail.",
    "This is not financial advice.",
    "I used only the fields of the brief.",
    "Note: the market may change within 24 hours.",
)


def wrapped(rng: random.Random, body: str) -> str:
    """Put a fence, blank lines or a sentence around the JSON, sometimes."""
    chance = rng.random()
    if chance < 0.58:
        return body
    if chance < 0.72:
        return "\n" * rng.randint(0, 3) + body + rng.choice(("\n", "\n\n", "  \n", " "))
    before = rng.choice(_BEFORE)
    after = rng.choice(_AFTER)
    gap = rng.choice(("\n", "\n\n"))
    if chance >= 0.95:
        return rng.choice((before + gap + body, body + gap + after))
    mark = rng.choice(("```json", "```json", "```json", "```json", "```"))
    blank = "\n" if rng.random() < 0.15 else ""
    fenced = f"{mark}\n{blank}{body}\n{blank}```"
    if chance < 0.85:
        return "\n" * rng.choice((0, 0, 1)) + fenced + "\n" * rng.choice((0, 1, 2))
    return rng.choice((before + gap + fenced, fenced + gap + after, before + gap + fenced + gap + after))
