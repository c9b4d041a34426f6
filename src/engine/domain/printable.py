"""What somebody else wrote, made fit to be quoted: a terminal obeys some characters instead of showing them."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""A text whose control characters, and whatever else cannot be seen, are written as escapes: ``\x1b``."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
