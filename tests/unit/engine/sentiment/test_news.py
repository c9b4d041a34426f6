"""News feeds through a server on loopback: politely asked, and whatever one sends, the others are read."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from engine.sentiment.feed_parsing import MOST_BYTES
from engine.sentiment.news import EVERY, LONGEST_QUIET, SLACK, NewsFeeds
from tests.fakes.data import real_file
from tests.fakes.news import Page, Publisher, publishing, rss

NOON = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOON).total_seconds()


@asynccontextmanager
async def reading(
    pages: dict[str, Page], *paths: str, within: float = 20
) -> AsyncIterator[tuple[NewsFeeds, Publisher, Hands]]:
    clock = Hands()
    async with publishing(pages) as publisher:
        urls = [publisher.url + path for path in paths or pages]
        news = NewsFeeds(urls=urls, answer_within=within, clock=clock)
        try:
            yield news, publisher, clock
        finally:
            await news.close()


def trouble(news: NewsFeeds) -> str:
    (found,) = news.troubles.values()
    return found


async def test_a_feed_is_asked_once_an_hour_and_with_what_it_said_byte_for_byte() -> None:
    said = {"ETag": 'W/"a b\t\u00e9-1"', "Last-Modified": "Fri,  25 Sep 2026 14:41:53 GMT (sic)"}
    async with reading({"/a": Page(body=rss("One"), headers=said)}) as (news, publisher, clock):
        before = await news.texts()
        clock.at += EVERY - SLACK - SECOND
        assert await news.texts() == before
        assert publisher.paths() == ["/a"]
        clock.at += SLACK  # whoever comes each hour, and is a second early, is not sent away for another hour
        assert await news.texts() == before
        (_, first), (_, second) = publisher.asked
        assert "If-None-Match" not in first
        assert second["If-None-Match"].encode("latin-1").decode() == said["ETag"]
        assert second["If-Modified-Since"] == said["Last-Modified"]
        assert list(news.read_at.values()) == [clock.at]
        publisher.pages["/a"] = Page(body=rss("Two"))
        clock.at += EVERY
        assert [text.title for text in await news.texts()] == ["Two"]


async def test_a_feed_that_asks_for_quiet_has_it_and_what_it_had_stays() -> None:
    async with reading({"/a": Page(body=rss("One")), "/b": Page(body=rss("Other"))}) as (news, publisher, clock):
        await news.texts()
        publisher.pages["/a"] = Page(status=429, headers={"Retry-After": "7300"})
        clock.at += EVERY
        assert [text.title for text in await news.texts()] == ["One", "Other"]
        assert "status 429" in trouble(news)
        publisher.pages["/a"] = Page(body=rss("New"))
        clock.at += 2 * EVERY
        assert [text.title for text in await news.texts()] == ["One", "Other"]
        clock.at += 100 * SECOND
        assert [text.title for text in await news.texts()] == ["New", "Other"]
        assert not news.troubles
        assert publisher.paths().count("/a") == 3


@pytest.mark.parametrize("said", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_nobody_is_left_alone_for_ever(said: str) -> None:
    async with reading({"/a": Page(status=503, headers={"Retry-After": said})}) as (news, publisher, clock):
        await news.texts()
        clock.at += LONGEST_QUIET
        await news.texts()
        assert publisher.paths() == ["/a", "/a"]


BAD = {
    "/500": (Page(status=500), "status 500"),
    "/html": (Page(body=b"<html><body>Sign in</body></html>", content_type="text/html"), "no feed"),
    "/long": (Page(body=b"x" * (MOST_BYTES + 1)), "more than 2,097,152 bytes"),
    "/brotli": (Page(body=rss("One"), headers={"Content-Encoding": "br"}), "packed in a way"),
    "/again": (Page(status=302, headers={"Location": "/again"}), "more than 3 times"),
}
ELSEWHERE = {
    "file:///etc/passwd": "redirects to file:",
    "ftp://example.com/x": "redirects to ftp:",
    "http://localhost:1/x": "localhost, which is of a private network",
    "http://[::1]/x": "of a private network",
    "http://[::ffff:127.0.0.1]/x": "of a private network",
    "http://2130706433/x": "of a private network",
    "http://169.254.169.254/latest": "of a private network",
    "http://10.0.0.7/": "of a private network",
    "http://nowhere.invalid/": "which is unknown",
}
SENT_AWAY = {
    f"/away{number}": (Page(status=302, headers={"Location": url}), reason)
    for number, (url, reason) in enumerate(ELSEWHERE.items())
}


async def test_what_is_no_feed_or_out_to_harm_is_named_and_hurts_no_other() -> None:
    wrong = BAD | SENT_AWAY
    async with reading({path: page for path, (page, _) in wrong.items()} | {"/b": Page(body=rss("Good"))}) as found:
        news, publisher, _ = found
        with capture_logs() as told:
            texts = await news.texts()
        assert [text.title for text in texts] == ["Good"]
        for path, (_, reason) in wrong.items():
            assert reason in news.troubles[publisher.url + path], path
        assert len(told) == len(news.troubles) == len(wrong)


async def test_a_feed_that_drips_is_given_up() -> None:
    async with reading({"/a": Page(body=rss("One"), drip=0.1)}, within=0.3) as (news, _, _):
        assert await news.texts() == ()
        assert trouble(news) == "it does not answer within 0.3 s"


async def test_a_redirect_within_the_publisher_is_followed() -> None:
    pages = {"/a": Page(status=301, headers={"Location": "/b"}), "/b": Page(body=rss("Moved"))}
    async with reading(pages, "/a") as (news, _, _):
        assert [text.title for text in await news.texts()] == ["Moved"]


async def test_a_redirect_to_another_server_of_this_machine_is_not() -> None:
    async with publishing({"/secret": Page(body=rss("Secret"))}) as inside:
        page = Page(status=302, headers={"Location": f"{inside.url}/secret"})
        async with reading({"/a": page}) as (news, _, _):
            assert await news.texts() == ()
        assert inside.asked == []


async def test_an_address_that_is_none_or_of_another_scheme_is_not_asked() -> None:
    news = NewsFeeds(urls=["file:///etc/passwd", "http://", "http://[bad"], answer_within=5, clock=Hands())
    assert await news.texts() == ()
    assert len(news.troubles) == 3
    await news.close()


async def test_a_packed_feed_is_read() -> None:
    page = Page(body=gzip.compress(rss("Packed")), headers={"Content-Encoding": "gzip"})
    async with reading({"/a": page}) as (news, _, _):
        assert [text.title for text in await news.texts()] == ["Packed"]


async def test_real_feeds() -> None:
    names = ("coindesk_2026-09-25.xml", "cointelegraph_2026-02-15.xml")
    pages = {f"/{name}": Page(body=real_file(f"news/rss/{name}").read_bytes()) for name in names}
    async with reading(pages) as (news, _, _):
        texts = await news.texts()
        assert not news.troubles
    titles = [text.title for text in texts]
    assert len(texts) == sum(page.body.count(b"<item>") for page in pages.values())
    assert "Circle and Tether step in to freeze hacker wallet after massive Bitget crypto heist" in titles
    assert "Trump Media files for two new crypto ETFs tied to Bitcoin, Ether, Cronos" in titles
    assert all(text.url.startswith("https://") and text.body and text.at.year == 2026 for text in texts)
