"""Texts made harmless: nothing unseen stays, nothing is longer than allowed, and what was sent costs no time."""

from __future__ import annotations

import tracemalloc
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.sentiment import SourceText
from engine.sentiment.texts import MOST_BODY, MOST_TITLE, MOST_URL, clean, cleaned

AT = datetime(2026, 3, 4, tzinfo=UTC)
TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  Bitcoin \n\t rises ", "Bitcoin rises"),
        ("<p>Ether &amp; <b>Solana</b></p>", "Ether & Solana"),
        ("&lt;script&gt;steal()&lt;/script&gt;", "steal()"),
        ("a < b and c > d", "a < b and c > d"),
        (b"Caf\xc3\xa9", "Café"),
        (b"bad \xff\xfe bytes", "bad \ufffd\ufffd bytes"),
        (b"cut \xe2\x82", "cut \ufffd"),
        ("Sell \u202eyub\u202c now", "Sell yub now"),
        ("zero\u200bwidth \u2066x\u2069 \ufeff", "zerowidth x"),
        ("bell\x07 esc\x1b[31m null\x00", "bell esc[31m null"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("b\u0301\u0302\u0303\u0304\u0305\u0306\u0307 algo", "b\u0301\u0302\u0303\u0304 algo"),
        ("\U0001f468\u200d\U0001f680 to the moon", "\U0001f468\u200d\U0001f680 to the moon"),
        ("e\u0301", "é"),
        ("", ""),
        (b"", ""),
    ],
)
def test_what_is_kept_of_a_text(raw: str | bytes, text: str) -> None:
    assert cleaned(raw, 200) == text


@given(st.one_of(st.text(), st.binary()), st.integers(1, 60))
def test_anything_becomes_one_short_line_that_can_be_seen(raw: str | bytes, most: int) -> None:
    text = cleaned(raw, most)
    assert len(text) <= most
    assert text == " ".join(text.split())
    assert all(unicodedata.category(each)[0] != "C" or each == "\u200d" for each in text)
    text.encode()


@pytest.mark.parametrize(
    "bomb",
    ["<" * TEN_MEGABYTES, "&lt;" * (TEN_MEGABYTES // 4), " " * TEN_MEGABYTES, "\u0301" * TEN_MEGABYTES],
    ids=["tags", "entities", "blanks", "marks"],
)
def test_of_ten_megabytes_only_the_beginning_is_looked_at(bomb: str) -> None:
    tracemalloc.start()
    try:
        text = cleaned(bomb, MOST_TITLE)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) <= MOST_TITLE
    assert most < 512 * 1024


def test_every_part_has_its_own_limit_and_only_addresses_of_the_web_stay() -> None:
    long = SourceText(source="news", title="t" * 9_999, body="b" * 99_999, url="https://example.com/a?b=c", at=AT)
    assert (len(clean(long).title), len(clean(long).body)) == (MOST_TITLE, MOST_BODY)
    assert clean(long).url == long.url
    for url in ("javascript:alert(1)", "file:///etc/passwd", "https://a b", "https://" + "x" * MOST_URL, "//host"):
        assert not clean(SourceText(source="news", title="t", url=url, at=AT)).url
