"""Texts of strangers made harmless: cut before anything looks at them, without what cannot be seen."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import replace

from engine.domain.sentiment import SourceText

MOST_TITLE, MOST_BODY, MOST_URL = 300, 2_000, 500
"""Characters that are kept."""
_READ_AHEAD = 8
"""How many times as many are looked at, for markup and blanks are much of some texts."""
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]{0,400}>")
_BLANKS = re.compile(r"\s+")
_STACKED = 4
"""Marks upon one letter that are kept; more of them only run over the lines beside."""
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Categories of what nobody sees: controls, directions, private and surrogate code points."""
_JOINER = "\u200d"
"""Holds the parts of one emoji together, and is kept for that."""


def cleaned(raw: str | bytes, most: int) -> str:
    """A text as it may be kept and shown: one line, no markup, nothing unseen, of at most so many characters.

    It takes time by what is kept, not by what was sent. Bytes are read as UTF-8; what is none becomes ``\ufffd``.
    """
    cut = raw[: most * _READ_AHEAD]
    text = cut.decode("utf-8", "replace") if isinstance(cut, bytes) else cut
    text = html.unescape(_TAG.sub(" ", html.unescape(text)))
    seen = "".join(" " if each in "\n\r\t" else each for each in _TAG.sub(" ", text) if _is_seen(each))
    text = unicodedata.normalize("NFC", _BLANKS.sub(" ", seen))
    return _unstacked(text).strip()[:most].strip()


def clean(text: SourceText) -> SourceText:
    """A text whose parts are all harmless; its address is empty where it is not one of the web."""
    url = cleaned(text.url, MOST_URL + 1)
    usable = url.startswith(("https://", "http://")) and len(url) <= MOST_URL and " " not in url
    return replace(
        text,
        title=cleaned(text.title, MOST_TITLE),
        body=cleaned(text.body, MOST_BODY),
        url=url if usable else "",
    )


def _is_seen(each: str) -> bool:
    return each in "\n\r\t" or each == _JOINER or unicodedata.category(each) not in _UNSEEN


def _unstacked(text: str) -> str:
    """The text with no more than a few marks upon any letter."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for each in text:
        marks = marks + 1 if unicodedata.combining(each) else 0
        if marks <= _STACKED:
            kept.append(each)
    return "".join(kept)
