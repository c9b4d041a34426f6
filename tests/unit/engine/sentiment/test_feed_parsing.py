"""Feeds become texts; what is none is said, and what is out to harm is read no further than allowed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from engine.domain.errors import DataError
from engine.domain.sentiment import SourceText
from engine.sentiment.feed_parsing import MOST_BYTES, MOST_ITEMS, parse_feed
from tests.fakes.data import real_file
from tests.fakes.news import FRIDAY, rss


def read(body: bytes, *, packed: bool = False) -> tuple[SourceText, ...]:
    return parse_feed(body, "application/rss+xml", packed, "news")


def titles(body: bytes) -> list[str]:
    return [text.title for text in read(body)]


def test_items_become_texts_with_their_time_and_address() -> None:
    first, second = read(rss("Bitcoin rises", "Ether &amp;amp; Solana &lt;b&gt;fall&lt;/b&gt;"))
    assert (first.source, first.title, first.body) == ("news", "Bitcoin rises", "About Bitcoin rises.")
    assert (first.url, first.at) == ("https://news.example/0", FRIDAY)
    assert second.title == "Ether & Solana fall"


def test_atom_is_read_too() -> None:
    entry = "<entry><title>Up</title><updated>2026-09-25T16:41:53+02:00</updated><link href='https://a.b/c'/></entry>"
    (text,) = read(f"<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title>{entry}</feed>".encode())
    assert (text.title, text.url, text.at) == ("Up", "https://a.b/c", FRIDAY)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_packed_feeds_are_read(pack: object) -> None:
    assert [text.title for text in read(pack(rss("Packed")), packed=True)] == ["Packed"]  # type: ignore[operator]


def test_other_encodings_and_bad_bytes_are_read() -> None:
    german = '<?xml version="1.0" encoding="ISO-8859-1"?>' + rss("Z\u00fcrich").decode().partition("?>")[2]
    assert titles(german.encode("latin-1")) == ["Z\u00fcrich"]
    (bad,) = titles(rss("Bad XX bytes").replace(b"XX", b"\xff\xfe"))
    assert bad.startswith("Bad ")


def test_a_body_that_names_a_file_or_an_address_opens_neither(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(rss("Secret"))
    for name in (str(tmp_path / "feed.xml"), (tmp_path / "feed.xml").as_uri()):
        with pytest.raises(DataError, match="no feed"):
            read(name.encode())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no feed"),
        (b"hello", "no feed"),
        (b"\x00" * 1_000, "no feed"),
        (b"<html><body>Sign in</body></html>", "no feed"),
        (b'{"items": []}', "no feed"),
    ],
)
def test_what_is_no_feed_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(gzip.compress(bytes(10 * MOST_BYTES)), "2,097,152 bytes, unpacked"), (b"not packed", "cannot be unpacked")],
)
def test_what_unpacks_to_too_much_or_not_at_all_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(body, packed=True)


def test_of_many_items_the_first_are_read() -> None:
    assert titles(rss(*(f"Story {n}" for n in range(MOST_ITEMS + 5)))) == [f"Story {n}" for n in range(MOST_ITEMS)]


def test_entities_do_not_grow() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    bomb = rss("&e9;").replace(b"<rss", f"<!DOCTYPE rss [{entities}]><rss".encode())
    assert all(len(text.title) <= 300 for text in read(bomb))


def test_items_without_a_time_or_without_words_are_left_out() -> None:
    dated = b"<pubDate>Fri, 25 Sep 2026 14:41:53 +0000</pubDate>"
    assert titles(rss("Timeless", "Timely").replace(dated, b"", 1)) == ["Timely"]
    assert titles(rss("Never").replace(dated, b"<pubDate>yesterday</pubDate>")) == []
    assert titles(b"<rss version='2.0'><channel><title>t</title><item>" + dated + b"</item></channel></rss>") == []


def test_every_item_of_real_feeds_is_read_with_its_words() -> None:
    for name in ("coindesk_2026-09-25.xml", "cointelegraph_2026-02-15.xml"):
        body = real_file(f"news/rss/{name}").read_bytes()
        texts = read(body)
        assert len(texts) == body.count(b"<item>")
        assert all(text.url.startswith("https://") and len(text.body) > 40 for text in texts), name
