"""Somebody else's words on a card: they are shown, and nothing in them can be pressed. Pure."""

from __future__ import annotations

import re

JOINER = "\u2060"
"""A character without a width, at which no platform breaks a line."""
_BEGINS = re.compile(r"(?<![\w<]/)(?<!\w[@#])(?<=[/@#])(?=\w)|(?<=\w\.)(?=[^\W\d_]{2})")
"""Behind the sign of a command, a mention or a topic where a word begins, and behind a point in the name of a host."""


def inert(text: str) -> str:
    """The same words, which platforms take for no command, mention or link: ``/close all`` cannot be tapped."""
    return _BEGINS.sub(JOINER, text)
